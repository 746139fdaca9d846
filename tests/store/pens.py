"""Both writers of a ticker, depth and top of book, on one Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from shared.market.depth import BookState, DepthUpdate, Pair
from shared.market.nbbo import FieldValue
from shared.market.trade import Trade, TradeFeed
from shared.store.quotes import SOURCE
from tests.store.feeding import Feeding, feeding
from tests.store.tape_feeding import TapeFeeding, market_keys, running, settle
from tests.support.depth_keys import now_ms
from tests.support.market_keys import MarketKeys
from tests.unit.store.updates import side


class Pen:
    """Both writers of SPY's ticker, each with a sink of its own, on one Redis."""

    def __init__(self, keys: MarketKeys, depth: Feeding, tape: TapeFeeding) -> None:
        self.keys, self.depth, self.tape = keys, depth, tape

    def claim(self) -> None:
        self.depth.writer.quoting({"SPY": ["ARCA"]})

    def release(self) -> None:
        self.depth.writer.quoting({})

    def park(self) -> None:
        """As the feed does: the sign of ownership goes with the slot."""
        self.depth.writer.quoting({})
        self.depth.writer.park(Pair("SPY", "ARCA"))

    def depth_quote(self, k: int, late_ms: int = 0) -> None:
        """Received `late_ms` ago."""
        bids, asks = side((100.0 + k, 300, "ARCA")), side((100.5 + k, 200, "ARCA"))
        self.depth.given += 1
        now_s = asyncio.get_running_loop().time()
        ts_ms = now_ms() - late_ms
        update = DepthUpdate("SPY", "ARCA", ts_ms, now_s, bids, asks, BookState.LIVE)
        self.depth.writer.put(update)

    def tob_quote(self, k: int, late_ms: int = 0, source: bytes = SOURCE) -> None:
        """Received `late_ms` ago."""
        values: dict[str, FieldValue] = {"bid": 5000.0 + k, "bid_size": 7.0, "bid_venue": "SMART"}
        values |= {"ask": 5000.25 + k, "ask_size": 7.0, "ask_venue": "SMART"}
        values |= {"mid": 5000.125 + k, "spread": 0.25, "spread_bps": 0.5}
        self.tape.writer.quotes.set("SPY", values, now_ms() - late_ms, source)
        self.tape.writer.wake()

    def trade(self, late_ms: int = 0) -> int:
        """A print of 77.5, and the day's volume, received `late_ms` ago: this time."""
        ts_ms, feed = now_ms() - late_ms, TradeFeed.TICK_BY_TICK
        self.tape.given += 1
        made = Trade("SPY", 77.5, 100.0, "ARCA", ts_ms, ts_ms, feed, "", False, False)
        self.tape.writer.put(made, asyncio.get_running_loop().time())
        self.tape.writer.volume("SPY", 1234500.0, ts_ms)
        return ts_ms

    def offer(self) -> None:
        """As the feed does every second."""
        self.tape.writer.quotes.offer_again(["SPY"], now_ms())
        self.tape.writer.wake()

    def withdraw(self) -> None:
        self.tape.writer.quotes.set("SPY", None, 0)
        self.tape.writer.wake()

    async def settle(self) -> None:
        await self.depth.settle()
        await settle(self.tape)

    def shown(self) -> tuple[str | None, str | None]:
        ticker = self.keys.ticker("SPY")
        return ticker.get("quote_source"), ticker.get("bid")

    def foreign(self) -> int:
        return int(self.tape.writer.metrics()["quotes_foreign"])


@asynccontextmanager
async def pen(url: str) -> AsyncIterator[Pen]:
    with market_keys(url) as keys:
        async with feeding(url) as depth, running(TapeFeeding(url)) as tape:
            yield Pen(keys, depth, tape)


def write(url: str, scenario: Callable[[Pen], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with pen(url) as found:
            await scenario(found)

    asyncio.run(run())
