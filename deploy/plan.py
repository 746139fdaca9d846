from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.ports import next_free
from shared.settings import WORKERS, Settings, TwsSimulatorSettings

REDIS_PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    server: Path
    port: int
    maxmemory_mb: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@dataclass(frozen=True, slots=True)
class TwsSimulator:
    settings: TwsSimulatorSettings
    port: int
    control_port: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs beside the workers, and which workers do not run."""

    redis: EmbeddedRedis | None
    tws: TwsSimulator | None
    left_out: tuple[str, ...]
    # What a person should know before it starts: ports that moved, features that are off.
    notes: tuple[str, ...]


def make_plan(
    settings: Settings, find_server: Callable[[], Path], is_free: Callable[[int], bool]
) -> Plan:
    notes: list[str] = []
    redis = tws = None
    taken: set[int] = set()
    if not settings.redis.url:
        port = _claim("redis", REDIS_PORT, taken, is_free, notes)
        redis = EmbeddedRedis(find_server(), port, settings.redis.maxmemory_mb)
    if settings.source == "sim":
        wanted = settings.simulators.tws
        port = _claim("tws simulator", wanted.port, taken, is_free, notes)
        control_port = _claim("tws control", wanted.control_port, taken, is_free, notes)
        tws = TwsSimulator(wanted, port, control_port)
    elif not settings.alpha_vantage.api_key:
        notes.append("ALPHA_VANTAGE_API_KEY is missing: no options, sentiment or technicals")
    left_out = tuple(name for name in WORKERS if name not in settings.supervision.workers())
    notes.extend(f"{name} is left out (supervision.enabled_workers)" for name in left_out)
    return Plan(redis, tws, left_out, tuple(notes))


def _claim(
    what: str, wanted: int, taken: set[int], is_free: Callable[[int], bool], notes: list[str]
) -> int:
    port = next_free(wanted, taken, is_free)
    taken.add(port)
    if port != wanted:
        notes.append(f"{what}: port {wanted} is taken, using {port}")
    return port
