"""Trades and line ticks as TWS sends them → `Trade`, `Halt`, `RtVolume`, `Tick`.

Wire layouts at server version 178, as raw fields (message id first, a trailing empty one allowed):
``99,reqId,type,epochSec,price,size,mask,exchange,specialConditions`` (type 1 Last, 2 AllLast),
``1,6,reqId,tickType,price,size,attrMask``, ``2,6,reqId,tickType,size``,
``45,6,reqId,tickType,value`` and ``46,6,reqId,tickType,text``, where tick 48 is RTVolume:
``price;size;ms;totalVolume;vwap;single``. Read here, since ib_async drops the second of a
tick-by-tick print and both masks.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeVar

import msgspec

from shared.errors import BadRow
from shared.market.quote import Field, Tick
from shared.market.trade import Halt, Trade, TradeFeed, known_letter, trade_venue
from shared.normalize.ibkr_values import amount, check_not_ahead, digits, text_of, whole, zero

K = TypeVar("K")
V = TypeVar("V")

MSG_TICK_PRICE: Final = b"1"
MSG_TICK_SIZE: Final = b"2"
MSG_TICK_GENERIC: Final = b"45"
MSG_TICK_STRING: Final = b"46"
MSG_TICK_BY_TICK: Final = b"99"

_CACHE_LIMIT: Final = 10_000
_MAX_COUNTED: Final = 1_000
_RT_VOLUME: Final = b"48"
_TRADE_TYPES: Final = (b"1", b"2")
_PAST_LIMIT: Final = 1
_UNREPORTED: Final = 2
_SINGLE: Final = {b"true": True, b"false": False}

# Tick id → field and whether the data is 15 minutes old; 77 repeats 48 for reported prints.
Meaning = tuple[Field, bool]
_FIELDS: Final[dict[bytes, dict[bytes, Meaning]]] = {
    MSG_TICK_PRICE: {
        b"1": (Field.BID, False),
        b"2": (Field.ASK, False),
        b"4": (Field.LAST, False),
        b"6": (Field.HIGH, False),
        b"7": (Field.LOW, False),
        b"9": (Field.CLOSE, False),
        b"14": (Field.OPEN, False),
        b"66": (Field.BID, True),
        b"67": (Field.ASK, True),
        b"68": (Field.LAST, True),
        b"72": (Field.HIGH, True),
        b"73": (Field.LOW, True),
        b"75": (Field.CLOSE, True),
        b"76": (Field.OPEN, True),
    },
    MSG_TICK_SIZE: {
        b"0": (Field.BID_SIZE, False),
        b"3": (Field.ASK_SIZE, False),
        b"5": (Field.LAST_SIZE, False),
        b"8": (Field.DAY_LOTS, False),
        b"69": (Field.BID_SIZE, True),
        b"70": (Field.ASK_SIZE, True),
        b"71": (Field.LAST_SIZE, True),
        b"74": (Field.DAY_LOTS, True),
    },
    MSG_TICK_GENERIC: {b"49": (Field.HALTED, False), b"90": (Field.HALTED, True)},
    MSG_TICK_STRING: {
        b"45": (Field.LAST_TIME, False),
        b"84": (Field.LAST_VENUE, False),
        b"88": (Field.LAST_TIME, True),
    },
}


class RtVolume(msgspec.Struct, frozen=True, gc=False):
    """Tick 48. `total` is the day's volume in shares; without a trade only that is news.

    `single` false may stand for several prints in one.
    """

    trade: Trade | None
    total: float | None
    vwap: float | None
    single: bool


class TickParser:
    """Parses ticks and remembers the numbers and names it has validated.

    What the vendor sends without a use here is counted, by tick id, letter or number.
    """

    def __init__(self) -> None:
        self._prices: dict[bytes, float | None] = {}
        self._sizes: dict[bytes, float | None] = {}
        self._venues: dict[bytes, str | None] = {}
        self._conditions: dict[bytes, str] = {}
        # Size ticks by tick id and size: there are few of both, and most ticks are such.
        self._size_ticks: dict[tuple[bytes, bytes], Tick] = {}
        self._second: tuple[bytes, int] = (b"0", 0)
        self.ignored: Counter[str] = Counter()
        self.unknown_venues: Counter[str] = Counter()
        # Prints without a usable price or size that are no halts either.
        self.valueless = 0

    def trade(
        self,
        fields: list[bytes],
        symbol: str,
        received_ts_ms: int,
        feed: TradeFeed = TradeFeed.TICK_BY_TICK,
    ) -> Trade | Halt | None:
        """A tick-by-tick print (message 99); None where price or size is absent.

        Raises:
            BadRow: a field is missing or not what it should be.
        """
        try:
            _, _, kind, second, price, size, mask, exchange, conditions = fields[:9]
        except ValueError:
            raise BadRow(f"tick-by-tick has too few fields, was {len(fields)}, need 9") from None
        if kind not in _TRADE_TYPES:
            raise BadRow(f"tick-by-tick type was {kind[:40]!r}, must be 1 or 2")
        ts_ms = self._second[1] if second == self._second[0] else self._at(second)
        check_not_ahead(ts_ms, received_ts_ms)
        flags = digits(mask, "mask", 4)
        past_limit = bool(flags & _PAST_LIMIT)
        price_value, size_value = self._price(price), self._size(size)
        if price_value is None or size_value is None:
            if zero(price) and zero(size):
                return Halt(symbol, past_limit, ts_ms)
            self.valueless += 1
            return None
        return Trade(
            symbol,
            price_value,
            size_value,
            self._venue(exchange),
            ts_ms,
            received_ts_ms,
            feed,
            self._condition(conditions),
            past_limit,
            bool(flags & _UNREPORTED),
        )

    def line(self, fields: list[bytes], symbol: str, received_ts_ms: int) -> Tick | RtVolume | None:
        """One of messages 1, 2, 45, 46; None for a tick id without a use here.

        Raises:
            BadRow: a field is missing or not what it should be.
        """
        if len(fields) < 5:
            raise BadRow(f"tick has too few fields, was {len(fields)}, need 5")
        message, tick, raw = fields[0], fields[3], fields[4]
        if message == MSG_TICK_SIZE:
            found = self._size_ticks.get((tick, raw))
            if found is None:
                found = self._other(fields)
                # The day's volume never comes twice: it would only crowd out what does.
                if found is not None and found.field is not Field.DAY_LOTS:
                    _remember(self._size_ticks, (tick, raw), found)
            return found
        if tick == _RT_VOLUME and message == MSG_TICK_STRING:
            return self._rt_volume(raw, symbol, received_ts_ms)
        return self._other(fields)

    def _other(self, fields: list[bytes]) -> Tick | None:
        message, tick, raw = fields[0], fields[3], fields[4]
        meaning = _FIELDS[message].get(tick) if message in _FIELDS else None
        if meaning is None:
            _count(self.ignored, str(digits(tick, "tick type", 9)))
            return None
        field, delayed = meaning
        if message == MSG_TICK_PRICE:
            if len(fields) < 6:
                raise BadRow(f"tick price has too few fields, was {len(fields)}, need 6")
            return Tick(field, self._price(raw), self._size(fields[5]), None, delayed)
        if field is Field.LAST_VENUE:
            return Tick(field, None, None, self._venue(raw), delayed)
        return Tick(field, self._value(field, raw), None, None, delayed)

    def _value(self, field: Field, raw: bytes) -> float | None:
        if field is Field.LAST_TIME:
            return digits(raw, "last time", 11) * 1000 or None
        value = whole(raw, "size") if field is Field.DAY_LOTS else self._size(raw)
        # Halted 0 says "trading", while -1 is "not known".
        return 0 if value is None and field is Field.HALTED and zero(raw) else value

    def _rt_volume(self, raw: bytes, symbol: str, received_ts_ms: int) -> RtVolume:
        try:
            price, size, ms, total, vwap, single_text = raw.split(b";")
            single = _SINGLE[single_text]
        except (ValueError, KeyError):
            raise BadRow(
                f"rtvolume was {raw[:80]!r}, must be price;size;ms;total;vwap;true or false"
            ) from None
        trade: Trade | None = None
        price_value = self._price(price)
        size_value = self._size(size) if price_value is not None else None
        if price_value is not None and size_value is not None:
            # Tick 48 carries neither venue nor conditions.
            ts_ms = digits(ms, "rtvolume time", 14) if ms else received_ts_ms
            check_not_ahead(ts_ms, received_ts_ms)
            trade = Trade(
                symbol, price_value, size_value, None, ts_ms, received_ts_ms, TradeFeed.RT_VOLUME
            )
        elif price:
            self.valueless += 1
        return RtVolume(trade, whole(total, "total volume"), amount(vwap, "vwap"), single)

    def _price(self, raw: bytes) -> float | None:
        try:
            return self._prices[raw]
        except KeyError:
            return _remember(self._prices, raw, amount(raw, "price"))

    def _size(self, raw: bytes) -> float | None:
        try:
            return self._sizes[raw]
        except KeyError:
            return _remember(self._sizes, raw, whole(raw, "size"))

    def _venue(self, raw: bytes) -> str | None:
        try:
            venue = self._venues[raw]
        except KeyError:
            venue = _remember(self._venues, raw, trade_venue(text_of(raw, "exchange")))
        if venue is not None and len(venue) == 1 and not known_letter(venue):
            _count(self.unknown_venues, venue)
        return venue

    def _condition(self, raw: bytes) -> str:
        try:
            return self._conditions[raw]
        except KeyError:
            return _remember(self._conditions, raw, text_of(raw, "conditions"))

    def _at(self, raw: bytes) -> int:
        ts_ms = digits(raw, "time", 11) * 1000
        self._second = (raw, ts_ms)
        return ts_ms


def _remember(cache: dict[K, V], raw: K, value: V) -> V:
    if len(cache) >= _CACHE_LIMIT:
        cache.clear()
    cache[raw] = value
    return value


def _count(counter: Counter[str], name: str) -> None:
    """Count by name; a flood of names counts as one."""
    counter[name if name in counter or len(counter) < _MAX_COUNTED else "others"] += 1
