"""Vendor workers on the recorded answers; feeds side by side on one simulator and one Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from simulators.control import ControlClient
from tests.support.redis_server import RedisServer
from tests.support.vendor_keys import Row, VendorKeys
from tests.support.vendor_process import RECORDINGS, VendorProcess
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

# It stands in two of the recorded refusals, as their caller's key.
KEY: Final = "XXXXXXXXXXXXXXXX"
Result = TypeVar("Result")
QUICK: Final[Mapping[str, Any]] = {
    "calls_per_min": 1200,
    "options_function": "HISTORICAL_OPTIONS",
    "options_interval_s": 0.5,
    "sentiment_interval_s": 0.5,
    "technicals_interval_s": 0.5,
    "sentiment_skip": [],
    "entitlement": "delayed",
    "max_attempts": 2,
}
WAIT_S: Final = 60.0


@dataclass
class Feed:
    """Workers of one set of settings on a database of their own."""

    home: Path
    url: str
    vendor: VendorProcess
    symbols: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ("av_options", "av_sentiment")

    def start(self) -> Feed:
        self.home.mkdir(parents=True)
        self.keys = VendorKeys(self.url)
        # One of its own: feeds that run side by side must not mix up their answers.
        self.control = ControlClient(self.vendor.control_port)
        write_universe(self.home, dict.fromkeys(self.symbols, ("ISLAND",)))
        modules = {"heartbeat_interval_s": 0.5, "metrics_interval_s": 0.5}
        changes = {
            "modules": {"data_ingestion": modules},
            "supervision": {"enabled_workers": list(self.names)},
            "alpha_vantage": {**QUICK, **self.settings},
        }
        path = write_settings(self.home, changes)
        environment = {
            "REDIS_URL": self.url,
            "TICKVISOR_SOURCE": "sim",
            "TICKVISOR_CONFIG": str(path),
            "SYMBOL_CONFIG_PATH": str(self.home / "ibkr_symbols.yaml"),
            "ALPHA_VANTAGE_BASE_URL": f"{self.vendor.base_url}/query",
            "ALPHA_VANTAGE_API_KEY": KEY,
        }
        self.workers = [WorkerProcess(self.home, environment, name) for name in self.names]
        for worker in self.workers:
            worker.start()
        return self

    def wait(self, condition: Callable[[], Result], what: str) -> Result:
        return self.workers[0].wait_until(condition, WAIT_S, what)

    def figures(self) -> Row:
        return self.keys.figures(self.names[0])

    def requests(self, symbol: str) -> list[Row]:
        """Every request that arrived at the vendor, oldest first."""
        reply = self.control.call("requests", since=0, symbol=symbol)
        return [dict(zip(reply["columns"], row, strict=True)) for row in reply["rows"]]

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.control.close()
        self.keys.redis.close()


@dataclass
class Ground:
    """One simulator and one Redis for all feeds."""

    home: Path
    vendor: VendorProcess
    server: RedisServer
    feeds: int = 0

    @contextmanager
    def feed(self, symbols: tuple[str, ...], **changes: Any) -> Iterator[Feed]:
        self.feeds += 1
        home = self.home / f"feed{self.feeds}"
        url = f"redis://127.0.0.1:{self.server.port}/{self.feeds}"
        feed = Feed(home, url, self.vendor, symbols, **changes)
        try:
            yield feed.start()
            assert feed.keys.holding(KEY) == []
            assert all(KEY not in worker.log_text() for worker in feed.workers)
        finally:
            feed.close()


@contextmanager
def sample_ground(home: Path) -> Iterator[Ground]:
    with ExitStack() as running:
        server = RedisServer(home / "redis", options=("--databases", "64")).start()
        running.callback(server.stop)
        vendor = VendorProcess("--no-limits", "--samples", str(RECORDINGS))
        running.callback(vendor.stop)
        yield Ground(home, vendor, server)
