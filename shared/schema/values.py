"""The kinds of values that payloads are made of, with their exact bounds."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from shared.market.book import PUBLISHED_ROWS
from shared.market.option import MAX_COUNT, MAX_GREEK, MAX_PRICE

MAX_SIZE: Final = 1e12
# Seconds or microseconds where milliseconds belong lie far outside.
_FIRST_MS: Final = 1_000_000_000_000
_LAST_MS: Final = 9_999_999_999_999
_MAX_WHOLE: Final = 2**53
# Text that can be a part of a key; upper case and not ISLAND, which is how the wire spells NASDAQ.
NAME_PATTERN: Final = r"""^[^\s:{}*?\[\]\\"']{1,20}$"""
VENUE_PATTERN: Final = r"""^(?!ISLAND$)[^\sa-z:{}*?\[\]\\"']{1,20}$"""

# A tape letter that nobody knows is kept as sent.
_TRADE_VENUE_PATTERN: Final = VENUE_PATTERN.replace("{1,20}", "{2,20}") + "|^[!-~]$"


def about(text: str) -> Meta:
    """What a field means, for the documents."""
    return Meta(description=text)


def _unit(name: str) -> dict[str, object]:
    return {"unit": name}


Ms = Annotated[int, Meta(ge=_FIRST_MS, le=_LAST_MS, extra_json_schema=_unit("ms"))]
# Zero where it never happened.
MsOrZero = Annotated[int, Meta(ge=0, le=_LAST_MS, extra_json_schema=_unit("ms"))]
StartS = Annotated[int, Meta(ge=1_000_000_000, le=9_999_999_999, extra_json_schema=_unit("s"))]
Us = Annotated[int, Meta(ge=0, le=_MAX_WHOLE, extra_json_schema=_unit("us"))]
Seconds = Annotated[float, Meta(ge=0, le=1e10, extra_json_schema=_unit("s"))]
DurationMs = Annotated[float, Meta(ge=0, le=1e10, extra_json_schema=_unit("ms"))]
Price = Annotated[float, Meta(gt=0, le=MAX_PRICE, extra_json_schema=_unit("$"))]
# A mid and a spread are differences of prices: a crossed market has a negative spread.
Spread = Annotated[float, Meta(ge=-MAX_PRICE, le=MAX_PRICE, extra_json_schema=_unit("$"))]
BasisPoints = Annotated[float, Meta(ge=-20_000, le=20_000, extra_json_schema=_unit("bp"))]
Shares = Annotated[float, Meta(ge=0, le=MAX_SIZE, extra_json_schema=_unit("shares"))]
Contracts = Annotated[int, Meta(ge=0, le=MAX_COUNT, extra_json_schema=_unit("contracts"))]
Greek = Annotated[float, Meta(ge=-MAX_GREEK, le=MAX_GREEK)]
Whole = Annotated[int, Meta(ge=0, le=_MAX_WHOLE)]
Seq = Annotated[int, Meta(ge=1, le=_MAX_WHOLE)]
Share = Annotated[float, Meta(ge=0, le=1)]
Score = Annotated[float, Meta(ge=-1, le=1)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Ratio = Annotated[float, Meta(ge=0, le=MAX_COUNT)]

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Venue = Annotated[str, Meta(pattern=VENUE_PATTERN)]
TradeVenue = Annotated[str, Meta(pattern=_TRADE_VENUE_PATTERN)]
# Empty where there is none.
MaybeName = Annotated[str, Meta(pattern=f"^$|{NAME_PATTERN}")]
MaybeVenue = Annotated[str, Meta(pattern=f"^$|{_TRADE_VENUE_PATTERN}")]
# A market maker's name is whatever the gateway sends, in upper case.
Maker = Annotated[str, Meta(pattern=r"^(?!ISLAND$)[ -`{-~]{1,20}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Worker = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Source = Literal["live", "sim", "replay"]
Level = tuple[Price | None, Shares, Maker | None]
Side = Annotated[
    list[Level],
    Meta(
        min_length=PUBLISHED_ROWS,
        max_length=PUBLISHED_ROWS,
        description="10 rows [price, size, market maker or venue], best first;"
        " a missing level is [null, 0, null] and stands last",
    ),
]


class Payload(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every payload: a field that is not in the contract is a fault."""
