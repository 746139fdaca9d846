"""What can be seen in Redis at one moment: how old each surface is, and what is known of why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.market.session import Session


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker's last heartbeat; times in Unix ms."""

    ts_ms: int
    state: str
    connected: bool
    detail: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class DepthSeen:
    """One (symbol, venue): when its last row came, and since when it holds a slot.

    `slot_since_ms` is None while it is parked; `refused` says why it gets no depth at all.
    """

    row_ms: int | None
    slot_since_ms: int | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PollSeen:
    """A polled document: when it was fetched, and what its monitor says."""

    fetched_ms: int | None
    status: str = "ok"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """`trades` are the newest received, `reported` the newest that a bar must contain, `bars` the
    ends of the newest 5-second bars (there is one only where something traded); Unix ms, by symbol,
    0 where there is none. `quotes` say as of when the quote holds.

    `depth` is by symbol and venue, `polls` by surface, then symbol.
    """

    now_ms: int
    session: Session
    beats: Mapping[str, Beat] = field(default_factory=dict)
    depth: Mapping[tuple[str, str], DepthSeen] = field(default_factory=dict)
    quotes: Mapping[str, int] = field(default_factory=dict)
    trades: Mapping[str, int] = field(default_factory=dict)
    reported: Mapping[str, int] = field(default_factory=dict)
    bars: Mapping[str, int] = field(default_factory=dict)
    polls: Mapping[str, Mapping[str, PollSeen]] = field(default_factory=dict)
    rotation_window_s: float = 0.0
