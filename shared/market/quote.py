"""The top of book and last values of one symbol's market data line. Pure.

Ticks of a line come one field at a time, so that a bid and the ask that moved with it are two
events: a quote is to be read once all frames that came together were applied.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from shared.market.nbbo import FieldValue, Nbbo, Row


class Field(StrEnum):
    """What a tick tells; the vendor's ids, live and delayed, stand in `normalize.ibkr_ticks`."""

    BID = "bid"
    ASK = "ask"
    LAST = "last"
    BID_SIZE = "bid_size"
    ASK_SIZE = "ask_size"
    LAST_SIZE = "last_size"
    LAST_TIME = "last_time"  # Unix ms
    LAST_VENUE = "last_venue"
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    DAY_LOTS = "day_lots"
    HALTED = "halted"  # 0 trading, 1 halted, 2 halted for volatility


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One field of a line. `value` is None where the vendor says that there is none.

    `size` comes with a price, `venue` with `Field.LAST_VENUE` alone.
    """

    field: Field
    value: float | None
    size: float | None = None
    venue: str | None = None
    delayed: bool = False


# marketDataType of message 58: 3 delayed, 4 delayed and frozen (15 minutes old, TWS 10167).
_DELAYED_TYPES: Final = frozenset({3, 4})
_QUOTE: Final = frozenset({Field.BID, Field.ASK, Field.BID_SIZE, Field.ASK_SIZE})
_SIZE_OF: Final = {
    Field.BID: Field.BID_SIZE,
    Field.ASK: Field.ASK_SIZE,
    Field.LAST: Field.LAST_SIZE,
}


class Quote:
    """What one line has shown since it was opened or since it turned live or delayed."""

    __slots__ = ("_delayed", "_quoted", "_values", "_venue", "last_venue", "received_ts_ms",
                 "volume")  # fmt: skip

    def __init__(self, venue: str = "SMART") -> None:
        """`venue` is the one of the subscription: the line does not name the quote's venues."""
        self._venue = venue
        self._delayed = False
        # The day's volume in shares as RTVolume totals it.
        self.volume: float | None = None
        self.clear()

    def clear(self) -> None:
        """Forget what was shown, not the day's volume: the line was lost or opened anew."""
        self._values: dict[Field, float] = {}
        self._quoted = False
        self.last_venue: str | None = None
        # Of the newest tick that belongs to the quote, 0 before the first.
        self.received_ts_ms = 0

    @property
    def delayed(self) -> bool:
        return self._delayed

    def data_type(self, number: int) -> None:
        """Message 58: what was shown as the other kind is forgotten, never mixed."""
        self._turn(number in _DELAYED_TYPES)

    def apply(self, tick: Tick, received_ts_ms: int) -> bool:
        """Take one tick; True when bid, ask or a size of theirs changed.

        A delayed tick makes the whole line delayed, whatever message 58 said; only the next
        message 58 makes it live again.
        """
        if tick.delayed:
            self._turn(True)
        if tick.field is Field.LAST_VENUE:
            self.last_venue = tick.venue
            return False
        changed = self._set(tick.field, tick.value)
        size_field = _SIZE_OF.get(tick.field)
        if size_field is not None and tick.value is not None:
            changed = self._set(size_field, tick.size) or changed
        if tick.field not in _QUOTE:
            return False
        self._quoted = True
        self.received_ts_ms = received_ts_ms
        return changed

    def get(self, field: Field) -> float | None:
        return self._values.get(field)

    def nbbo(self) -> Nbbo:
        """Best rows; a side needs a price and a size above zero."""
        return Nbbo(self._row(Field.BID), self._row(Field.ASK))

    def quote_fields(self, delayed_too: bool = False) -> dict[str, FieldValue] | None:
        """The ticker's quote fields, None for one that is to be absent.

        None in place of them all where there is nothing to say: no tick of a quote yet, or
        delayed data unless `delayed_too`.
        """
        if not self._quoted or (self._delayed and not delayed_too):
            return None
        return self.nbbo().fields()

    def _turn(self, delayed: bool) -> None:
        if delayed != self._delayed:
            self._delayed = delayed
            self.clear()

    def _set(self, field: Field, value: float | None) -> bool:
        if value == self._values.get(field):
            return False
        if value is None:
            del self._values[field]
        else:
            self._values[field] = value
        return True

    def _row(self, side: Field) -> Row | None:
        price, size = self._values.get(side), self._values.get(_SIZE_OF[side])
        return (price, size, self._venue) if price and size else None
