"""Writers of trades and bars with their sinks on a real Redis, fed by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar

import pytest

from shared.market.bar import Bar, Candle
from shared.market.trade import Trade, TradeFeed
from shared.store.bars import BarItem, BarsWriter
from shared.store.keys import Keys
from shared.store.losses import GapEntry
from shared.store.resp import RespConnection
from shared.store.sink import Sink, SinkBounds
from shared.store.trades import TradeItem, TradesWriter
from tests.store.feeding import SHIPPED, until
from tests.store.relay import Fate, Relay
from tests.support.market_keys import MarketKeys

WORKER: Final = "ibkr_trades"
SYMBOLS: Final = ("SPY", "QQQ", "TSLA")
# Start of a minute, Unix seconds.
T0: Final = 1_790_000_040


class TapeFeeding:
    def __init__(self, url: str, bounds: SinkBounds = SHIPPED) -> None:
        self.writer = TradesWriter(WORKER, Keys(), SYMBOLS, (86400, 60))
        self.sink: Sink[TradeItem] = Sink(RespConnection(url, 2.0, "test"), self.writer, bounds)
        self.writer.sink = self.sink
        self.given = 0

    def put(self, count: int = 1, symbols: Sequence[str] = SYMBOLS, **changes: Any) -> None:
        """`count` prints of each symbol, received now; the price tells them apart."""
        now_s, now_ms = asyncio.get_running_loop().time(), time.time_ns() // 1_000_000
        for _ in range(count):
            for symbol in symbols:
                self.given += 1
                price = 100 + self.given / 100
                feed = TradeFeed.TICK_BY_TICK
                fields = {"conditions": "", "past_limit": False, "unreported": False, **changes}
                made = Trade(symbol, price, 100.0, "ARCA", now_ms, now_ms, feed, **fields)
                self.writer.put(made, now_s)

    def fetched(self, symbol: str) -> None:
        """A print of an hour ago that history told."""
        self.given += 1
        now_ms = time.time_ns() // 1_000_000
        made = Trade(symbol, 1.0, 100.0, "ARCA", now_ms - 3_600_000, now_ms, TradeFeed.HISTORY)
        self.writer.put(made, asyncio.get_running_loop().time())


class BarsFeeding:
    def __init__(self, url: str, bounds: SinkBounds = SHIPPED) -> None:
        self.writer = BarsWriter(WORKER, Keys(), SYMBOLS, (86400, 432000))
        self.sink: Sink[BarItem] = Sink(RespConnection(url, 2.0, "test"), self.writer, bounds)
        self.writer.sink = self.sink
        self.given = 0
        self._bars = dict.fromkeys(SYMBOLS, 0)

    def put(self, count: int = 1, symbols: Sequence[str] = SYMBOLS) -> None:
        """The next `count` bars of each symbol, and a candle behind the twelfth of a minute."""
        for _ in range(count):
            for symbol in symbols:
                number = self._bars[symbol]
                self.bar(symbol, T0 + 5 * number, number)
                if number % 12 == 11:
                    self.candle(symbol, T0 + 5 * (number - 11), number)
                self._bars[symbol] += 1

    def bar(self, symbol: str, t: int, close: float) -> None:
        self.given += 1
        made = Bar(t, 1.0, 1.0, 1.0, close, 1.0, None, 1)
        self.writer.bar(symbol, made, asyncio.get_running_loop().time())

    def candle(self, symbol: str, t: int, close: float) -> None:
        self.given += 1
        made = Candle(t, 1.0, 1.0, 1.0, close, 1.0, None, 1, 12, True, False)
        self.writer.candle(symbol, made, asyncio.get_running_loop().time())


Feeding = TapeFeeding | BarsFeeding
FeedingT = TypeVar("FeedingT", TapeFeeding, BarsFeeding)


@asynccontextmanager
async def running(feed: FeedingT) -> AsyncIterator[FeedingT]:
    """The sink runs until the block ends, and then drains."""
    await asyncio.wait_for(feed.sink.open(asyncio.Event()), 10)
    writing = asyncio.ensure_future(feed.sink.run())
    try:
        yield feed
    finally:
        feed.sink.stop()
        await asyncio.wait({writing}, timeout=2)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert writing.cancelled() or writing.exception() is None


async def settle(feed: Feeding, timeout_s: float = 10.0) -> None:
    """Every item is either written or lost, and nothing else waits to be said."""

    def settled() -> bool:
        said = feed.sink.metrics()
        done = said["writes"] + said["dropped"] == feed.given and said["queue_bytes"] == 0
        return bool(done and feed.sink.available and not feed.writer.pending())

    await until(settled, timeout_s, lambda: f"{feed.given}: {feed.sink.metrics()}")


async def put_for(feed: Feeding, duration_s: float, count: int = 5) -> None:
    """A steady stream, a few of each symbol every 2 ms."""
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        feed.put(count)
        await asyncio.sleep(0.002)


def kill_connections(keys: MarketKeys) -> int:
    """Makes every sink connect and compare again; returns how many connections were cut."""
    killed: Any = keys.redis.execute_command("CLIENT", "KILL", "TYPE", "normal")  # type: ignore[no-untyped-call]
    return int(killed)


async def kill_while(putting: asyncio.Future[None], keys: MarketKeys, cuts: int) -> None:
    """Cuts the connections every 30 ms until so many were cut, then ends `putting`."""
    kills = 0
    while kills < cuts:
        assert not putting.done(), f"{kills} cuts of {cuts} in time"
        kills += kill_connections(keys)
        await asyncio.sleep(0.03)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)


async def reconnected(feed: Feeding, keys: MarketKeys) -> None:
    """The sink has compared with what Redis has now: one more item of each symbol is through."""
    kill_connections(keys)
    feed.put(1)
    await settle(feed)


async def forget_ring(feed: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was confirmed so far is too old to be sent again; costs one item of TSLA."""
    with monkeypatch.context() as patch:
        patch.setattr("shared.store.backlog.RING_S", -1.0)
        feed.put(1, ["TSLA"])
        await settle(feed)


class Countdown:
    """Cuts the link at the n-th command of the next flush."""

    def __init__(self, relay: Relay) -> None:
        relay.judge = self.judge
        self._fate, self._left, self._flushing = Fate.CARRY, 0, False

    def arm(self, fate: Fate, place: int) -> None:
        self._fate, self._left, self._flushing = fate, place, False

    async def judge(self, command: list[bytes]) -> Fate:
        self._flushing = self._flushing or command[0] == b"EVALSHA"
        if not self._flushing or not self._left:
            return Fate.CARRY
        self._left -= 1
        return Fate.CARRY if self._left else self._fate


@contextmanager
def market_keys(url: str) -> Iterator[MarketKeys]:
    keys = MarketKeys(url)
    try:
        yield keys
    finally:
        keys.redis.close()


def lost_numbers(losses: Sequence[GapEntry], symbol: str) -> list[int]:
    """Every number lost, as often as it is entered."""
    found: list[int] = []
    for gap in losses:
        if gap.symbol == symbol and gap.from_seq is not None and gap.to_seq is not None:
            found += range(gap.from_seq, gap.to_seq + 1)
    return sorted(found)


def numbers(keys: MarketKeys) -> dict[str, str]:
    return keys.hash("coord:seq:ibkr_trades")
