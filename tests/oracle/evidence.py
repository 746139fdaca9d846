"""What the simulators sent and what Redis holds, as plain values; none of the product's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = [
    "Change",
    "Disturbance",
    "Entry",
    "Findings",
    "Gap",
    "Print",
    "Trade",
    "Turn",
    "State",
    "Window",
]

# Both sides as published: (price x 10000 or None, size, maker), ten rows each.
Level = tuple[int | None, float, str | None]
State = tuple[tuple[Level, ...], tuple[Level, ...]]
_SHOWN_MAX: Final = 8


class Change(NamedTuple):
    """One row that the gateway sent, or a reset (317)."""

    ms: int
    # operation, side, position, price x 10000, size, maker; None for a reset
    row: tuple[int, int, int, int, float, str] | None


@dataclass(slots=True)
class Turn:
    """One depth subscription, from its request to its end."""

    symbol: str
    venue: str
    connection: int
    req_id: int
    rows_asked: int
    opened_ms: int
    changes: list[Change] = field(default_factory=list)
    ended_ms: int | None = None
    end: str = ""
    # 316: no more rows, though the request is open.
    halted: bool = False

    @property
    def cut_off(self) -> bool:
        """Ended by other than the worker's cancel, so that rows were missed."""
        return self.halted or self.end not in ("", "cancelled")


class Entry(NamedTuple):
    """One entry of a depth stream."""

    ts: int
    seq: int
    venue: str
    state: State


class Print(NamedTuple):
    """One trade on the simulated tape."""

    number: int
    ms: int
    price_e4: int
    size: float


class Trade(NamedTuple):
    """One member of a list of trades."""

    seq: int
    ts: int
    received_ts: int
    price_e4: int
    size: float
    feed: str


class Gap(NamedTuple):
    feed: str
    symbol: str
    venue: str
    from_seq: int | None
    to_seq: int | None
    from_ts: int
    to_ts: int
    reason: str

    def about(self, feed: str, symbol: str, venue: str = "") -> bool:
        """Whether it speaks of this symbol; a joined gap names none, a mixed one no venue."""
        return (
            self.feed == feed
            and self.symbol in ("", symbol)
            and (not venue or self.venue in ("", venue))
        )


class Window(NamedTuple):
    """A time in which something was done to the product, Unix ms."""

    from_ms: int
    to_ms: int


class Disturbance(NamedTuple):
    """A step of faults until all was fed again, Unix ms; whom it hit: redis, ibkr_depth, ..."""

    from_ms: int
    to_ms: int
    hit: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """What a check counted, and what it holds against the product."""

    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _kinds: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def violation(self, invariant: str, text: str) -> None:
        """At most so many of one invariant are told in words, all are counted."""
        told = self._kinds[invariant] = self._kinds.get(invariant, 0) + 1
        if told <= _SHOWN_MAX:
            self.violations.append(f"{invariant}: {text}")

    def add(self, other: Findings) -> None:
        for name, number in other.counts.items():
            self.count(name, number)
        self.violations += other.violations
        for invariant, number in other._kinds.items():
            self._kinds[invariant] = self._kinds.get(invariant, 0) + number

    @property
    def by_invariant(self) -> dict[str, int]:
        return dict(self._kinds)


def level(row: Any) -> Level:
    """A published row `[price, size, maker]`."""
    price, size, maker = row
    return (None if price is None else round(price * 10_000), float(size), maker)
