from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from deploy.supervisor_client import Program
from shared.settings import Settings
from shared.store.keys import Keys

# States that supervisord does not leave by itself.
_ENDED: Final = frozenset({"FATAL", "EXITED", "UNKNOWN"})
_DEPTH: Final = "ibkr_depth"


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to be seen before the product counts as up."""

    programs: tuple[str, ...]
    depth_symbols: int
    # Data older than this moment was left in Redis by an earlier run.
    since_ms: int


@dataclass(frozen=True, slots=True)
class DepthData:
    """What Redis says of the depth worker; error is set when it could not be asked."""

    pid: int = 0
    state: str = "no heartbeat"
    detail: str = ""
    fresh_symbols: int = 0
    error: str = ""


def expected_of(
    settings: Settings, left_out: Sequence[str], programs: Sequence[Program], since_ms: int
) -> Expected:
    running = tuple(program.name for program in programs if program.name not in left_out)
    slots = min(settings.ibkr.max_concurrent_depth, len(settings.depth_symbols()))
    return Expected(running, 0 if _DEPTH in left_out else slots, since_ms)


def read_depth(client: redis.Redis, settings: Settings, since_ms: int) -> DepthData:
    keys = Keys(settings.redis.key_prefix)
    names = [keys.depth_heartbeat(symbol) for symbol in settings.depth_symbols()]
    try:
        heartbeat, *stamps = client.mget([keys.heartbeat(_DEPTH), *names])
    except redis.RedisError as error:
        return DepthData(error=str(error))
    return depth_data(heartbeat, stamps, since_ms)


def depth_data(heartbeat: object, stamps: Sequence[object], since_ms: int) -> DepthData:
    found = _decoded(heartbeat)
    return DepthData(
        pid=int(found.get("pid") or 0),
        state=str(found.get("state", "no heartbeat")),
        detail=str(found.get("detail") or ""),
        fresh_symbols=sum(_is_since(stamp, since_ms) for stamp in stamps),
    )


def missing(expected: Expected, programs: Sequence[Program], depth: DepthData) -> list[str]:
    """What is not there yet, in words; empty when the product is up."""
    known = {program.name: program for program in programs}
    found = [
        f"{name} is {known[name].state if name in known else 'unknown to supervisord'}"
        for name in expected.programs
        if name not in known or known[name].state != "RUNNING"
    ]
    if found or not expected.depth_symbols:
        return found
    if depth.error:
        return [f"redis does not answer, {depth.error}"]
    if depth.state != "running" or depth.pid != known[_DEPTH].pid:
        found.append(f"{_DEPTH} says {depth.state} {depth.detail}".rstrip())
    if depth.fresh_symbols < expected.depth_symbols:
        found.append(f"depth of {depth.fresh_symbols} of {expected.depth_symbols} symbols")
    return found


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
