"""What processes cost and how fast they are, beside what status says of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.store.ops_reader import StatusSeen
from shared.views.status import Board, Process
from shared.views.words import milliseconds, number, plain


class Lives:
    """How often each worker was seen to start anew, and what share of a core it uses."""

    def __init__(self) -> None:
        self._started: dict[str, int] = {}
        self._restarts: dict[str, int] = {}
        self._used: dict[str, tuple[int, float]] = {}
        self._share: dict[str, float] = {}

    def observe(self, seen: StatusSeen) -> None:
        for worker, beat in seen.beats.items():
            started_ms = milliseconds(beat.get("started_ts")) or 0
            before = self._started.get(worker, started_ms)
            self._restarts[worker] = self._restarts.get(worker, 0) + (started_ms > before)
            self._started[worker] = max(before, started_ms)
        for worker, figures in seen.figures.items():
            self._measure(worker, figures)

    def anew(self) -> dict[str, int]:
        """When the workers that were seen to restart began, in ms."""
        return {name: self._started[name] for name, times in self._restarts.items() if times}

    def of(self, worker: str) -> tuple[int | None, float | None]:
        """(restarts since this began to look, share of a core); None for what is not known."""
        return self._restarts.get(worker), self._share.get(worker)

    def _measure(self, worker: str, figures: Mapping[str, Any]) -> None:
        at_ms, used_s = milliseconds(figures.get("ts")), number(figures.get("cpu_s"))
        if at_ms is None or used_s is None:
            return
        before_ms, before_s = self._used.get(worker, (at_ms, used_s))
        if used_s < before_s:
            self._share.pop(worker, None)
        elif at_ms > before_ms:
            self._share[worker] = round((used_s - before_s) / (at_ms - before_ms) * 1000, 4)
        self._used[worker] = at_ms, used_s


def processes(board: Board, seen: StatusSeen, lives: Lives) -> list[dict[str, Any]]:
    return [_process(one, seen, lives) for one in board.processes]


def _process(one: Process, seen: StatusSeen, lives: Lives) -> dict[str, Any]:
    beat, figures = seen.beats.get(one.name, {}), seen.figures.get(one.name, {})
    restarts, cpu_share = lives.of(one.name)
    return {
        "name": one.name,
        "state": "left out" if one.state == "left out" else one.worker_state,
        "late": one.late,
        "connected": one.connected,
        "beat_ms": milliseconds(beat.get("ts")),
        "started_ms": milliseconds(beat.get("started_ts")),
        "pid": milliseconds(beat.get("pid")),
        "version": plain(beat.get("version", "")),
        "restarts": restarts,
        "rate_per_s": one.rate_per_s,
        "p50_ms": number(figures.get("latency_p50_ms", figures.get("fetch_ms_p50"))),
        "p99_ms": number(figures.get("latency_p99_ms", figures.get("fetch_ms_p99"))),
        "rss_bytes": number(figures.get("rss_bytes")),
        "cpu_share": cpu_share,
        "stale": one.stale,
        "detail": one.detail,
    }
