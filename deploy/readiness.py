from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import redis

from deploy.supervisor_client import Program
from shared.settings import READERS, Settings
from shared.store.keys import STALE_CHECKED, Keys

# States that supervisord does not leave by itself.
_ENDED: Final = frozenset({"FATAL", "EXITED", "UNKNOWN"})
# What each worker must have written before it counts as up, as it is said to the user.
_SURFACES: Final = {
    "ibkr_depth": "depth",
    "ibkr_trades": "quotes or trades",
    "av_options": "option chains",
    "av_sentiment": "technicals",
    "watchdog": "what is stale",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to be seen before the product counts as up."""

    programs: tuple[str, ...]
    # Of how many symbols each worker must have fresh data.
    symbols: Mapping[str, int]
    # Data older than this moment was left in Redis by an earlier run.
    since_ms: int


@dataclass(frozen=True, slots=True)
class WorkerData:
    """What Redis says of a worker; error is set when it could not be asked."""

    pid: int = 0
    state: str = "no heartbeat"
    detail: str = ""
    fresh_symbols: int = 0
    error: str = ""


def expected_of(
    settings: Settings, left_out: Sequence[str], programs: Sequence[Program], since_ms: int
) -> Expected:
    unasked = (*left_out, *READERS)
    running = tuple(program.name for program in programs if program.name not in unasked)
    counts = {
        "ibkr_depth": min(settings.ibkr.max_concurrent_depth, len(settings.depth_symbols())),
        "ibkr_trades": len(settings.vendor_symbols()),
        "av_options": len(settings.vendor_symbols()),
        "av_sentiment": len(_technical_keys(settings)),
        "watchdog": 1,
    }
    wanted = {name: count for name, count in counts.items() if name not in left_out}
    return Expected(running, wanted, since_ms)


def read_data(client: redis.Redis, settings: Settings, since_ms: int) -> dict[str, WorkerData]:
    """Every worker's heartbeat, and when each of its symbols was written last."""
    keys = Keys(settings.redis.key_prefix)
    pipe = client.pipeline(transaction=False)
    for worker in _SURFACES:
        pipe.get(keys.heartbeat(worker))
    quoted = settings.vendor_symbols()
    for symbol in settings.depth_symbols():
        pipe.get(keys.depth_heartbeat(symbol))
    for symbol in quoted:
        pipe.hget(keys.ticker(symbol), "ts")
    for symbol in quoted:
        pipe.hget(keys.options_monitor(symbol), "fetched_ts")
    technicals = _technical_keys(settings)
    for key in technicals:
        pipe.get(key)
    pipe.hget(keys.stale(), STALE_CHECKED)
    try:
        replies = iter(pipe.execute())
    except redis.RedisError as error:
        return dict.fromkeys(_SURFACES, WorkerData(error=str(error)))
    beats = list(islice(replies, len(_SURFACES)))
    stamps: list[list[object]] = [
        list(islice(replies, len(settings.depth_symbols()))),
        list(islice(replies, len(quoted))),
        list(islice(replies, len(quoted))),
        [_decoded(one).get("fetched_ts") for one in islice(replies, len(technicals))],
        list(replies),
    ]
    rows = zip(_SURFACES, beats, stamps, strict=True)
    return {worker: worker_data(beat, stamp, since_ms) for worker, beat, stamp in rows}


def _technical_keys(settings: Settings) -> list[str]:
    """One indicator of each symbol; none when no indicators are chosen."""
    keys = Keys(settings.redis.key_prefix)
    chosen = settings.alpha_vantage.indicators[:1]
    return [keys.technicals(one, name) for one in settings.vendor_symbols() for name in chosen]


def worker_data(heartbeat: object, stamps: Sequence[object], since_ms: int) -> WorkerData:
    found = _decoded(heartbeat)
    return WorkerData(
        pid=int(found.get("pid") or 0),
        state=str(found.get("state", "no heartbeat")),
        detail=str(found.get("detail") or ""),
        fresh_symbols=sum(_is_since(stamp, since_ms) for stamp in stamps),
    )


def missing(
    expected: Expected, programs: Sequence[Program], data: Mapping[str, WorkerData]
) -> list[str]:
    """What is not there yet, in words; empty when the product is up."""
    known = {program.name: program for program in programs}
    found = [
        f"{name} is {known[name].state if name in known else 'unknown to supervisord'}"
        for name in expected.programs
        if name not in known or known[name].state != "RUNNING"
    ]
    if found:
        return found
    for worker, wanted in expected.symbols.items():
        one = data[worker]
        if one.error:
            return [f"redis does not answer, {one.error}"]
        if one.state != "running" or one.pid != known[worker].pid:
            found.append(f"{worker} says {one.state} {one.detail}".rstrip())
        if one.fresh_symbols < wanted:
            found.append(_lacking(worker, one.fresh_symbols, wanted))
    return found


def _lacking(worker: str, fresh: int, wanted: int) -> str:
    if worker == "watchdog":
        return "nobody has looked yet for what is stale"
    return f"{_SURFACES[worker]} of {fresh} of {wanted} symbols"


def hopeless(expected: Expected, programs: Sequence[Program]) -> list[str]:
    """Programs that waiting will not bring up."""
    return [
        program.name
        for program in programs
        if program.name in expected.programs and program.state in _ENDED
    ]


def _is_since(stamp: object, since_ms: int) -> bool:
    try:
        return int(str(stamp)) >= since_ms
    except ValueError:
        return False


def _decoded(heartbeat: object) -> dict[str, Any]:
    try:
        found = json.loads(str(heartbeat))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
