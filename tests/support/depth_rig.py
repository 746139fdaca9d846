"""A gateway simulator, a depth worker and the Redis between them and the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.support.depth_keys import DepthKeys, now_ms
from tests.support.gateway_process import GatewayProcess
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

Result = TypeVar("Result")

THREE: Final = {"SPY": ("ARCA",), "QQQ": ("ISLAND",), "TSLA": ("ISLAND",)}
# As shipped but for the waits: every delay that a test would have to sit through is short, and
# the slot cool-down still outlasts the 300 ms after which the simulator frees a cancelled slot.
QUICK: Final[Mapping[str, Any]] = {
    "ibkr": {
        "connect_timeout_s": 2.0,
        "base_delay_s": 0.2,
        "max_delay_s": 0.5,
        "slot_cooldown_s": 0.5,
        "probe_interval_s": 1.0,
        "probe_timeout_s": 1.0,
        "depth_stale_s": 2.0,
        "rotation_s": 2.0,
        "error309_cooldown_s": 0.5,
        "stream_maxlen": 1_000_000,
    },
    "modules": {"data_ingestion": {"heartbeat_interval_s": 0.5, "metrics_interval_s": 0.5}},
    # Nobody else speaks for `ibkr:connected`.
    "supervision": {"enabled_workers": ["ibkr_depth"]},
}


@dataclass(frozen=True, slots=True)
class DepthPlan:
    """What a test runs: universe, changed settings, flags of the simulator.

    `before` are commands to the simulator, carried out before the worker starts.
    """

    venues: Mapping[str, Iterable[str]] = field(default_factory=lambda: THREE)
    pinned: tuple[str, ...] = ()
    ibkr: Mapping[str, Any] = field(default_factory=dict)
    redis: Mapping[str, Any] = field(default_factory=dict)
    gateway: tuple[str, ...] = ()
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()


class DepthRig:
    def __init__(self, home: Path, redis_url: str, plan: DepthPlan) -> None:
        self.home = home
        self.redis_url = redis_url
        self.symbols = list(plan.venues)
        self.keys = DepthKeys(redis_url)
        self.gateway = GatewayProcess(*plan.gateway)
        home.mkdir(parents=True, exist_ok=True)
        write_universe(home, plan.venues, plan.pinned)
        settings = {**QUICK, "redis": plan.redis, "ibkr": {**QUICK["ibkr"], **plan.ibkr}}
        write_settings(home, settings)
        self.worker = WorkerProcess(home, self.environment())
        for command, fields in plan.before:
            self.gateway.call(command, **fields)

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "REDIS_URL": self.redis_url,
            "IBKR_HOST": "127.0.0.1",
            "IBKR_PORT": str(self.gateway.port),
            "TICKVISOR_SOURCE": "sim",
            "TICKVISOR_CONFIG": str(self.home / "ingestion.yaml"),
            "SYMBOL_CONFIG_PATH": str(self.home / "ibkr_symbols.yaml"),
            **changes,
        }

    def second_worker(self, **changes: str) -> WorkerProcess:
        """Another instance with the same settings, not started, its log apart."""
        home = self.home / "second"
        home.mkdir(exist_ok=True)
        return WorkerProcess(home, self.environment(**changes))

    def wait_until(self, condition: Callable[[], Result], timeout_s: float, what: str) -> Result:
        return self.worker.wait_until(condition, timeout_s, what)

    def wait_fresh(self, timeout_s: float, symbols: Iterable[str] = ()) -> None:
        """Rows that came after this call, for all symbols (or those named)."""
        since_ms = now_ms()
        wanted = list(symbols) or self.symbols
        self.wait_until(
            lambda: self.keys.fresh(wanted, since_ms), timeout_s, f"fresh depth of {wanted}"
        )

    def close(self) -> None:
        try:
            self.worker.close()
        finally:
            self.gateway.stop()
            self.keys.redis.close()


@contextmanager
def running_depth(home: Path, redis_url: str, plan: DepthPlan) -> Iterator[DepthRig]:
    """Everything runs and every symbol that has a slot is about to have data."""
    rig = DepthRig(home, redis_url, plan)
    try:
        rig.worker.start()
        yield rig
    finally:
        rig.close()
