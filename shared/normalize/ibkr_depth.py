"""Depth rows as TWS sends them → position, operation, side, price and row JSON.

Wire layouts at server version 178 (facts: messages 12 and 13):
``12,1,reqId,position,operation,side,price,size`` and
``13,1,reqId,position,marketMaker,operation,side,price,size,isSmartDepth``.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from shared.errors import BadRow
from shared.market.book import DELETE
from shared.market.venue import canonical
from shared.normalize.ibkr_values import MAX_NUMBER_BYTES

MSG_DEPTH: Final = b"12"
MSG_DEPTH_L2: Final = b"13"
# DBL_MAX is TWS's "no value"; nothing quoted in dollars comes near this bound.
_MAX_NUMBER: Final = 1e12
_MAX_POSITION: Final = 10_000
# Not orjson: what it returns keeps some 4 KB for as long as it is kept, and these are kept.
_encode: Final = msgspec.json.Encoder().encode
_CACHE_LIMIT: Final = 50_000
_MAX_MAKER_BYTES: Final = 16

Row = tuple[int, int, int, tuple[float, bytes]]


class DepthRowParser:
    """Parses rows and remembers the numbers it has validated.

    Prices and sizes of a book repeat all day, so each spelling is checked and encoded once.
    The caches are dropped when they reach `_CACHE_LIMIT` entries.
    """

    def __init__(self) -> None:
        self._prices: dict[bytes, tuple[float, bytes]] = {}
        self._sizes: dict[bytes, bytes] = {}
        self._makers: dict[bytes, bytes] = {}

    def parse(self, fields: list[bytes], venue_json: bytes) -> Row:
        """(side, operation, position, (price, row JSON)) of one message 12 or 13.

        `venue_json` is the subscription's venue as JSON, used where the row names no maker.
        Price is 0.0 where the vendor sent a level without a usable value.

        Raises:
            BadRow: a field is missing or not the number it should be.
        """
        try:
            if fields[0] == MSG_DEPTH_L2:
                _, _, _, position, maker, operation, side, price, size = fields[:9]
                if maker:
                    venue_json = self._makers.get(maker) or self._maker(maker)
            else:
                _, _, _, position, operation, side, price, size = fields[:8]
        except ValueError:
            raise BadRow(f"depth row has too few fields, was {len(fields)}, need 8 or 9") from None
        place = _digits(position, "position", _MAX_POSITION)
        action = _digits(operation, "operation", 2)
        book_side = _digits(side, "side", 1)
        if action == DELETE:
            return book_side, action, place, (0.0, b"")
        return book_side, action, place, self._level(price, size, venue_json)

    def _level(self, price: bytes, size: bytes, venue_json: bytes) -> tuple[float, bytes]:
        value, price_json = self._prices.get(price) or self._price(price)
        size_json = self._sizes.get(size) or self._size(size)
        if value <= 0.0 or size_json == b"0":
            return 0.0, b""
        return value, b"[%b,%b,%b]" % (price_json, size_json, venue_json)

    def _price(self, raw: bytes) -> tuple[float, bytes]:
        value = number(raw, "price")
        if len(self._prices) >= _CACHE_LIMIT:
            self._prices.clear()
        entry = self._prices[raw] = (value, _encode(value))
        return entry

    def _size(self, raw: bytes) -> bytes:
        value = number(raw, "size")
        if value < 0:
            value = 0.0
        if len(self._sizes) >= _CACHE_LIMIT:
            self._sizes.clear()
        # Sizes are whole shares nearly always; fractional ones keep their decimals.
        whole = int(value)
        encoded = self._sizes[raw] = _encode(whole if whole == value else value)
        return encoded

    def _maker(self, raw: bytes) -> bytes:
        text = raw.decode("ascii", "replace")
        if len(raw) > _MAX_MAKER_BYTES or not (raw.isascii() and text.isprintable()):
            raise BadRow(f"market maker was {raw[:40]!r}, must be printable ASCII, at most 16")
        if len(self._makers) >= _CACHE_LIMIT:
            self._makers.clear()
        encoded = self._makers[raw] = _encode(canonical(text))
        return encoded


def number(raw: bytes, field: str) -> float:
    """A decimal of plausible magnitude; TWS's "no value" (DBL_MAX, Infinity, -1) becomes 0.0.

    Raises:
        BadRow: the text is not a number.
    """
    # float() also takes "1_0" and surrounding blanks, which no gateway means as numbers.
    if len(raw) > MAX_NUMBER_BYTES or b"_" in raw or raw != raw.strip():
        raise BadRow(f"{field} was {raw[:40]!r}, must be a number")
    try:
        value = float(raw)
    except ValueError:
        raise BadRow(f"{field} was {raw[:40]!r}, must be a number") from None
    if math.isnan(value):
        raise BadRow(f"{field} was {raw[:40]!r}, must be a finite number")
    return value if 0.0 <= value < _MAX_NUMBER else 0.0


_SMALL: Final = {str(n).encode(): n for n in range(100)}


def _digits(raw: bytes, field: str, limit: int) -> int:
    value = _SMALL.get(raw)
    if value is None:
        if not raw.isdigit() or len(raw) > 9:
            raise BadRow(f"{field} was {raw[:40]!r}, must be a whole number")
        value = int(raw)
    if value > limit:
        raise BadRow(f"{field} was {value}, must be at most {limit}")
    return value
