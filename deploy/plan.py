from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.ports import next_free
from shared.settings import (
    READERS,
    VENDOR_WORKERS,
    WORKERS,
    Secret,
    Settings,
    TwsSimulatorSettings,
    VendorSimulatorSettings,
)
from shared.settings_redis import OPERATOR, password_of, url_as

REDIS_PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    server: Path
    port: int
    maxmemory_mb: int
    password: Secret = Secret()
    key_prefix: str = ""

    @property
    def url(self) -> str:
        """As people and their programs reach it, with the operator's login."""
        address = f"redis://127.0.0.1:{self.port}/0"
        return url_as(address, OPERATOR, password_of(self.password, OPERATOR))


@dataclass(frozen=True, slots=True)
class TwsSimulator:
    settings: TwsSimulatorSettings
    port: int
    control_port: int


@dataclass(frozen=True, slots=True)
class VendorSimulator:
    settings: VendorSimulatorSettings
    port: int
    control_port: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs beside the workers, and which workers do not run."""

    redis: EmbeddedRedis | None
    tws: TwsSimulator | None
    vendor: VendorSimulator | None
    left_out: tuple[str, ...]
    # What a person should know before it starts: ports that moved, features that are off.
    notes: tuple[str, ...]
    # Ports of the exporter and the dashboard.
    readers: Mapping[str, int] = field(default_factory=dict)


def make_plan(
    settings: Settings, find_server: Callable[[], Path], is_free: Callable[[int], bool]
) -> Plan:
    notes: list[str] = []
    redis = tws = vendor = None
    taken: set[int] = set()

    def claim(what: str, wanted: int) -> int:
        return _claim(what, wanted, taken, is_free, notes)

    if not settings.redis.url:
        port = claim("redis", REDIS_PORT)
        found = settings.redis
        redis = EmbeddedRedis(
            find_server(), port, found.maxmemory_mb, found.password, found.key_prefix
        )
    if settings.source == "sim":
        one, other = settings.simulators.tws, settings.simulators.alphavantage
        tws = TwsSimulator(
            one, claim("tws simulator", one.port), claim("tws control", one.control_port)
        )
        vendor = VendorSimulator(
            other,
            claim("alphavantage simulator", other.port),
            claim("alphavantage control", other.control_port),
        )
    wanted = {"exporter": settings.exporter.port, "dashboard": settings.dashboard.port}
    readers = {name: claim(name, wanted[name]) for name in settings.readers()}
    return Plan(redis, tws, vendor, _left_out(settings, notes), tuple(notes), readers)


def _left_out(settings: Settings, notes: list[str]) -> tuple[str, ...]:
    chosen = settings.supervision.workers()
    found = [name for name in WORKERS if name not in chosen]
    notes.extend(f"{name} is left out (supervision.enabled_workers)" for name in found)
    closed = [name for name in READERS if name not in settings.readers()]
    notes.extend(f"{name} is left out ({name}.enabled)" for name in closed)
    if settings.source == "live" and not settings.alpha_vantage.api_key:
        keyless = [name for name in VENDOR_WORKERS if name in chosen]
        if keyless:
            names = " and ".join(keyless)
            notes.append(f"ALPHA_VANTAGE_API_KEY is missing: {names} left out")
        found += keyless
    return (*found, *closed)


def _claim(
    what: str, wanted: int, taken: set[int], is_free: Callable[[int], bool], notes: list[str]
) -> int:
    port = next_free(wanted, taken, is_free)
    taken.add(port)
    if port != wanted:
        notes.append(f"{what}: port {wanted} is taken, using {port}")
    return port
