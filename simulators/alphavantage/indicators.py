from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final

from simulators.errors import WireError

from .market import first_spot

__all__ = ["INDICATORS", "INTERVALS", "IndicatorQuery", "bar_times", "indicator_document"]

_SUFFIX: Final = " - DATA DELAYED BY 15 MINUTES"
INTERVALS: Final = {"1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60}
_DAILY: Final = {"daily": 1, "weekly": 7, "monthly": 28}
_SERIES: Final = ("close", "open", "high", "low")
_NAMES: Final = {
    "RSI": "Relative Strength Index (RSI)",
    "MACD": "Moving Average Convergence/Divergence (MACD)",
    "BBANDS": "Bollinger Bands (BBANDS)",
    "ATR": "Average True Range (ATR)",
}
INDICATORS: Final = tuple(_NAMES)


@dataclass(frozen=True, slots=True)
class IndicatorQuery:
    function: str
    symbol: str
    interval: str
    delayed: bool
    meta: tuple[tuple[str, Any], ...]
    # What of the parameters the values depend on.
    width: float

    @classmethod
    def parse(cls, query: dict[str, str]) -> IndicatorQuery:
        function = query["function"]
        interval = query.get("interval", "")
        if interval not in INTERVALS and interval not in _DAILY:
            raise WireError(f"interval must be one of the vendor's, was {interval!r}")
        if not query.get("symbol"):
            raise WireError("symbol must be given, was empty")
        meta = tuple(_META[function](query))
        delayed = query.get("entitlement") == "delayed"
        width = float(query.get("nbdevup", 2))
        return cls(function, query["symbol"], interval, delayed, meta, width)


def indicator_document(
    query: IndicatorQuery, times: list[datetime.datetime], seed: int
) -> dict[str, Any]:
    """`times` are those of the rows, newest first."""
    name = _NAMES[query.function] + (_SUFFIX if query.delayed else "")
    intraday = query.interval in INTERVALS
    last = f"{times[0]:%Y-%m-%d %H:%M:%S}" if intraday else f"{times[0]:%Y-%m-%d}"
    form = "%Y-%m-%d %H:%M" if intraday else "%Y-%m-%d"
    meta = {
        "1: Symbol": query.symbol,
        "2: Indicator": name,
        "3: Last Refreshed": last,
        "4: Interval": query.interval,
        **dict(query.meta),
    }
    rows = {at.strftime(form): _values(query, at, seed) for at in times}
    return {"Meta Data": meta, f"Technical Analysis: {query.function}": rows}


def bar_times(
    query: IndicatorQuery, now: datetime.datetime, realtime: bool, rows: int
) -> list[datetime.datetime]:
    """Eastern wall time; without an entitlement intraday rows end with the day before."""
    if query.interval in _DAILY:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return [day - datetime.timedelta(days=n * _DAILY[query.interval]) for n in range(rows)]
    minutes = INTERVALS[query.interval]
    if query.delayed:
        now -= datetime.timedelta(minutes=15)
    elif not realtime:
        now = now.replace(hour=16, minute=0) - datetime.timedelta(days=1)
    minute = now.hour * 60 + now.minute
    newest = now.replace(hour=0, minute=0, second=0, microsecond=0)
    newest += datetime.timedelta(minutes=minute - minute % minutes)
    return [newest - datetime.timedelta(minutes=n * minutes) for n in range(rows)]


def _number(query: dict[str, str], name: str, default: int | None = None) -> int:
    text = query.get(name, "" if default is None else str(default))
    if not text.isdigit() or int(text) < 1:
        raise WireError(f"{name} must be a whole number from 1, was {text!r}")
    return int(text)


def _series(query: dict[str, str]) -> str:
    series = query.get("series_type", "")
    if series not in _SERIES:
        raise WireError(f"series_type must be one of {', '.join(_SERIES)}, was {series!r}")
    return series


def _rsi(query: dict[str, str]) -> list[tuple[str, Any]]:
    return [
        ("5: Time Period", _number(query, "time_period")),
        ("6: Series Type", _series(query)),
        ("7: Time Zone", "US/Eastern Time"),
    ]


def _macd(query: dict[str, str]) -> list[tuple[str, Any]]:
    return [
        ("5.1: Fast Period", _number(query, "fastperiod", 12)),
        ("5.2: Slow Period", _number(query, "slowperiod", 26)),
        ("5.3: Signal Period", _number(query, "signalperiod", 9)),
        ("6: Series Type", _series(query)),
        ("7: Time Zone", "US/Eastern"),
    ]


def _bbands(query: dict[str, str]) -> list[tuple[str, Any]]:
    matype = query.get("matype", "0")
    if matype not in "012345678" or len(matype) != 1:
        raise WireError(f"matype must be a whole number from 0 to 8, was {matype!r}")
    return [
        ("5: Time Period", _number(query, "time_period")),
        ("6.1: Deviation multiplier for upper band", _number(query, "nbdevup", 2)),
        ("6.2: Deviation multiplier for lower band", _number(query, "nbdevdn", 2)),
        ("6.3: MA Type", int(matype)),
        ("7: Series Type", _series(query)),
        ("8: Time Zone", "US/Eastern Time"),
    ]


def _atr(query: dict[str, str]) -> list[tuple[str, Any]]:
    return [
        ("5: Time Period", _number(query, "time_period")),
        ("6: Time Zone", "US/Eastern Time"),
    ]


_META: Final[dict[str, Callable[[dict[str, str]], list[tuple[str, Any]]]]] = {
    "RSI": _rsi,
    "MACD": _macd,
    "BBANDS": _bbands,
    "ATR": _atr,
}


def _values(query: IndicatorQuery, at: datetime.datetime, seed: int) -> dict[str, str]:
    """The same bar has the same values whenever it is asked for."""
    wave = _wave(seed, query.symbol.upper(), query.interval, at)
    spot = first_spot(query.symbol.upper())
    if query.function == "RSI":
        return {"RSI": f"{50 + 30 * wave:.4f}"}
    if query.function == "ATR":
        return {"ATR": f"{spot * (0.004 + 0.001 * wave):.4f}"}
    if query.function == "MACD":
        macd, signal = round(spot * 0.002 * wave, 4), round(spot * 0.0015 * wave + 0.01, 4)
        names = ("MACD", "MACD_Signal", "MACD_Hist")
        return dict(zip(names, _decimals(macd, signal, macd - signal), strict=True))
    middle, half = spot * (1 + 0.01 * wave), spot * 0.002 * (1.5 + wave)
    bands = _decimals(middle + query.width * half, middle, middle - _down(query) * half)
    names = ("Real Upper Band", "Real Middle Band", "Real Lower Band")
    return dict(zip(names, bands, strict=True))


def _down(query: IndicatorQuery) -> float:
    return float(dict(query.meta)["6.2: Deviation multiplier for lower band"])


def _decimals(*values: float) -> list[str]:
    return [f"{value:.4f}" for value in values]


@lru_cache(maxsize=50_000)
def _wave(seed: int, symbol: str, interval: str, at: datetime.datetime) -> float:
    phase = Random(f"{seed}:{symbol}:{interval}").uniform(0, 2 * math.pi)
    hours = at.replace(tzinfo=datetime.UTC).timestamp() / 3600
    noise = Random(f"{seed}:{symbol}:{interval}:{at}").uniform(-0.1, 0.1)
    return 0.8 * math.sin(hours / 3 + phase) + noise
