"""A trades writer of two symbols with its queue, on a clock that stands still."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from shared.market.trade import Trade, TradeFeed
from shared.store.flush import Flush
from shared.store.keys import Keys
from shared.store.scripts import script
from shared.store.sink import Sink
from shared.store.trades import TradeItem, TradesWriter
from tests.unit.store.resp_commands import commands

_SHAS: Final = {script(n).sha: n for n in ("trades_append", "ticker_last", "ticker_quote")}
TBT = TradeFeed.TICK_BY_TICK
PRINT = Trade("SPY", 585.94, 100.0, "ARCA", 1000, 1005, TBT, "@  I", False, False)
PRINT_JSON = (
    '{"ts":1000,"received_ts":1005,"price":585.94,"size":100.0,"venue":"ARCA","feed":"tbt",'
    '"conditions":"@  I","past_limit":false,"unreported":false,"seq":1}'
)


class Queue(Sink[TradeItem]):
    """Keeps what the writer puts; nothing is sent."""

    def __init__(self) -> None:
        self.items: list[TradeItem] = []
        self.pokes = 0

    def put(self, item: TradeItem) -> None:
        self.items.append(item)

    def poke(self) -> None:
        self.pokes += 1


class Tape:
    """It is 5000 for ever."""

    def __init__(self) -> None:
        self.writer = TradesWriter("ibkr_trades", Keys(), ["SPY", "QQQ"], (86400, 60))
        self.writer.clock_ms = lambda: 5000
        self.queue = self.writer.sink = Queue()

    def put(self, *prices: float, symbol: str = "SPY", **changes: Any) -> None:
        for price in prices:
            fields = {"symbol": symbol, "price": price, **changes}
            self.writer.put(msgspec.structs.replace(PRINT, **fields), 7.5)

    def encode(self) -> tuple[Flush[TradeItem], list[list[str]]]:
        flush = self.writer.encode(list(self.queue.items), True)
        self.queue.items.clear()
        return flush, named(flush)

    def sent(self) -> list[list[str]]:
        """Encode and confirm."""
        flush, lines = self.encode()
        self.writer.confirmed(flush, [1] * flush.replies)
        return lines


def named(flush: Flush[TradeItem]) -> list[list[str]]:
    """The commands, those of a script beginning with its name."""
    lines = commands(flush.payload)
    return [[_SHAS[line[1]], *line[2:]] if line[0] == "EVALSHA" else line for line in lines]
