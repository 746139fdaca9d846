"""A vendor simulator, both Alpha Vantage workers, a Redis and a watcher; scenarios side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, quote_plus

from tests.support.redis_server import RedisServer
from tests.support.vendor_keys import Row, VendorKeys, Watcher
from tests.support.vendor_process import VendorProcess
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

Result = TypeVar("Result")

# Each is two workers, a simulator and a Redis, on two cores.
AT_ONCE: Final = 3
# Three interpreters start, on a machine that has other things to do.
BEGIN_S: Final = 60.0
KEY: Final = "TELLTALE7KEY0OF4TESTS"
SYMBOLS: Final = ("AAPL", "TSLA", "QQQ", "SPY")
OPTIONS: Final = "REALTIME_OPTIONS"
NEWS: Final = "NEWS_SENTIMENT"
INDICATORS: Final = ("RSI", "ATR")
BOTH: Final = ("av_options", "av_sentiment")
# As shipped but for the waits.
QUICK: Final[Mapping[str, Any]] = {
    "calls_per_min": 1200,
    "connect_timeout_s": 1.0,
    "read_timeout_s": 1.5,
    "request_timeout_s": 2.0,
    "options_interval_s": 1.0,
    "sentiment_interval_s": 3.0,
    "technicals_interval_s": 2.0,
    "failure_backoff_s": 2.0,
    "failure_backoff_max_s": 8.0,
    "entitlement_retry_s": 3.0,
    "sentiment_skip": ["SPY"],
    "indicators": list(INDICATORS),
}


@dataclass(frozen=True, slots=True)
class VendorPlan:
    """`settings` are of the section alpha_vantage; without `durable` a stopped Redis forgets."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    ttls: Mapping[str, int] = field(default_factory=dict)
    vendor: tuple[str, ...] = ("--contracts", "240")
    workers: tuple[str, ...] = BOTH
    durable: bool = True
    key: str = KEY


class VendorRig:
    def __init__(self, home: Path, redis_url: str, plan: VendorPlan) -> None:
        self.home = home
        self.redis_url = redis_url
        self.symbols = SYMBOLS
        self._key = plan.key
        self.keys = VendorKeys(redis_url)
        self.vendor = VendorProcess("--plan", "1200", *plan.vendor)
        home.mkdir(parents=True, exist_ok=True)
        write_universe(home, dict.fromkeys(SYMBOLS, ("ISLAND",)))
        modules = {"heartbeat_interval_s": 0.5, "metrics_interval_s": 0.5, "ttls": plan.ttls}
        settings = {
            "modules": {"data_ingestion": modules},
            "supervision": {"enabled_workers": list(plan.workers)},
            "alpha_vantage": {**QUICK, **plan.settings},
        }
        write_settings(home, settings)
        self.workers = {n: WorkerProcess(home, self.environment(), n) for n in plan.workers}
        function = plan.settings.get("options_function", OPTIONS)
        self.watch = Watcher(redis_url, self.vendor.control_port, SYMBOLS, function)

    @property
    def options(self) -> WorkerProcess:
        return self.workers["av_options"]

    @property
    def sentiment(self) -> WorkerProcess:
        return self.workers["av_sentiment"]

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "REDIS_URL": self.redis_url,
            "TICKVISOR_SOURCE": "sim",
            "ALPHA_VANTAGE_BASE_URL": f"{self.vendor.base_url}/query",
            "ALPHA_VANTAGE_API_KEY": self._key,
            "TICKVISOR_CONFIG": str(self.home / "ingestion.yaml"),
            "SYMBOL_CONFIG_PATH": str(self.home / "ibkr_symbols.yaml"),
            **changes,
        }

    def another(self, name: str, **changes: str) -> WorkerProcess:
        """A further instance with the same settings, not started, its log apart."""
        home = self.home / "another"
        home.mkdir(exist_ok=True)
        return WorkerProcess(home, self.environment(**changes), name)

    def start(self) -> None:
        self.watch.start()
        for worker in self.workers.values():
            worker.start()

    def wait_until(self, condition: Callable[[], Result], timeout_s: float, what: str) -> Result:
        first = next(iter(self.workers.values()))
        return first.wait_until(condition, timeout_s, what, alive=False)

    def wait_chains(self, timeout_s: float, symbols: Iterable[str] = (), since_ms: int = 0) -> None:
        """Chains that came after `since_ms` (0: now), of all symbols or those named."""
        since_ms = since_ms or now_ms()
        wanted = list(symbols) or list(self.symbols)
        self.wait_until(
            lambda: all(self.keys.fetched(symbol) > since_ms for symbol in wanted),
            timeout_s, f"chains of {wanted} after {since_ms}",
        )  # fmt: skip

    def wait_documents(self, timeout_s: float, since_ms: int = 0) -> None:
        """News and indicators that came after `since_ms` (0: now)."""
        since_ms = since_ms or now_ms()

        def fresh() -> bool:
            found = [self.keys.news(s) for s in self.symbols if s != "SPY"]
            found += [self.keys.technicals(s, n) for s in self.symbols for n in INDICATORS]
            return all(one.get("fetched_ts", 0) > since_ms for one in found)

        self.wait_until(fresh, timeout_s, f"news and indicators after {since_ms}")

    def begin(self) -> None:
        """Everything has been published and told once."""
        told: list[Callable[[], object]] = []
        if "av_options" in self.workers:
            self.wait_chains(BEGIN_S, since_ms=1)
            told += [lambda: all(self.keys.monitor(s).get("fetched_ts") for s in self.symbols)]
        if "av_sentiment" in self.workers:
            self.wait_documents(BEGIN_S, since_ms=1)
            news = [symbol for symbol in self.symbols if symbol != "SPY"]
            told += [lambda: all(self.keys.news_monitor(s).get("status") for s in news)]
        told += [lambda: all(self.keys.figures(name) for name in self.workers)]
        self.wait_until(lambda: all(one() for one in told), BEGIN_S, "monitors and metrics")

    def asked(self) -> int:
        """The number of the newest request: where to count on from."""
        return int(self.vendor.call("requests", since=0, limit=1, symbol="-")["last"])

    def arrivals(self, since: int, function: str = "", symbol: str = "") -> list[Row]:
        return self.vendor.requests(function or None, symbol or None, since)

    def clients(self, rows: Iterable[Row], worker: str) -> list[Row]:
        return [row for row in rows if row["client"].endswith(worker)]

    def close(self) -> None:
        try:
            for worker in self.workers.values():
                worker.close()
        finally:
            self.watch.stop()
            self.vendor.stop()
            self.keys.redis.close()

    def check(self) -> None:
        """What holds at the end of every scenario."""
        self.watch.check()
        assert "av_options" not in self.workers or self.watch.judged >= len(self.symbols)
        assert self.watch.missed <= self.watch.judged / 4
        lines = {
            name: Path(f"/proc/{worker.pid}/cmdline").read_text()
            for name, worker in self.workers.items()
            if worker.exit_code is None
        }
        assert all(name in line for name, line in lines.items())
        logs = [log.read_text(errors="replace") for log in self.home.rglob("*.log")]
        for secret in {self._key, quote(self._key, safe=""), quote_plus(self._key)}:
            assert self.keys.holding(secret) == []
            assert not any(secret in text for text in (*logs, *lines.values()))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def mean_gap_s(rows: Iterable[Row], function: str, symbols: Iterable[str]) -> float:
    """Between requests of one symbol, over all of the symbols."""
    spans_s, gaps = 0.0, 0
    wanted = list(rows)
    for symbol in symbols:
        times_s = [
            r["mono_s"] for r in wanted if (r["function"], r["symbol"]) == (function, symbol)
        ]
        assert len(times_s) > 1, f"{symbol} was asked for {len(times_s)} times"
        spans_s += times_s[-1] - times_s[0]
        gaps += len(times_s) - 1
    return spans_s / gaps


def steady_pace(
    rig: VendorRig, usual_s: float, function: str, symbols: Iterable[str], since: int
) -> float:
    """The pace of these symbols since then as a share of the usual one.

    A busy machine may slow a span down; what a fault does would slow down each.
    """
    wanted, share = list(symbols), 0.0
    for _ in range(8):
        share = mean_gap_s(rig.arrivals(since), function, wanted) / usual_s
        if 0.8 < share < 1.2:
            break
        since = rig.asked()
        # To be observed: how often something happens.
        time.sleep(6 * usual_s)
    return share


def gaps_s(rows: Iterable[Row]) -> list[float]:
    times_s = [row["mono_s"] for row in rows]
    return [round(b - a, 3) for a, b in zip(times_s, times_s[1:], strict=False)]


# Scenarios that mostly wait

Body = Callable[[VendorRig, RedisServer], None]


@dataclass(frozen=True, slots=True)
class VendorScenario:
    body: Body
    plan: VendorPlan


Table = dict[str, VendorScenario]


def vendor_scenario(table: Table, plan: VendorPlan | None = None) -> Callable[[Body], Body]:
    """Enter a function into the table of its module's scenarios."""

    def enter(body: Body) -> Body:
        table[body.__name__] = VendorScenario(body, plan or VendorPlan())
        return body

    return enter


@contextmanager
def vendors_side_by_side(
    home: Path, table: Mapping[str, VendorScenario], wanted: Iterable[str]
) -> Iterator[dict[str, Future[None]]]:
    """The outcomes of the wanted scenarios; a failure is raised by its `result()`."""
    names = set(wanted)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        yield {
            name: pool.submit(_play, home / name[:60], one)
            for name, one in table.items()
            if name in names
        }


@contextmanager
def running_vendor(home: Path, plan: VendorPlan) -> Iterator[tuple[VendorRig, RedisServer]]:
    server = RedisServer(home / "redis", appendonly=plan.durable).start()
    try:
        rig = VendorRig(home, server.url, plan)
        try:
            rig.start()
            yield rig, server
            rig.check()
        finally:
            rig.close()
    finally:
        server.stop()


def _play(home: Path, one: VendorScenario) -> None:
    with running_vendor(home, one.plan) as (rig, server):
        one.body(rig, server)
