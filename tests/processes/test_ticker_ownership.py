"""One ticker, two workers: who quotes, watched by a reader that polls the hash all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.support.market_keys import MarketKeys
from tests.support.market_rig import THREE, MarketPlan, MarketRig, running_market
from tests.support.redis_server import RedisServer

# The sign of ownership lives five seconds; the quote is offered every second.
HANDOVER_S: Final = 5.0 + 1.5
TTL_S: Final = 6
PLAN: Final = MarketPlan(
    ibkr={"max_concurrent_depth": 1, "rotation_s": 2.0},
    settings={
        "modules": {
            "data_ingestion": {
                "heartbeat_interval_s": 0.5,
                "metrics_interval_s": 0.5,
                "ttls": {"market_data": TTL_S},
            }
        }
    },
    # Quotes change twenty times a second, and nothing trades that could touch them.
    gateway=("--trade-rate", "5", "--quote-rate", "20", "--sample-ms", "50"),
    depth=True,
)


class Look(NamedTuple):
    at_s: float
    symbol: str
    source: str | None


class Reader(threading.Thread):
    """Polls every ticker and keeps who quoted when, and all that must never be seen."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._newest: dict[str, int] = {}
        # Sign of ownership and quote time of each symbol's look before.
        self._before: dict[str, tuple[bool, str | None]] = {}
        self.looks: list[Look] = []
        self.faults: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        with MarketKeys(self._url) as keys:
            while not self.stop.wait(0.005):
                for symbol in THREE:
                    # One instant: the sign and what was quoted under it.
                    with keys.redis.pipeline(transaction=True) as pipe:
                        pipe.exists(f"coord:depth:live:{symbol}")
                        pipe.hgetall(f"market:{symbol}:ticker")
                        owned, ticker = pipe.execute()
                    self._owner(symbol, bool(owned), ticker)
                    self._look(symbol, ticker)

    def _owner(self, symbol: str, owned: bool, ticker: dict[str, str]) -> None:
        """A quote that came under the sign is depth's, one that came without is not."""
        now = (owned, ticker.get("quote_ts"))
        before, self._before[symbol] = self._before.get(symbol, now), now
        if before[0] == owned and before[1] != now[1] and now[1] is not None:
            self._check((ticker["quote_source"] == "depth") == owned, symbol, ticker)

    def _look(self, symbol: str, ticker: dict[str, str]) -> None:
        source = ticker.get("quote_source")
        self.looks.append(Look(time.monotonic(), symbol, source))
        if source is None:
            self._check(not ticker.keys() & {"bid", "ask", "mid"}, symbol, ticker)
            return
        venues = {ticker[side] for side in ("bid_venue", "ask_venue") if side in ticker}
        # Depth names the venue or its market maker; a line is that of all venues.
        foreign = "SMART" in venues if source == "depth" else bool(venues - {"SMART"})
        self._check(not foreign, symbol, ticker)
        quote_ts = int(ticker["quote_ts"])
        self._check(quote_ts >= self._newest.get(symbol, 0), symbol, ticker)
        self._newest[symbol] = max(quote_ts, self._newest.get(symbol, 0))
        self._check(int(ticker["quote_received_ts"]) <= quote_ts, symbol, ticker)
        if "bid" in ticker and "ask" in ticker:
            mid = (float(ticker["bid"]) + float(ticker["ask"])) / 2
            self._check(abs(float(ticker["mid"]) - mid) < 1e-6, symbol, ticker)

    def _check(self, right: bool, symbol: str, ticker: dict[str, str]) -> None:
        if not right and len(self.faults) < 20:
            self.faults.append(f"{symbol}: {ticker}, newest quote_ts {self._newest.get(symbol)}")

    def sources(self, from_s: float, to_s: float = float("inf")) -> set[str | None]:
        return {look.source for look in self.looks if from_s <= look.at_s < to_s}

    def handovers(self, symbol: str) -> int:
        """How often another source than before quoted it."""
        seen = [look.source for look in self.looks if look.symbol == symbol and look.source]
        return sum(one != other for one, other in zip(seen, seen[1:], strict=False))


class Watched(NamedTuple):
    rig: MarketRig
    reader: Reader


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home: Path = tmp_path_factory.mktemp("ownership")
    server = RedisServer(home / "redis").start()
    reader = Reader(server.url)
    try:
        with running_market(home, server.url, PLAN) as rig:
            rig.wait_trades(15, 3)
            reader.start()
            yield Watched(rig, reader)
            reader.stop.set()
            reader.join()
    finally:
        server.stop()


def wait_seen(watched: Watched, condition: Callable[[], Any], timeout_s: float, what: str) -> None:
    watched.rig.wait_until(condition, timeout_s, what)
    assert watched.reader.faults == []


def test_the_ticker_passes_between_depth_and_top_of_book_as_slots_rotate(watched: Watched) -> None:
    reader = watched.reader
    wait_seen(
        watched, lambda: all(reader.handovers(symbol) >= 4 for symbol in THREE), 60, "handovers"
    )
    began_s = time.monotonic()
    time.sleep(3)
    # Somebody quotes every symbol nearly all the time.
    looks = [look.source for look in reader.looks if look.at_s >= began_s]
    assert looks.count(None) / len(looks) < 0.4
    assert set(looks) >= {"depth", "tob"}


def test_a_killed_depth_worker_hands_the_ticker_over_within_its_time(watched: Watched) -> None:
    rig, reader = watched
    assert rig.depth is not None
    rig.wait_until(lambda: "depth" in reader.sources(time.monotonic() - 0.2), 15, "depth quotes")
    killed_s = time.monotonic()
    rig.depth.kill()
    time.sleep(HANDOVER_S + 3)
    assert reader.sources(killed_s + HANDOVER_S) == {"tob"}
    rig.depth.start()
    wait_seen(
        watched, lambda: "depth" in reader.sources(time.monotonic() - 0.2), 20, "depth quotes again"
    )


def test_a_hanging_depth_worker_that_wakes_up_mixes_nothing(watched: Watched) -> None:
    rig, reader = watched
    assert rig.depth is not None
    rig.wait_until(lambda: "depth" in reader.sources(time.monotonic() - 0.2), 15, "depth quotes")
    rig.depth.pause()
    paused_s = time.monotonic()
    time.sleep(HANDOVER_S + 1)
    assert reader.sources(paused_s + HANDOVER_S) == {"tob"}
    rig.depth.resume()
    wait_seen(
        watched, lambda: "depth" in reader.sources(time.monotonic() - 0.2), 20, "depth quotes again"
    )


def test_a_killed_trades_worker_leaves_no_quote_beyond_its_expiry(watched: Watched) -> None:
    rig, reader = watched
    rig.wait_until(lambda: "tob" in reader.sources(time.monotonic() - 0.2), 15, "top of book")
    rig.worker.kill()
    killed_s = time.monotonic()
    time.sleep(TTL_S + 3)
    assert "tob" not in reader.sources(killed_s + TTL_S + 1)
    assert "depth" in reader.sources(killed_s + TTL_S + 1)
    rig.worker.start()
    wait_seen(
        watched, lambda: "tob" in reader.sources(time.monotonic() - 0.2), 20, "top of book again"
    )


def test_a_stopped_trades_worker_takes_its_quotes_with_it(watched: Watched) -> None:
    rig, reader = watched
    rig.worker.terminate()
    assert rig.worker.wait(10) == 0
    stopped_s = time.monotonic()
    time.sleep(1.5)
    assert "tob" not in reader.sources(stopped_s + 0.2)
    assert reader.faults == []
