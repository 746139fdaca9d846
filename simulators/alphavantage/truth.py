"""What was last sent, for those who compare it with what a client made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from .contract import COLUMNS, Row

__all__ = ["SentChain", "SentDocument", "number"]

_NAMES: Final = ("contract_id", *COLUMNS[1:])
_TEXTS: Final = frozenset({"contract_id", "symbol", "expiration", "type", "date"})
_COUNTS: Final = frozenset({"bid_size", "ask_size", "volume", "open_interest"})


def number(text: str) -> float | None:
    """None for what is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class SentChain:
    rows: list[Row]
    endpoint: str
    mono_s: float
    wall_s: float
    number: int
    faults: tuple[str, ...] = ()

    def snapshot(self, with_rows: bool, contract: str | None) -> dict[str, Any]:
        shown = [row for row in self.rows if contract in (None, row[0])]
        document = {
            "endpoint": self.endpoint,
            "number": self.number,
            "mono_s": self.mono_s,
            "wall_s": self.wall_s,
            "faults": list(self.faults),
            "date": self.rows[0][13] if self.rows else None,
            "greeks": any(len(row) > 14 for row in self.rows),
            "expirations": sorted({row[2] for row in self.rows}),
            **_sums(self.rows),
        }
        return {**document, "rows": [_typed(row) for row in shown]} if with_rows else document


def _sums(rows: list[Row]) -> dict[str, Any]:
    sums: dict[str, Any] = {"contracts": len(rows)}
    for kind in ("call", "put"):
        chosen = [row for row in rows if row[4] == kind]
        sums[f"{kind}s"] = len(chosen)
        sums[f"{kind}_volume"] = _total(row[11] for row in chosen)
        sums[f"{kind}_open_interest"] = _total(row[12] for row in chosen)
    for name in ("volume", "open_interest"):
        sums[name] = sums[f"call_{name}"] + sums[f"put_{name}"]
    return sums


def _total(texts: Iterable[str]) -> int:
    return sum(int(number(text) or 0) for text in texts)


def _typed(row: Row) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, text in zip(_NAMES, row, strict=False):
        value = text if name in _TEXTS else number(text)
        typed[name] = int(value) if name in _COUNTS and value is not None else value
    return typed


@dataclass(frozen=True, slots=True)
class SentDocument:
    """News or an indicator, as sent."""

    document: Any
    mono_s: float
    wall_s: float
    number: int
    faults: tuple[str, ...] = ()

    def snapshot(self) -> dict[str, Any]:
        return {
            "document": self.document, "number": self.number, "mono_s": self.mono_s,
            "wall_s": self.wall_s, "faults": list(self.faults),
        }  # fmt: skip
