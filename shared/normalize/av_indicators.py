"""The body of an RSI, MACD, BBANDS or ATR answer → `IndicatorReading`.

Layout: ``{"Meta Data": {"1: Symbol": ..., "7: Time Zone": ...}, "Technical Analysis: RSI":
{bar time: {name: number as text}}}``. The numbers before the names of Meta Data differ from
function to function. Bar times are wall times of the zone named there, without an offset. A daily
answer holds more than 6,000 rows, of which only those that are published are decoded.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from shared.errors import BadDocument
from shared.market.indicator import IndicatorReading

HISTORY_ROWS: Final = 100
# A daily bar of the running day carries that day; nothing carries a later one.
_MAX_AHEAD_MS: Final = 2 * 86_400_000
_DELAYED: Final = " - DATA DELAYED BY"
_BAR_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", re.ASCII)
_META: Final = "Meta Data"
# "US/Eastern Time" of RSI, BBANDS and ATR is the "US/Eastern" of MACD.
_ZONES: Final = {
    "US/Eastern": "America/New_York",
    "US/Eastern Time": "America/New_York",
    "America/New_York": "America/New_York",
    "UTC": "UTC",
}
# What Python's json writes and JSON does not know.
_BARE: Final = re.compile(rb"-?\b(NaN|Infinity)\b")

_sections_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_meta_of = msgspec.json.Decoder(dict[str, Any]).decode
_number_of = msgspec.json.Decoder(dict[str, float], strict=False).decode


@dataclass(frozen=True, slots=True)
class IndicatorRequest:
    """What was asked for; `params` as they stand in the published document."""

    symbol: str
    vendor_symbol: str
    indicator: str
    interval: str
    params: Mapping[str, int | str]


def parse_indicator(body: bytes, request: IndicatorRequest, now_ms: int) -> IndicatorReading:
    """The newest value and up to 100 rows of history.

    Raises:
        BadDocument: not an answer to `request`, of an unknown time zone, without a usable row, or
            its newest bar is more than two days ahead of `now_ms`.
    """
    sections = _sections(body, request)
    delayed = _checked(sections.meta, request) or sections.delayed
    zone = _zone_name(sections.meta)
    history, bad = _history(sections.rows, _zone(zone))
    if not history:
        raise BadDocument(f"{_name(request)} rows usable were 0 of {bad}, must be at least 1")
    ts_ms, values = history[0]
    if ts_ms - now_ms > _MAX_AHEAD_MS:
        raise BadDocument(
            f"{_name(request)} bar time was {ts_ms}, must be at most {now_ms + _MAX_AHEAD_MS}"
        )
    return IndicatorReading(
        symbol=request.symbol,
        indicator=request.indicator,
        interval=request.interval,
        params=dict(request.params),
        ts_ms=ts_ms,
        time_zone=zone,
        fetched_ms=now_ms,
        values=values,
        history=history,
        delayed=delayed,
        bad_values=bad,
    )


class _Meta:
    """Meta Data by the names that follow the numbers."""

    def __init__(self, fields: Mapping[str, Any], name: str) -> None:
        self._fields = {key.lstrip("0123456789.: "): value for key, value in fields.items()}
        self._name = name

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise self.refusal(name, "a text")
        return value.strip()

    def refusal(self, name: str, bound: str) -> BadDocument:
        value = self._fields.get(name)
        shown = repr(value[:80]) if isinstance(value, str) else type(value).__name__
        return BadDocument(f"{self._name} {name} was {shown}, must be {bound}")


@dataclass(frozen=True, slots=True)
class _Sections:
    """`rows` by bar time, undecoded; `delayed` when the name of their section says so."""

    meta: _Meta
    rows: Mapping[str, msgspec.Raw]
    delayed: bool


def _sections(body: bytes, request: IndicatorRequest) -> _Sections:
    try:
        sections = _decoded(body)
        meta = _meta_of(sections.get(_META, b"{}"))
        title = _title(sections, request)
        rows = _sections_of(sections[title])
    # Broken UTF-8 is a ValueError as every error of the decoder is.
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"{_name(request)} must be an object of objects: {error}") from None
    if not rows:
        raise BadDocument(f"no rows in {title} of {request.symbol}, must be at least 1")
    return _Sections(_Meta(meta, _name(request)), rows, _DELAYED in title)


def _decoded(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _sections_of(body)
    except msgspec.DecodeError:
        if not _BARE.search(body):
            raise
        # No free text in these documents: the tokens are values, and their rows are passed over.
        return _sections_of(_BARE.sub(b"null", body))


def _title(sections: Mapping[str, Any], request: IndicatorRequest) -> str:
    """The section of the rows, whose name may carry the note on delayed data."""
    wanted = f"Technical Analysis: {request.indicator}"
    for title in sections:
        if title.partition(" - ")[0] == wanted:
            return title
    raise BadDocument(f"{wanted} of {request.symbol} was missing, must be an object")


def _checked(meta: _Meta, request: IndicatorRequest) -> bool:
    """Whether data of what was asked for is delayed; data of anything else is refused."""
    if meta.text("Symbol").upper() != request.vendor_symbol.upper():
        raise meta.refusal("Symbol", repr(request.vendor_symbol))
    if meta.text("Interval").lower() != request.interval.lower():
        raise meta.refusal("Interval", repr(request.interval))
    indicator = meta.text("Indicator")
    if f"({request.indicator})" not in indicator:
        raise meta.refusal("Indicator", f"one that names ({request.indicator})")
    return _DELAYED in indicator


def _zone_name(meta: _Meta) -> str:
    zone = _ZONES.get(meta.text("Time Zone"))
    if zone is None:
        raise meta.refusal("Time Zone", f"one of {', '.join(_ZONES)}")
    return zone


def _history(
    rows: Mapping[str, msgspec.Raw], zone: ZoneInfo
) -> tuple[list[tuple[int, dict[str, float]]], int]:
    """The newest usable rows, newest first, and how many were passed over on the way."""
    # The three spellings of a bar time sort as the times do.
    newest = sorted(rows, reverse=True)
    usual = _usual_names(_values(rows[key]) for key in newest[:HISTORY_ROWS])
    history: list[tuple[int, dict[str, float]]] = []
    bad = 0
    for key in newest:
        ts_ms, values = _bar_ms(key, zone), _values(rows[key])
        twice = bool(history) and history[-1][0] == ts_ms
        if ts_ms is None or values is None or twice or not usual <= values.keys():
            bad += 1
            continue
        history.append((ts_ms, values))
        if len(history) == HISTORY_ROWS:
            break
    return history, bad


def _usual_names(rows: Iterator[dict[str, float] | None]) -> set[str]:
    """Names that at least half of the rows have: a stray one must not condemn all others."""
    found = [values for values in rows if values is not None]
    counts = Counter(name for values in found for name in values)
    return {name for name, count in counts.items() if 2 * count >= len(found)}


def _values(row: msgspec.Raw) -> dict[str, float] | None:
    """Numbers by name; None unless each is one."""
    try:
        values = _number_of(row)
    except (ValueError, RecursionError):
        return None
    return values if values and all(map(math.isfinite, values.values())) else None


def _bar_ms(text: str, zone: ZoneInfo) -> int | None:
    """Unix ms of a wall time in `zone`; of an hour that comes twice, the first.

    None when it is no time, or one that the clocks skip.
    """
    if not _BAR_TIME.fullmatch(text):
        return None
    try:
        wall = datetime.fromisoformat(text)
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        skipped = moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall
    except (ValueError, OverflowError):
        return None
    return None if skipped else int(moment.timestamp()) * 1000


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _name(request: IndicatorRequest) -> str:
    return f"{request.indicator} of {request.symbol}"
