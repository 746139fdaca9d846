"""A depth writer and its sink on a real Redis, fed by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from shared.market.depth import BookState, DepthUpdate
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.keys import Keys
from shared.store.resp import RespConnection, pack
from shared.store.sink import Sink, SinkBounds
from tests.support.depth_keys import Gap
from tests.unit.store.updates import ASKS, BIDS

SYMBOLS: Final = ("SPY", "QQQ")
SHIPPED: Final = SinkBounds(50_000, 134_217_728, 200)


class Feeding:
    def __init__(self, url: str, bounds: SinkBounds = SHIPPED) -> None:
        self.writer = DepthWriter(Keys(), SYMBOLS, 1_000_000, DepthTtls())
        self.sink = Sink(RespConnection(url, 2.0, "test"), self.writer, bounds)
        self.writer.sink = self.sink
        self.stop = asyncio.Event()
        self.given = 0

    def put(self, count: int = 1, symbols: Sequence[str] = SYMBOLS) -> None:
        """`count` updates of each symbol."""
        now_s, ts_ms = asyncio.get_running_loop().time(), time.time_ns() // 1_000_000
        for _ in range(count):
            for symbol in symbols:
                self.given += 1
                self.writer.put(
                    DepthUpdate(symbol, "ARCA", ts_ms, now_s, BIDS, ASKS, BookState.LIVE)
                )

    def claim(self) -> None:
        """Depth owns the quotes, for five seconds."""
        self.writer.quoting({symbol: ["ARCA"] for symbol in SYMBOLS})

    async def put_for(self, duration_s: float, count: int = 5) -> None:
        """A steady stream of updates, a few every 2 ms."""
        until = time.monotonic() + duration_s
        while time.monotonic() < until:
            self.put(count)
            await asyncio.sleep(0.002)

    def settled(self) -> bool:
        """Every update is either written or lost, and nothing else waits to be said."""
        said = self.sink.metrics()
        done = said["writes"] + said["dropped"] == self.given and said["queue_bytes"] == 0
        return bool(done and self.sink.available and not self.writer.pending())

    async def settle(self, timeout_s: float = 10.0) -> None:
        await until(self.settled, timeout_s, lambda: f"{self.given}: {self.sink.metrics()}")

    def losses(self) -> list[Gap]:
        """The gap entries that a worker would write, for ever forgotten here."""
        return [
            Gap(e.symbol, e.venue, e.from_seq, e.to_seq, e.from_ts, e.to_ts, e.reason, e.count)
            for e in self.sink.losses.drain()
        ]


@asynccontextmanager
async def feeding(url: str, bounds: SinkBounds = SHIPPED) -> AsyncIterator[Feeding]:
    """The sink runs until the block ends, and then drains."""
    feed = Feeding(url, bounds)
    await asyncio.wait_for(feed.sink.open(feed.stop), 10)
    writing = asyncio.ensure_future(feed.sink.run())
    try:
        yield feed
    finally:
        feed.sink.stop()
        await asyncio.wait({writing}, timeout=2)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert writing.cancelled() or writing.exception() is None


async def ping(url: str) -> None:
    connection = RespConnection(url, 2.0, "test")
    await connection.connect()
    assert await connection.send(pack(b"PING"), 1) == [b"PONG"]
    connection.close()


async def feed_some(url: str) -> None:
    async with feeding(url) as feed:
        feed.put(20)
        await feed.settle()
        assert feed.losses() == []


async def until(
    condition: Callable[[], Any], timeout_s: float, what: Callable[[], str] = lambda: "condition"
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what()}")
        await asyncio.sleep(0.005)


def lost_numbers(losses: Sequence[Gap], symbol: str) -> list[int]:
    """Every number lost, as often as it is entered."""
    return sorted(n for gap in losses if gap.symbol == symbol for n in gap.numbers())
