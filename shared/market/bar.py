"""Five-second bars and the minute candles built from them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

BAR_S: Final = 5
MINUTE_S: Final = 60
# Decimals of sums and weighted prices: finer than any tick, coarser than float noise.
_DECIMALS: Final = 6


class Bar(msgspec.Struct, frozen=True):
    """A 5-second bar; `t` is its start in Unix seconds, `wap` the volume-weighted price."""

    t: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float | None
    count: int
    backfilled: bool = False


class Candle(msgspec.Struct, frozen=True):
    """A minute from its bars; `bars` says how many there were (none trade, none exist).

    `complete` is false only while part of the minute lies in an outage that was not filled.
    """

    t: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float | None
    count: int
    bars: int
    complete: bool
    backfilled: bool


def minute_of(t: float) -> int:
    """Start of the wall minute that holds `t`."""
    return int(t // MINUTE_S) * MINUTE_S


def candle(bars: Iterable[Bar], complete: bool = True) -> Candle:
    """The candle of one minute.

    Raises:
        ValueError: no bars, or bars of several minutes.
    """
    ordered = sorted(bars, key=lambda bar: bar.t)
    if not ordered or minute_of(ordered[0].t) != minute_of(ordered[-1].t):
        raise ValueError(f"bars of one minute needed, were {[bar.t for bar in ordered]}")
    return Candle(
        t=minute_of(ordered[0].t),
        open=ordered[0].open,
        high=max(bar.high for bar in ordered),
        low=min(bar.low for bar in ordered),
        close=ordered[-1].close,
        volume=_whole(round(sum(bar.volume for bar in ordered), _DECIMALS)),
        wap=_weighted(ordered),
        count=sum(bar.count for bar in ordered),
        bars=len(ordered),
        complete=complete,
        backfilled=any(bar.backfilled for bar in ordered),
    )


def _whole(volume: float) -> float:
    """Shares without a fraction where they have none, also when read back as 7.0."""
    shares = int(volume)
    return shares if shares == volume else volume


def _weighted(bars: list[Bar]) -> float | None:
    """Volume-weighted price of the bars that say one; None when none does or nothing traded."""
    said = [(bar.wap, bar.volume) for bar in bars if bar.wap is not None and bar.volume > 0]
    volume = sum(share for _, share in said)
    if not volume:
        return None
    return round(sum(price * share for price, share in said) / volume, _DECIMALS)
