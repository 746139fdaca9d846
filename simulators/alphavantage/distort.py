"""What faults make of a true answer; the rows given in are left as they are."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from random import Random
from typing import Any, Final

from .contract import COLUMNS, Row
from .faults import Fault

__all__ = ["JUNK", "WRONG_SYMBOL", "distort_document", "distort_rows"]

JUNK: Final = ("", "None", "-", "nan", "1e400")
WRONG_SYMBOL: Final = "ZZQ"
# From `last` on all values are numbers, but for the date.
_NUMBERS: Final = tuple(n for n, name in enumerate(COLUMNS) if n >= 5 and name != "date")
_SHARES: Final = {"missing_greeks": 1.0, "junk_values": 0.1, "vanish": 0.1}
_SHARE_ELSE: Final = 0.05


def distort_rows(rows: list[Row], faults: list[Fault], random: Random) -> list[Row]:
    for fault in faults:
        change = _ROWS.get(fault.kind)
        if change:
            rows = change(rows, _share(fault), random)
    return rows


def distort_document(document: dict[str, Any], faults: list[Fault], random: Random) -> Any:
    """The same for news and indicators, as far as it says anything there."""
    changes = [(_DOCUMENTS[f.kind], _share(f)) for f in faults if f.kind in _DOCUMENTS]
    if not changes:
        return document
    changed = copy.deepcopy(document)
    for change, share in changes:
        change(changed, share, random)
    return changed


def _share(fault: Fault) -> float:
    share = fault.values.get("share")
    return float(_SHARES.get(fault.kind, _SHARE_ELSE) if share is None else share)


def _chosen(count: int, share: float, random: Random) -> set[int]:
    """At least one, else a small share of a short list would do nothing."""
    wanted = min(count, max(1, round(share * count))) if share else 0
    return set(random.sample(range(count), wanted))


def _without_greeks(rows: list[Row], share: float, random: Random) -> list[Row]:
    chosen = _chosen(len(rows), share, random)
    return [row[:14] if n in chosen else row for n, row in enumerate(rows)]


def _with_junk(rows: list[Row], share: float, random: Random) -> list[Row]:
    changed = list(rows)
    for n in _chosen(len(rows), share, random):
        values = list(rows[n])
        values[random.choice([i for i in _NUMBERS if i < len(values)])] = random.choice(JUNK)
        changed[n] = tuple(values)
    return changed


def _with_others(rows: list[Row], share: float, random: Random) -> list[Row]:
    changed = list(rows)
    for n in _chosen(len(rows), share, random):
        contract, _, *rest = rows[n]
        changed[n] = (WRONG_SYMBOL + contract[-15:], WRONG_SYMBOL, *rest)
    return changed


def _with_repeats(rows: list[Row], share: float, random: Random) -> list[Row]:
    chosen = _chosen(len(rows), share, random)
    return [row for n, row in enumerate(rows) for _ in range(1 + (n in chosen))]


def _with_gaps(rows: list[Row], share: float, random: Random) -> list[Row]:
    """The same contracts are missing every time."""
    bound = share * 2**32
    return [row for row in rows if _place(row[0]) >= bound]


def _place(contract: str) -> int:
    return int.from_bytes(hashlib.blake2b(contract.encode(), digest_size=4).digest())


Change = Callable[[list[Row], float, Random], list[Row]]
_ROWS: Final[dict[str, Change]] = {
    "missing_greeks": _without_greeks,
    "junk_values": _with_junk,
    "wrong_symbol": _with_others,
    "duplicate_rows": _with_repeats,
    "vanish": _with_gaps,
}


def _junk_document(document: dict[str, Any], share: float, random: Random) -> None:
    places: list[tuple[dict[str, Any], str]] = []
    for article in document.get("feed", []):
        places.append((article, "overall_sentiment_score"))
        for entry in article["ticker_sentiment"]:
            places += [(entry, "relevance_score"), (entry, "ticker_sentiment_score")]
    for rows in (v for k, v in document.items() if k.startswith("Technical")):
        places += [(row, name) for row in rows.values() for name in row]
    for n in _chosen(len(places), share, random):
        row, name = places[n]
        row[name] = random.choice(JUNK)


def _other_symbol(document: dict[str, Any], share: float, random: Random) -> None:
    if "Meta Data" in document:
        document["Meta Data"]["1: Symbol"] = WRONG_SYMBOL
    feed = document.get("feed", [])
    for n in _chosen(len(feed), share, random):
        feed[n]["ticker_sentiment"][0]["ticker"] = WRONG_SYMBOL


def _repeat_articles(document: dict[str, Any], share: float, random: Random) -> None:
    feed = document.get("feed")
    if feed:
        chosen = _chosen(len(feed), share, random)
        document["feed"] = [a for n, a in enumerate(feed) for _ in range(1 + (n in chosen))]


_DOCUMENTS: Final[dict[str, Callable[[dict[str, Any], float, Random], None]]] = {
    "junk_values": _junk_document,
    "wrong_symbol": _other_symbol,
    "duplicate_rows": _repeat_articles,
}
