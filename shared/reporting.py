"""What a feed worker tells about itself: health, metrics, coverage, and the gaps of its sink."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from loguru import logger

from shared.errors import StoreError
from shared.process import Worker
from shared.store.sink import Sink

_CHECK_EVERY_S: Final = 0.25
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

# (connected, why degraded or empty)
HealthSource = Callable[[], tuple[bool, str]]
MetricsSource = Callable[[], Mapping[str, Any]]
CoverageSource = Callable[[], Mapping[str, Mapping[str, float | int]]]


class Reporter:
    def __init__(
        self,
        worker: Worker,
        sink: Sink,
        health: HealthSource,
        metrics: MetricsSource,
        coverage: CoverageSource,
    ) -> None:
        self._worker = worker
        self._sink = sink
        self._health = health
        self._metrics = metrics
        self._coverage = coverage
        self._said = sink.metrics()
        self._was_degraded = ""

    async def run(self, family: str) -> None:
        """Report for ever; `family` names the metrics hash."""
        interval_s = self._worker.settings.modules.data_ingestion.metrics_interval_s
        due_s = 0.0
        while True:
            self._report_health()
            self.drain_losses()
            now_s = time.monotonic()
            if now_s >= due_s:
                due_s = now_s + interval_s
                await self._publish(family)
            await asyncio.sleep(_CHECK_EVERY_S)

    def drain_losses(self) -> None:
        """Losses become gap entries once Redis takes them, so that one outage is one range."""
        if self._sink.losses and self._sink.available:
            for entry in self._sink.losses.drain():
                self._worker.ledger.gap(entry)

    def _report_health(self) -> None:
        connected, degraded = self._health()
        if not self._sink.available:
            degraded = degraded or "redis is away"
        health = self._worker.health
        if health.state == "stopping":
            return
        if degraded != self._was_degraded:
            self._was_degraded = degraded
            log = logger.warning if degraded else logger.info
            log("degraded: {}" if degraded else "running{}", degraded)
        health.set("degraded" if degraded else "running", connected, degraded)

    async def _publish(self, family: str) -> None:
        sink = self._sink.metrics()
        values = {**self._metrics(), **sink, **process_figures()}
        try:
            await self._worker.metrics.write(family, values)
            await self._worker.metrics.coverage(self._coverage())
        except StoreError as error:
            logger.debug("metrics not written: {}", error)
        delta = {
            name: sink[name] - self._said[name]
            for name in ("writes", "flushes", "dropped", "conflated", "refused")
        }
        self._said = sink
        logger.bind(**delta, queued=sink["queue_depth"]).info(
            "persisted {} updates in {} flushes", delta["writes"], delta["flushes"]
        )


def process_figures() -> dict[str, float | int]:
    """`rss_bytes` now and `cpu_s` since the start of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rss_bytes": pages * _PAGE_BYTES,
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
    }
