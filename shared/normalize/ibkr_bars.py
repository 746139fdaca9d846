"""Five-second bars as TWS sends them → `Bar`; bars that cannot be ones are refused.

Wire layouts at server version 178, as raw fields (message id first, a trailing empty one allowed):
``50,3,reqId,epochSec,open,high,low,close,volume,wap,count`` with the time of the bar's START, and
``17,reqId,start,end,nBars,(date,open,high,low,close,volume,wap,count)*n``, where the request's
formatDate 2 makes `date` epoch seconds. Volume, wap and count mean something for TRADES alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.errors import BadRow
from shared.market.bar import BAR_S, Bar
from shared.normalize.ibkr_values import amount, digits, whole

MSG_REAL_TIME_BAR: Final = b"50"
MSG_HISTORICAL_DATA: Final = b"17"
_BAR_FIELDS: Final = 8
_PRICES: Final = ("open", "high", "low", "close")


class HistoricalBars(NamedTuple):
    """The usable bars of a reply and why the others are not."""

    bars: list[Bar]
    refused: list[BadRow]


def real_time_bar(fields: Sequence[bytes]) -> Bar:
    """One message 50.

    Raises:
        BadRow: a field is missing or not what it should be.
    """
    if len(fields) < 3 + _BAR_FIELDS:
        raise BadRow(f"bar has too few fields, was {len(fields)}, need {3 + _BAR_FIELDS}")
    return _bar(fields[3 : 3 + _BAR_FIELDS], backfilled=False)


def historical_bars(fields: Sequence[bytes]) -> HistoricalBars:
    """One message 17 of 5-second bars; one bad bar does not cost the others.

    Raises:
        BadRow: the number of bars is not the one that is there.
    """
    if len(fields) < 5:
        raise BadRow(f"historical bars have too few fields, was {len(fields)}, need 5")
    number, rows = digits(fields[4], "number of bars", 9), fields[5:]
    if len(rows) - number * _BAR_FIELDS not in (0, 1):
        raise BadRow(
            f"{number} historical bars need {number * _BAR_FIELDS} fields, was {len(rows)}"
        )
    result = HistoricalBars([], [])
    for start in range(0, number * _BAR_FIELDS, _BAR_FIELDS):
        try:
            result.bars.append(_bar(rows[start : start + _BAR_FIELDS], backfilled=True))
        except BadRow as refusal:
            result.refused.append(refusal)
    return result


def _bar(row: Sequence[bytes], backfilled: bool) -> Bar:
    """One bar of date, open, high, low, close, volume, wap, count."""
    start = digits(row[0], "bar start", 11)
    if start % BAR_S:
        raise BadRow(f"bar start was {start}, must be a multiple of {BAR_S} s")
    open_, high, low, close = _prices(row[1:5])
    # -1 is "not known" (bars of other than trades).
    count = b"" if row[7] == b"-1" else row[7]
    return Bar(
        t=start,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=whole(row[5], "bar volume") or 0,
        wap=amount(row[6], "bar wap"),
        count=digits(count, "bar count", 9) if count else 0,
        backfilled=backfilled,
    )


def _prices(raw: Sequence[bytes]) -> list[float]:
    prices: list[float] = []
    for name, text in zip(_PRICES, raw, strict=True):
        price = amount(text, f"bar {name}")
        if price is None:
            raise BadRow(f"bar {name} was {text[:40]!r}, must be a price above 0")
        prices.append(price)
    open_, high, low, close = prices
    if high < max(open_, close) or low > min(open_, close):
        raise BadRow(f"bar was {open_} {high} {low} {close}, must lie between its low and high")
    return prices
