"""What the worker published against what the simulator says it sent."""

from __future__ import annotations

import time
from typing import Any, Final

from tests.support.market_rig import MarketRig

BAR_S: Final = 5
_OHLC: Final = ("open", "high", "low", "close", "volume", "count")
# Until history was asked for, answered and written.
FILL_S: Final = 40.0


def true_bars(rig: MarketRig, symbol: str, from_s: float, to_s: float) -> dict[int, Any]:
    """The simulator's bars that start in the window: open, high, low, close, volume, count."""
    return {
        t: tuple(bar[name] for name in _OHLC)
        for t, bar in rig.true_bars(symbol).items()
        if from_s <= t < to_s
    }


def stored_bars(rig: MarketRig, symbol: str, from_s: float, to_s: float) -> dict[int, Any]:
    return {
        bar["t"]: tuple(bar[name] for name in _OHLC)
        for bar in rig.keys.bars(symbol)
        if from_s <= bar["t"] < to_s
    }


def wait_whole(rig: MarketRig, from_s: float, symbols: list[str] | None = None) -> None:
    """Every bar from `from_s` until now, as the simulator has it, for all symbols."""
    to_s = time.time() // BAR_S * BAR_S
    wanted = symbols or rig.symbols
    rig.wait_until(
        lambda: not wrong_bars(rig, wanted, from_s, to_s), FILL_S, f"bars from {from_s} to {to_s}"
    )
    assert all(true_bars(rig, symbol, from_s, to_s) for symbol in wanted)


def wrong_bars(rig: MarketRig, symbols: list[str], from_s: float, to_s: float) -> dict[str, Any]:
    """(stored, true) of the symbols whose bars differ."""
    both = {
        s: (stored_bars(rig, s, from_s, to_s), true_bars(rig, s, from_s, to_s)) for s in symbols
    }
    return {symbol: pair for symbol, pair in both.items() if pair[0] != pair[1]}


def wait_candles(rig: MarketRig, minute: int, timeout_s: float = FILL_S) -> None:
    """The minute's candle of every symbol, complete and as its bars say."""
    rig.wait_until(
        lambda: all(candle_is_right(rig, symbol, minute) for symbol in rig.symbols),
        timeout_s,
        f"candles of {minute}",
    )


def candle_is_right(rig: MarketRig, symbol: str, minute: int) -> bool:
    [*bars] = true_bars(rig, symbol, minute, minute + 60).values()
    found = [c for c in rig.keys.candles(symbol) if c["t"] == minute]
    if not bars or not found:
        return False
    opens, highs, lows, closes, volumes, counts = zip(*bars, strict=True)
    expected = (opens[0], max(highs), min(lows), closes[-1], sum(volumes), sum(counts), len(bars))
    names = (*_OHLC, "bars")
    return found[0]["complete"] is True and tuple(found[0][name] for name in names) == expected


def published(rig: MarketRig, symbol: str) -> list[tuple[float, float]]:
    return [(trade["price"], trade["size"]) for trade in rig.keys.trades(symbol)]


def pause_and_settle(rig: MarketRig, symbol: str) -> list[dict[str, Any]]:
    """The market stands still and every print of the symbol has come; returns the tape."""
    rig.gateway.call("pause")
    tape = rig.tape(symbol)
    rig.wait_until(
        lambda: published(rig, symbol)[-1:] == [(tape[-1]["price"], tape[-1]["size"])],
        10, f"the newest print of {symbol}",
    )  # fmt: skip
    return tape


def wait_bar_boundary(ahead_s: float) -> float:
    """Wait until so long before a 5-second boundary is left at least; returns the time."""
    while BAR_S - time.time() % BAR_S < ahead_s:
        time.sleep(0.05)
    return time.time()
