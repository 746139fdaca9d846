"""The commands of `market:<symbol>:ticker`, shared by everything that quotes or trades."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from shared.market.nbbo import FieldValue
from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.scripts import script

# A stored time further ahead than this is a clock that stepped back.
FUTURE_TOLERANCE_MS: Final = 2000
QUOTE_FIELDS: Final = (
    "bid",
    "bid_size",
    "bid_venue",
    "ask",
    "ask_size",
    "ask_venue",
    "mid",
    "spread",
    "spread_bps",
    "quote_ts",
    "quote_received_ts",
    "quote_source",
)
# Replies of ticker_quote.lua that are counted.
QUOTE_COUNTERS: Final = {0: "late_quotes", 2: "future_quotes"}
NOT_THE_OWNER: Final = -1
_TOLERANCE: Final = b"%d" % FUTURE_TOLERANCE_MS


class TickerKeys:
    """The keys that a symbol's ticker is written with, as bytes."""

    __slots__ = ("owner", "quote_times", "symbol", "ticker")

    def __init__(self, symbol: str, keys: Keys) -> None:
        self.symbol = symbol
        self.ticker = keys.ticker(symbol).encode()
        self.owner = keys.depth_live(symbol).encode()
        self.quote_times = keys.quote_times().encode()


class QuoteStamp(NamedTuple):
    """Who quotes, as of when the quote holds and when it was received; Unix ms, and now."""

    source: bytes
    as_of_ms: int
    received_ms: int
    now_ms: int


def write_quote(
    commands: Commands,
    keys: TickerKeys,
    stamp: QuoteStamp,
    values: Mapping[str, FieldValue],
    ttl: bytes,
) -> None:
    """The quote half, as `stamp.source`; Redis refuses it to all but the owner."""
    commands.add(
        f"ticker_quote {keys.symbol}",
        b"EVALSHA",
        script("ticker_quote").sha.encode(),
        b"3",
        keys.ticker,
        keys.owner,
        keys.quote_times,
        stamp.source,
        keys.symbol.encode(),
        b"%d" % stamp.as_of_ms,
        b"%d" % stamp.received_ms,
        b"%d" % stamp.now_ms,
        ttl,
        _TOLERANCE,
        *pairs_of(values),
    )


def release_quote(commands: Commands, keys: TickerKeys, source: bytes) -> None:
    """The quote is no longer `source`'s: it goes, unless another has taken over."""
    commands.add(
        f"ticker_release {keys.symbol}",
        b"EVALSHA",
        script("ticker_release").sha.encode(),
        b"1",
        keys.ticker,
        source,
        *(name.encode() for name in QUOTE_FIELDS),
    )


def write_last(
    commands: Commands,
    keys: TickerKeys,
    values: Mapping[str, FieldValue],
    times_ms: tuple[int, int],
    ttl: bytes,
) -> None:
    """The last and volume half; `times_ms` are when it was received, and now."""
    commands.add(
        f"ticker_last {keys.symbol}",
        b"EVALSHA",
        script("ticker_last").sha.encode(),
        b"1",
        keys.ticker,
        *(b"%d" % at_ms for at_ms in times_ms),
        ttl,
        _TOLERANCE,
        *pairs_of(values),
    )


def holds_from(now_ms: int, ts_ms: int) -> int:
    """As of when a quote that holds now is said to; a clock that stepped back does not bind it."""
    return now_ms if ts_ms > now_ms + FUTURE_TOLERANCE_MS else max(now_ms, ts_ms)


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


def pairs_of(values: Mapping[str, FieldValue]) -> list[bytes]:
    """Field names and values; an empty value says that the field is absent."""
    return [part for name, value in values.items() for part in (name.encode(), text_of(value))]


def text_of(value: FieldValue) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
