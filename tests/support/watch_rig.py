"""Feed workers, the watchdog over them, and what they are fed by."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from tests.support.gateway_process import GatewayProcess
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer
from tests.support.stale_reader import Row, StaleReader, now_ms
from tests.support.vendor_process import VendorProcess
from tests.support.vendor_rig import INDICATORS
from tests.support.watch_plan import (
    GATEWAY,
    GATEWAY_FLAGS,
    NO_NEWS,
    SOON_MS,
    TICK_S,
    VENDOR,
    WATCHDOG,
    WatchPlan,
    budget_of,
    settings_of,
)
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

Result = TypeVar("Result")

# Each is up to eight processes, on two cores.
AT_ONCE: Final = 3
BEGIN_S: Final = 60.0
# So many looks teach the watchdog the rhythm of every symbol.
LEARNING_TICKS: Final = 40
KEY: Final = "TELLTALE7KEY0OF4WATCH"


class WatchRig:
    def __init__(self, home: Path, redis_url: str, plan: WatchPlan) -> None:
        self.home = home
        self.redis_url = redis_url
        self.plan = plan
        self.symbols = list(plan.venues)
        self.keys = MarketKeys(redis_url)
        self.reader = StaleReader(redis_url)
        self._started: list[WorkerProcess] = []
        self._open = ExitStack()
        self._open.callback(self.keys.redis.close)
        home.mkdir(parents=True, exist_ok=True)
        write_universe(home, plan.venues)
        write_settings(home, settings_of(plan))
        ought = {*plan.workers, *plan.enabled}
        self.sources: dict[str, str] = {"REDIS_URL": redis_url}
        if ought & set(GATEWAY):
            self.gateway = GatewayProcess(*GATEWAY_FLAGS)
            self._open.callback(self.gateway.stop)
            self.sources |= {"IBKR_HOST": "127.0.0.1", "IBKR_PORT": str(self.gateway.port)}
        if ought & set(VENDOR):
            self.vendor = VendorProcess("--plan", "1200", "--contracts", "60")
            self._open.callback(self.vendor.stop)
            self.sources |= {"ALPHA_VANTAGE_BASE_URL": f"{self.vendor.base_url}/query"}
        names = (*plan.workers, WATCHDOG)
        self.workers = {name: WorkerProcess(home, self._environment(), name) for name in names}

    @property
    def watchdog(self) -> WorkerProcess:
        return self.workers[WATCHDOG]

    def _environment(self) -> dict[str, str]:
        return {
            **self.sources,
            "TICKVISOR_SOURCE": self.plan.source,
            "ALPHA_VANTAGE_API_KEY": KEY,
            "TICKVISOR_CONFIG": str(self.home / "ingestion.yaml"),
            "SYMBOL_CONFIG_PATH": str(self.home / "ibkr_symbols.yaml"),
        }

    def beside(self, name: str) -> WorkerProcess:
        """One more process, started; it is closed with the others."""
        process = WorkerProcess(self.home, self._environment(), name).start()
        self._started.append(process)
        return process

    def start(self) -> None:
        self.reader.start()
        for worker in self.workers.values():
            self._started.append(worker.start())

    def close(self) -> None:
        with self._open:
            for worker in self._started:
                # One that a test left paused cannot end.
                if worker.exit_code is None:
                    worker.resume()
                worker.close()
            self.reader.stop()

    def wait_until(self, condition: Callable[[], Result], timeout_s: float, what: str) -> Result:
        return self.watchdog.wait_until(condition, timeout_s, what)

    # What is there

    def incidents(self, since_ms: int, *kinds: str) -> list[dict[str, str]]:
        found = [fields for _, fields in self.keys.stream("monitoring:incidents")]
        return [f for f in found if int(f["ts"]) >= since_ms and f["kind"] in kinds]

    def actions(self, since_ms: int) -> list[str]:
        return [one["text"] for one in self.incidents(since_ms, "action")]

    def beat(self, worker: str) -> Row:
        return dict(self.keys.json(f"heartbeat:{worker}") or {})

    def figures(self) -> Row:
        """The watchdog's own."""
        return dict(json.loads(self.keys.hash("monitoring:watchdog:metrics")[WATCHDOG]))

    def has_data(self) -> bool:
        """Everything that the started workers publish is there."""
        keys, started = self.keys, self.plan.workers
        wanted: list[str] = []
        for symbol in self.symbols:
            if "ibkr_depth" in started:
                wanted.append(f"raw:ibkr:depth:hb:{symbol}")
            if "ibkr_trades" in started:
                wanted += [f"market:{symbol}:{name}" for name in ("last", "trades", "bars:5s")]
            if "av_options" in started:
                wanted.append(f"options:{symbol}:chain")
            if "av_sentiment" in started:
                wanted += [f"technicals:{symbol}:{one}" for one in INDICATORS]
                wanted += [f"sentiment:{symbol}"] if symbol != NO_NEWS else []
        return bool(keys.redis.exists(*wanted) == len(wanted))

    # What the tests wait for

    def begin(self) -> int:
        """All is published, fresh, and its rhythm known; returns the time of this."""
        self.wait_until(self.has_data, BEGIN_S, "all data")
        self.wait_until(
            lambda: WATCHDOG in self.keys.hash("monitoring:watchdog:metrics"), 15, "its figures"
        )
        ticks = self.figures()["ticks"] + LEARNING_TICKS
        self.wait_until(lambda: self.figures()["ticks"] >= ticks, BEGIN_S, "a rhythm learned")
        self.wait_fresh(20)
        return now_ms()

    def wait_fresh(self, timeout_s: float) -> int:
        """Nothing is stale for four ticks; returns the time of this."""
        deadline_s = time.monotonic() + timeout_s

        def quiet() -> bool:
            since_ms = now_ms() - round(4 * TICK_S * 1000)
            checked = [one for one in self.reader.checked if one > since_ms]
            return len(checked) >= 3 and not self.reader.listed(since_ms)

        while not quiet():
            assert time.monotonic() < deadline_s, f"still stale: {self.reader.now()}"
            time.sleep(0.05)
        return now_ms()

    def wait_stale(self, names: Iterable[str], timeout_s: float) -> None:
        """All of these are stale at once."""
        wanted = set(names)
        self.wait_until(
            lambda: wanted <= self.reader.now().keys(), timeout_s, f"{sorted(wanted)} stale"
        )

    def wait_listed(self, names: Iterable[str], since_ms: int, timeout_s: float) -> None:
        """Each of these has been stale since then."""
        wanted = set(names)
        self.wait_until(
            lambda: wanted <= self.reader.listed(since_ms), timeout_s, f"{sorted(wanted)} listed"
        )

    def observe(self, seconds: float) -> None:
        """To see what does not happen; the watchdog lives on."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            assert self.watchdog.exit_code is None, self.watchdog.log_tail()
            time.sleep(0.2)

    # What must hold

    def found_in_time(self, name: str, since_ms: int) -> float:
        """It was listed within its own budget and two ticks; returns the seconds it took.

        The budget is that of the settings, or longer by the symbol's own rhythm.
        """
        at_ms, row = self.reader.first(name, since_ms)
        least_s = budget_of(name, self.plan.late_s)
        assert least_s <= row["budget_s"] <= 3 * least_s, (name, row)
        assert row["age_s"] > row["budget_s"], (name, row)
        assert at_ms - row["since_ts"] <= SOON_MS, (name, at_ms - row["since_ts"], row)
        return (at_ms - since_ms) / 1000

    def told_in_order(self, since_ms: int) -> dict[str, list[str]]:
        """Kinds told of each `surface:symbol`, where a line tells of one: stale, fresh, ..."""
        told: dict[str, list[str]] = {}
        for one in self.incidents(since_ms, "stale", "fresh"):
            if one["symbol"]:
                name = f"{one['text'].partition(' ')[0]}:{one['symbol']}"
                told.setdefault(name, []).append(one["kind"])
        return told


# Scenarios that mostly wait, side by side

Body = Callable[[WatchRig, RedisServer], None]
Table = dict[str, tuple[Body, WatchPlan]]


def watch_scenario(table: Table, plan: WatchPlan | None = None) -> Callable[[Body], Body]:
    """Enter a function into the table of its module's scenarios."""

    def enter(body: Body) -> Body:
        table[body.__name__] = (body, plan or WatchPlan())
        return body

    return enter


@contextmanager
def watches_side_by_side(
    home: Path, table: Table, wanted: set[str]
) -> Iterator[dict[str, Future[None]]]:
    """The outcomes of the wanted scenarios; a failure is raised by its `result()`."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        yield {
            name: pool.submit(_play, home / name[:60], body, plan)
            for name, (body, plan) in table.items()
            if name in wanted
        }


@contextmanager
def running_watch(home: Path, plan: WatchPlan) -> Iterator[tuple[WatchRig, RedisServer]]:
    server = RedisServer(home / "redis", appendonly=plan.durable).start()
    try:
        rig = WatchRig(home, server.url, plan)
        try:
            rig.start()
            yield rig, server
            assert rig.reader.broken == []
        finally:
            rig.close()
    finally:
        server.stop()


def _play(home: Path, body: Body, plan: WatchPlan) -> None:
    with running_watch(home, plan) as (rig, server):
        body(rig, server)
