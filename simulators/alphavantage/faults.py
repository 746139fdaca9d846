from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from .texts import ALIASES, REFUSALS

__all__ = ["KINDS", "Fault", "FaultBook", "Hits"]

# Whole answers in place of the true one.
TRANSPORT: Final = frozenset({
    "html_503", "status_429", "outage", "hang", "reset", "huge_body", "gzip_bomb", "redirect",
    "bad_json",
})  # fmt: skip
# The true answer, told badly.
DELIVERIES: Final = frozenset({"trickle", "cut_body"})
# The true answer with something wrong in it.
DISTORTIONS: Final = frozenset({
    "missing_greeks", "junk_values", "wrong_symbol", "wrong_endpoint", "duplicate_rows", "vanish",
})  # fmt: skip
DOCUMENTS: Final = frozenset({"artificial", "empty_chain", "stale", "body"})
_TEXTS: Final = frozenset({*REFUSALS, *ALIASES, "empty_object", "opt_no_data_day"})
KINDS: Final = tuple(sorted(TRANSPORT | DELIVERIES | DISTORTIONS | DOCUMENTS | _TEXTS | {"slow"}))
_OPTIONS: Final = frozenset({"REALTIME_OPTIONS", "HISTORICAL_OPTIONS"})
# These say something only about chains, so they leave other functions alone.
_CHAIN_KINDS: Final = frozenset({"missing_greeks", "vanish", "artificial", "empty_chain"})
_FOR_OPTIONS: Final = _CHAIN_KINDS | {"wrong_endpoint", "no_data_day", "opt_no_data_day"}
_FOR_NEWS: Final = frozenset({
    "no_articles", "invalid_inputs", "info_news_no_articles", "info_news_invalid_inputs",
})  # fmt: skip


@dataclass(slots=True)
class Fault:
    """Hits `count` matching requests, or all until a time; the first `after` ones pass."""

    number: int
    kind: str
    function: str | None = None
    symbol: str | None = None
    count: int | None = None
    until_s: float | None = None
    after: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    @property
    def name(self) -> str:
        return ALIASES.get(self.kind, self.kind)

    def wants(self, function: str, symbol: str) -> bool:
        if self.symbol not in (None, symbol):
            return False
        if self.function is not None:
            return self.function == function
        if self.kind in _FOR_OPTIONS:
            return function in _OPTIONS
        return self.kind not in _FOR_NEWS or function == "NEWS_SENTIMENT"

    def is_over(self, now_s: float) -> bool:
        spent = self.count is not None and self.hits >= self.count
        return spent or (self.until_s is not None and now_s >= self.until_s)

    def snapshot(self, now_s: float) -> dict[str, Any]:
        left_s = None if self.until_s is None else round(self.until_s - now_s, 3)
        return {
            "id": self.number, "kind": self.kind, "function": self.function,
            "symbol": self.symbol, "count": self.count, "left_s": left_s, "after": self.after,
            "hits": self.hits,
        }  # fmt: skip


@dataclass(slots=True)
class Hits:
    """The faults one request ran into: all small ones, and the first that replaces the answer."""

    slow: list[Fault] = field(default_factory=list)
    distortions: list[Fault] = field(default_factory=list)
    delivery: Fault | None = None
    replacement: Fault | None = None

    @property
    def kinds(self) -> list[str]:
        single = [fault for fault in (self.replacement, self.delivery) if fault]
        return [fault.kind for fault in (*single, *self.distortions, *self.slow)]


class FaultBook:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, kind: str, **fields: Any) -> Fault:
        self._made += 1
        fault = Fault(self._made, kind, **fields)
        self._faults.append(fault)
        return fault

    def clear(self, number: int | None = None, kind: str | None = None) -> int:
        kept = [f for f in self._faults if not _is_meant(f, number, kind)]
        cleared = len(self._faults) - len(kept)
        self._faults = kept
        return cleared

    def open(self, now_s: float) -> list[Fault]:
        self._faults = [fault for fault in self._faults if not fault.is_over(now_s)]
        return self._faults

    def hit(self, function: str, symbol: str, now_s: float) -> Hits:
        hits = Hits()
        for fault in self.open(now_s):
            if fault.wants(function, symbol) and _has_room(fault, hits):
                _take(fault, hits)
        return hits


def _is_meant(fault: Fault, number: int | None, kind: str | None) -> bool:
    return number in (None, fault.number) and kind in (None, fault.kind)


def _has_room(fault: Fault, hits: Hits) -> bool:
    """A second fault of a sort that a request can meet once waits for the next request."""
    if fault.kind == "slow" or fault.kind in DISTORTIONS:
        return True
    return (hits.delivery if fault.kind in DELIVERIES else hits.replacement) is None


def _take(fault: Fault, hits: Hits) -> None:
    if fault.after > 0:
        fault.after -= 1
        return
    fault.hits += 1
    if fault.kind == "slow":
        hits.slow.append(fault)
    elif fault.kind in DISTORTIONS:
        hits.distortions.append(fault)
    elif fault.kind in DELIVERIES:
        hits.delivery = fault
    else:
        hits.replacement = fault
