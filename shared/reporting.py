"""What a feed worker tells about itself: health, metrics, coverage, and the gaps of its sink."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loguru import logger

from shared.errors import StoreError
from shared.process import Worker
from shared.store.losses import Settling
from shared.store.sink import Sink

_CHECK_EVERY_S: Final = 0.25
# The first figures come early, so that a fresh start can be looked at.
_FIRST_METRICS_S: Final = 1.0
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

# A gateway not reached by then is news.
_STARTING_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a feed's figures come from; `family` names its metrics hash.

    `health` gives (connected, why degraded or an empty string); `coverage` a row per symbol;
    `items` says what the first sink writes; `every` runs four times a second, connected or not.
    """

    family: str
    items: str
    health: Callable[[], tuple[bool, str]]
    metrics: Callable[[], Mapping[str, Any]]
    coverage: Callable[[], Mapping[str, Mapping[str, float | int]]] | None = None
    every: Callable[[], None] | None = None


class Reporter:
    def __init__(self, worker: Worker, sinks: Sequence[Sink[Any]], sources: Sources) -> None:
        """The first sink's figures stand flat in the metrics, another's as `<feed>_queue`.

        A worker whose documents are fetched again anyway has no sink.
        """
        self._worker = worker
        self._sinks = sinks
        self._settling = [Settling() for _ in sinks]
        self._sources = sources
        self._said = sinks[0].metrics() if sinks else {}
        self._said_health = ""
        self._starting_until_s = time.monotonic() + _STARTING_S

    async def run(self) -> None:
        """Report for ever."""
        interval_s = self._worker.settings.modules.data_ingestion.metrics_interval_s
        due_s = time.monotonic() + _FIRST_METRICS_S
        while True:
            if self._sources.every is not None:
                self._sources.every()
            self._report_health()
            self._drain_settled()
            now_s = time.monotonic()
            if now_s >= due_s:
                due_s = now_s + interval_s
                await self._publish()
            await asyncio.sleep(_CHECK_EVERY_S)

    def drain_losses(self) -> None:
        """Losses become gap entries once Redis takes them, so that one outage is one range."""
        for sink in self._sinks:
            self._drain(sink)

    def _drain_settled(self) -> None:
        now_s = time.monotonic()
        for sink, settling in zip(self._sinks, self._settling, strict=True):
            if sink.available and settling.settled(sink.losses.total, now_s):
                self._drain(sink)

    def _drain(self, sink: Sink[Any]) -> None:
        if sink.losses and sink.available:
            for entry in sink.losses.drain():
                self._worker.ledger.gap(entry)

    def _report_health(self) -> None:
        health = self._worker.health
        if health.state == "stopping":
            return
        connected, why = self._sources.health()
        if not all(sink.available for sink in self._sinks):
            why = f"redis is away; {why}" if why else "redis is away"
        state = "degraded" if why else "running"
        if connected:
            self._starting_until_s = 0.0
        elif time.monotonic() < self._starting_until_s:
            state = "starting"
        said = f"{state}: {why}" if why else state
        if said != self._said_health:
            self._said_health = said
            (logger.warning if state == "degraded" else logger.info)("{}", said)
        health.set(state, connected, why)

    async def _publish(self) -> None:
        sink = self._sinks[0].metrics() if self._sinks else {}
        others = {f"{other.feed}_queue": other.metrics() for other in self._sinks[1:]}
        ledger = self._worker.ledger.metrics()
        values = {**self._sources.metrics(), **sink, **others, **ledger, **process_figures()}
        try:
            await self._worker.metrics.write(self._sources.family, values)
            if self._sources.coverage is not None:
                await self._worker.metrics.coverage(self._sources.coverage())
        except StoreError as error:
            logger.debug("metrics not written: {}", error)
        if sink:
            self._log_progress(sink)

    def _log_progress(self, sink: dict[str, Any]) -> None:
        delta = {
            name: sink[name] - self._said[name]
            for name in ("writes", "resent", "flushes", "dropped", "conflated", "refused")
        }
        # What Redis lost and took again is no longer counted as written twice.
        persisted = max(0, delta["writes"] + delta["resent"])
        self._said = sink
        logger.bind(**delta, queued=sink["queue_depth"]).info(
            "persisted {} {} in {} flushes", persisted, self._sources.items, delta["flushes"]
        )


def process_figures() -> dict[str, float | int]:
    """`rss_bytes` and `tasks` of the running loop now, `cpu_s` since the start of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rss_bytes": pages * _PAGE_BYTES,
        "tasks": len(asyncio.all_tasks()),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
    }
