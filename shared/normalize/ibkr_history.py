"""Historical prints as TWS sends them → `Trade`.

Wire layout at server version 178 (raw fields, message id first, a trailing empty one allowed):
``98,reqId,n,(epochSec,mask,price,size,exchange,specialConditions)*n,done``. Times are whole
seconds; a second is always told in full, so there may be more prints than asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.errors import BadRow
from shared.market.trade import Trade, TradeFeed
from shared.normalize.ibkr_ticks import MSG_TICK_BY_TICK, TickParser
from shared.normalize.ibkr_values import digits

MSG_HISTORICAL_TICKS: Final = b"98"
END_OF_TIME_S: Final = 10**11
_TICK_FIELDS: Final = 6
_ALL_LAST: Final = b"2"


class HistoricalTrades(NamedTuple):
    """The usable prints of a reply, and how many could not be read; halt markers are neither."""

    trades: list[Trade]
    unreadable: int
    # How many there were of all kinds, and the newest second told, 0 for none.
    rows: int
    newest_s: int


def historical_trades(
    fields: Sequence[bytes],
    parser: TickParser,
    symbol: str,
    received_ts_ms: int,
    until_s: int = END_OF_TIME_S,
) -> HistoricalTrades:
    """One message 98; one bad print does not cost the others.

    An answer reaches past its window: from `until_s` on, what cannot be read is not missed.

    Raises:
        BadRow: the number of prints is not the one that is there.
    """
    if len(fields) < 4:
        raise BadRow(f"historical ticks have too few fields, was {len(fields)}, need 4")
    number = digits(fields[2], "number of ticks", 9)
    rows = fields[3:]
    if len(rows) - number * _TICK_FIELDS not in (1, 2):
        raise BadRow(f"{number} ticks need {number * _TICK_FIELDS + 1} fields, was {len(rows)}")
    trades: list[Trade] = []
    unreadable = newest_s = 0
    for start in range(0, number * _TICK_FIELDS, _TICK_FIELDS):
        second, mask, price, size, exchange, conditions = rows[start : start + _TICK_FIELDS]
        row = [MSG_TICK_BY_TICK, b"0", _ALL_LAST, second, price, size, mask, exchange, conditions]
        try:
            found = parser.trade(row, symbol, received_ts_ms, TradeFeed.HISTORY)
        except BadRow:
            unreadable += _before(second, until_s)
            continue
        newest_s = max(newest_s, int(second))
        if isinstance(found, Trade):
            trades.append(found)
    return HistoricalTrades(trades, unreadable, number, newest_s)


def _before(second: bytes, until_s: int) -> bool:
    """Whether it may be one of the window; of what is no time that is not known."""
    try:
        return digits(second, "time", 11) < until_s
    except BadRow:
        return True
