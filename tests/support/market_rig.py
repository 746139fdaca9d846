"""A gateway simulator, a trades worker (and a depth worker where asked for), and a Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.support.depth_rig import QUICK as QUICK_DEPTH
from tests.support.gateway_process import GatewayProcess
from tests.support.market_keys import MarketKeys
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

Result = TypeVar("Result")

THREE: Final = {"SPY": ("ARCA",), "QQQ": ("ISLAND",), "TSLA": ("ISLAND",)}
# As shipped but for the waits.
QUICK: Final[Mapping[str, Any]] = {
    **QUICK_DEPTH["ibkr"],
    "tick_symbol_wait_s": 0.0,
    "tick_retry_s": 3.0,
    "line_retry_s": 3.0,
    "line_stale_s": 3.0,
    "candle_grace_s": 0.5,
}


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """What a test runs: universe, changed settings, flags of the simulator, the workers.

    `before` are commands to the simulator, carried out before the workers start.
    """

    venues: Mapping[str, Iterable[str]] = field(default_factory=lambda: THREE)
    pinned: tuple[str, ...] = ()
    ibkr: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    gateway: tuple[str, ...] = ("--trade-rate", "20", "--sample-ms", "50")
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    depth: bool = False


class MarketRig:
    def __init__(self, home: Path, redis_url: str, plan: MarketPlan) -> None:
        self.home = home
        self.redis_url = redis_url
        self.symbols = list(plan.venues)
        self.keys = MarketKeys(redis_url)
        self.gateway = GatewayProcess(*plan.gateway)
        home.mkdir(parents=True, exist_ok=True)
        write_universe(home, plan.venues, plan.pinned)
        workers = ["ibkr_trades", *(["ibkr_depth"] if plan.depth else [])]
        settings = {
            **QUICK_DEPTH,
            "supervision": {"enabled_workers": workers},
            **plan.settings,
            "ibkr": {**QUICK, **plan.ibkr},
        }
        write_settings(home, settings)
        self.worker = WorkerProcess(home, self.environment(), "ibkr_trades")
        self.depth = WorkerProcess(home, self.environment(), "ibkr_depth") if plan.depth else None
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

    def start(self) -> None:
        self.worker.start()
        if self.depth is not None:
            self.depth.start()

    def wait_until(self, condition: Callable[[], Result], timeout_s: float, what: str) -> Result:
        return self.worker.wait_until(condition, timeout_s, what)

    def wait_trades(self, timeout_s: float, more: int = 1, symbols: Iterable[str] = ()) -> None:
        """So many more trades of all symbols (or those named) than now."""
        wanted = {s: self.keys.traded(s) + more for s in (list(symbols) or self.symbols)}
        self.wait_until(
            lambda: all(self.keys.traded(s) >= seq for s, seq in wanted.items()),
            timeout_s, f"trades up to {wanted}",
        )  # fmt: skip

    def wait_streams(self, timeout_s: float, count: int) -> None:
        self.wait_until(
            lambda: self.streams()["open"].get("ticks", 0) == count, timeout_s, f"{count} streams"
        )

    def streams(self) -> dict[str, Any]:
        """What the simulator says of lines, ticks, bars and history."""
        found: dict[str, Any] = self.gateway.stats()["streams"]
        return found

    def tape(self, symbol: str, since: int = 0) -> list[dict[str, Any]]:
        """The simulator's own prints, numbered from 1; it should stand still."""
        tape = self.gateway.call("tape", symbol=symbol, since=since)
        rows = [dict(zip(tape["columns"], row, strict=True)) for row in tape["prints"]]
        return [row for row in rows if row["number"] > 0]

    def true_bars(self, symbol: str, last: int = 1000) -> dict[int, dict[str, Any]]:
        """The simulator's own closed bars, by start."""
        found = self.gateway.call("bars", symbol=symbol, last=last)
        return {int(row["t"]): row for row in found["bars"]}

    def close(self) -> None:
        try:
            for worker in (self.worker, self.depth):
                if worker is not None:
                    worker.close()
        finally:
            self.gateway.stop()
            self.keys.redis.close()


@contextmanager
def running_market(home: Path, redis_url: str, plan: MarketPlan) -> Iterator[MarketRig]:
    rig = MarketRig(home, redis_url, plan)
    try:
        rig.start()
        yield rig
    finally:
        rig.close()
