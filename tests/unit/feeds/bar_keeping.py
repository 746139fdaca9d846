"""Bars of two symbols that come live, are interrupted and are filled, by a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.feeds.ibkr.bars import BarKeeper
from shared.feeds.ibkr.tick_state import TickPolicy, TickState
from shared.market.bar import Bar, Candle
from shared.market.loss import Loss
from shared.market.nbbo import FieldValue
from shared.market.trade import Trade
from shared.settings import IbkrSettings
from shared.universe import Instrument

# A wall minute; bars and clocks below count from it.
M: Final = 1_381_152_600
GRACE_S: Final = 2.0


def bar(at_s: int, price: float = 10.0, backfilled: bool = False) -> Bar:
    return Bar(M + at_s, price, price, price, price, 100, price, 1, backfilled)


def history(at_s: int, price: float = 10.0) -> Bar:
    return bar(at_s, price, backfilled=True)


def stock(symbol: str) -> Instrument:
    return Instrument(symbol, "STK", (), "ARCA", "USD", symbol, symbol)


class Outlet:
    """Keeps what is said of bars, prints and quotes."""

    def __init__(self) -> None:
        self.bars: list[tuple[str, Bar]] = []
        self.candles: list[Candle] = []
        self.losses: list[Loss] = []
        self.incidents: list[tuple[str, str, str]] = []
        self.trades: list[Trade] = []
        self.quotes: list[tuple[str, Mapping[str, FieldValue] | None]] = []

    def bar(self, symbol: str, made: Bar, received_s: float) -> None:
        self.bars.append((symbol, made))

    def candle(self, symbol: str, made: Candle, received_s: float) -> None:
        self.candles.append(made)

    def trade(self, trade: Trade, received_s: float) -> None:
        self.trades.append(trade)

    def quote(
        self, symbol: str, values: Mapping[str, FieldValue] | None, received_ts_ms: int, late: bool
    ) -> None:
        self.quotes.append((symbol, values))

    def loss(self, loss: Loss) -> None:
        self.losses.append(loss)

    def incident(self, kind: str, symbol: str, text: str) -> None:
        self.incidents.append((kind, symbol, text))


class StillLoop(asyncio.SelectorEventLoop):
    def __init__(self, now_s: float) -> None:
        super().__init__()
        self._now_s = now_s

    def time(self) -> float:
        return self._now_s


class Rig:
    """Bars of SPY and QQQ; the wall clock stands at `at_s` from `M` on until it is moved."""

    def __init__(self, at_s: float = 0.0, reach_s: float = 7200.0, **settings: Any) -> None:
        self.at_s = at_s
        self.outlet = Outlet()
        outlet: Any = self.outlet
        policy = TickPolicy.from_settings(IbkrSettings(backfill_reach_s=reach_s, **settings))
        self.state = TickState.create([stock("SPY"), stock("QQQ")], policy, outlet)
        self.keeper = BarKeeper(self.state, lambda: M + self.at_s)

    def live(self, *bars: Bar, symbol: str = "SPY", now_s: float = 1000.0) -> None:
        for each in bars:
            in_loop(self.keeper.bar, self.state.symbols[symbol], each, 5.0, now_s=now_s)

    def request(self, at_s: float, symbol: str = "SPY") -> None:
        self.at_s = at_s
        self.state.bars.decide([symbol], 0.0, 1)
        self.keeper.requested(symbol)

    def interrupt(self, at_s: float, heard_s: float | None = None, symbol: str = "SPY") -> None:
        self.at_s = at_s
        heard_ms = 0 if heard_s is None else int((M + heard_s) * 1000)
        self.keeper.interrupted([symbol], "disconnect", heard_ms)

    def pending(self, symbol: str = "SPY") -> list[tuple[int, int, str]]:
        holes = self.state.backfill.pending(symbol)
        return [(hole.from_s - M, hole.to_s - M, hole.reason) for hole in holes]

    def fill(self, *bars: Bar, symbol: str = "SPY", unreadable: int = 0) -> None:
        """History answers the first pending window, perhaps with bars that cannot be read."""
        hole = self.state.backfill.pending(symbol)[0]
        self.state.backfill.decide(hole.to_s + 3.0, 1.0)
        self.state.backfill.done(hole)
        in_loop(self.keeper.filled, hole, bars, unreadable)

    def due(self, at_s: float) -> list[tuple[int, int, bool]]:
        """Minute from `M` on, number of bars, whether complete."""
        self.at_s = at_s
        known = len(self.outlet.candles)
        in_loop(self.keeper.tick, GRACE_S)
        return [(each.t - M, each.bars, each.complete) for each in self.outlet.candles[known:]]


def in_loop(call: Callable[..., object], *arguments: object, now_s: float = 1000.0) -> None:
    """Carry out what reads the clock of its loop, which stands still."""

    async def called() -> None:
        call(*arguments)

    with asyncio.Runner(loop_factory=lambda: StillLoop(now_s)) as runner:
        runner.run(called())


def said(losses: list[Loss]) -> list[tuple[str, int, int, str, int | None]]:
    return [
        (each.symbol, each.from_ts // 1000 - M, each.to_ts // 1000 - M, each.reason, each.count)
        for each in losses
    ]
