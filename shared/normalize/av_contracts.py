"""Rows of an option chain one by one: who they are, and what of them is usable."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Raw

from shared.market.option import (
    COUNTS,
    GREEKS,
    MAX_COUNT,
    MAX_GREEK,
    MAX_PRICE,
    PRICES,
    ChainFaults,
    Contract,
)

# Root of up to six, then YYMMDD, C or P and the strike in thousandths: OCC without its blanks.
_SUFFIX: Final = 15
_MAX_ID: Final = 24

_one: Final = msgspec.json.Decoder(Contract, strict=False)
_loose: Final = msgspec.json.Decoder(dict[str, Any])


def spelled_alike(found: str, wanted: str) -> bool:
    """The vendor writes BRK-B in one place and BRK.B in another."""
    return found.upper().replace(".", "-") == wanted.upper().replace(".", "-")


def is_sound(contracts: Sequence[Contract]) -> bool:
    """Every id is fit for a key and says the same expiration and right as its row."""
    ids = [one.contractID for one in contracts]
    joined = "".join(ids)
    return (
        joined.isascii()
        and joined.isalnum()
        and min(map(len, ids), default=_MAX_ID) > _SUFFIX
        and max(map(len, ids), default=0) <= _MAX_ID
        and _agree({(one.contractID[-_SUFFIX:-8], one.expiration, one.type) for one in contracts})
        and all(map(_is_day, {one.date for one in contracts}))
    )


class Identity:
    """Which contracts a chain has so far."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def sound_alone(
        self, contracts: Sequence[Contract], rows: Sequence[Raw], faults: ChainFaults
    ) -> tuple[list[Contract], list[Raw]]:
        """Those whose id is fit for a key and agrees with the row; the rest is counted."""
        pairs = [(one, row) for one, row in zip(contracts, rows, strict=True) if is_sound([one])]
        faults.dropped += len(contracts) - len(pairs)
        return [one for one, _ in pairs], [row for _, row in pairs]

    def single(
        self, contracts: list[Contract], rows: list[Raw], faults: ChainFaults
    ) -> tuple[list[Contract], list[Raw]]:
        """The first row of every contract: the vendor was seen to double rows."""
        seen = self._seen
        before = len(seen)
        ids = [one.contractID for one in contracts]
        fresh = set(ids) - seen
        seen.update(fresh)
        if len(seen) - before == len(ids):
            return contracts, rows
        kept, kept_rows = [], []
        for one, row in zip(contracts, rows, strict=True):
            if one.contractID in fresh:
                fresh.discard(one.contractID)
                kept.append(one)
                kept_rows.append(row)
        faults.duplicates += len(contracts) - len(kept)
        return kept, kept_rows


def read_tolerantly(
    rows: Sequence[Raw], faults: ChainFaults, doubtful: set[str]
) -> tuple[list[Contract], list[Raw]]:
    """Contracts of rows that the typed decoder refused as a whole; `doubtful` gets the ids of
    those of which something was left out."""
    contracts, kept = [], []
    for row in rows:
        try:
            one: Contract | None = _one.decode(row)
        except msgspec.ValidationError:
            one = _usable(row, faults)
            doubtful.update([one.contractID] if one else [])
        if one is None:
            faults.dropped += 1
            continue
        contracts.append(one)
        kept.append(row)
    return contracts, kept


def _usable(row: Raw, faults: ChainFaults) -> Contract | None:
    """The contract with its bad values left out; None when it cannot be told which it is."""
    try:
        found = _loose.decode(row)
    except msgspec.ValidationError:
        return None
    strike = _number(found.get("strike"), 0.0, MAX_PRICE)
    texts = [found.get(name) for name in ("contractID", "symbol", "expiration", "type", "date")]
    if not strike or not all(isinstance(text, str) for text in texts):
        return None
    right = str(found["type"]).lower()
    if right not in ("call", "put"):
        return None
    values = _values(found, faults)
    return msgspec.convert(
        {**values, "strike": strike, "type": right,
         **{name: found[name] for name in ("contractID", "symbol", "expiration", "date")}},
        Contract,
    )  # fmt: skip


def _values(found: Mapping[str, Any], faults: ChainFaults) -> dict[str, float | int | None]:
    """Prices, counts and greeks; a value that is none is None and counted, null is just None."""
    values: dict[str, float | int | None] = {}
    readers: list[tuple[Sequence[str], Callable[[Any], float | int | None]]] = [
        (PRICES, lambda value: _number(value, 0.0, MAX_PRICE)),
        (COUNTS, _count),
        (GREEKS, lambda value: _number(value, -MAX_GREEK, MAX_GREEK)),
    ]
    for names, read in readers:
        for name in names:
            value = found.get(name)
            values[name] = read(value)
            if values[name] is None and value is not None:
                faults.bad_values += 1
    return values


def _number(value: Any, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and low <= number <= high else None


def _count(value: Any) -> int | None:
    number = _number(value, 0.0, float(MAX_COUNT))
    return None if number is None or number != int(number) else int(number)


def _agree(said: Set[tuple[str, str, str]]) -> bool:
    """(YYMMDD and right out of the id, expiration, type) as they must be together."""
    return all(
        stem == _compact(expiration) + ("C" if right == "call" else "P")
        for stem, expiration, right in said
    )


@lru_cache(maxsize=4096)
def _compact(day: str) -> str:
    """YYMMDD of YYYY-MM-DD, or a text that agrees with no contract id."""
    return day[2:].replace("-", "") if _is_day(day) else "no day"


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
