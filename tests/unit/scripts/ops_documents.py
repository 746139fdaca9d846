"""What stands in Redis, as an operator's commands read it; all of one moment."""

from __future__ import annotations

from typing import Any, Final

from shared.store.ops_reader import StaleSeen, StatusSeen
from shared.views.programs import ProgramSeen

NOW_MS: Final = 1_795_709_176_500
WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")


def beat(worker: str, age_ms: int = 400, **changes: Any) -> dict[str, Any]:
    return {
        "worker": worker,
        "ts": NOW_MS - age_ms,
        "started_ts": NOW_MS - 100_000,
        "state": "running",
        "connected": True,
        "detail": "",
        **changes,
    }


def beats(**changes: dict[str, Any]) -> dict[str, Any]:
    """Of every worker and the watchdog, all well but for the changes."""
    return {name: beat(name) for name in (*WORKERS, "watchdog")} | changes


def figures() -> dict[str, dict[str, Any]]:
    at_ms = NOW_MS - 5_000
    return {
        "ibkr_depth": {"ts": at_ms, "updates": 5_700, "latency_p99_ms": 8.0},
        "ibkr_trades": {"ts": at_ms, "trades": 4_750, "latency_p99_ms": 5.0},
        "av_options": {"ts": at_ms, "requests": 95, "fetch_ms_p99": 67.04},
        "av_sentiment": {"ts": at_ms, "requests": 66, "fetch_ms_p99": None},
        "watchdog": {"ts": at_ms, "ticks": 90},
    }


def session(state: str = "regular") -> dict[str, str]:
    return {
        "calendar": "XNYS",
        "date": "2026-11-26",
        "state": state,
        "closes_ts": str(NOW_MS + 11_520_000),
        "next_open_ts": str(NOW_MS + 50_700_000),
    }


def seen(**changes: Any) -> StatusSeen:
    given = {
        "now_ms": NOW_MS,
        "source": "sim",
        "session": session(),
        "beats": beats(),
        "figures": figures(),
        "stale": StaleSeen({}, NOW_MS - 400),
        "counts": {"ibkr_trades": 5_000},
        "recent": {"ibkr_depth": 613},
        "memory": (25_600_000, 1_073_741_824),
    }
    return StatusSeen(**{**given, **changes})


def program(name: str, state: str = "RUNNING", starts: int | None = 1) -> ProgramSeen:
    running = state == "RUNNING"
    detail = "pid 7, uptime 2:05:00" if running else "Exited too quickly"
    return ProgramSeen(name, state, 7_500.0 if running else None, detail, starts)


def programs(*changed: ProgramSeen) -> list[ProgramSeen]:
    names = (*WORKERS, "watchdog", "guardian", "redis", "alphavantage_simulator", "tws_simulator")
    found = {name: program(name) for name in names} | {one.name: one for one in changed}
    return list(found.values())
