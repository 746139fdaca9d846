"""What leaves the depth feed: one update per row, and what happened to its subscriptions."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

ENTRY_OVERHEAD_BYTES: Final = 200


class BookState(StrEnum):
    """How far a published book can be trusted."""

    LIVE = "live"
    RESET = "reset"  # TWS error 317: emptied, until it is refilled
    PARKED = "parked"  # rotated out: the last known book


class Pair(msgspec.Struct, frozen=True, order=True):
    """One depth subscription: a symbol of ours on a canonical venue."""

    symbol: str
    venue: str

    def __str__(self) -> str:
        return f"{self.symbol}@{self.venue}"


class DepthUpdate(msgspec.Struct, gc=False):
    """One stream entry. `bids` and `asks` are JSON of exactly ten rows each.

    `ts_ms` is our receive time (depth rows carry no vendor time), `received_s` the same moment
    on the monotonic clock. `seq` and `entry_ms` (the time part of the stream entry's id, which
    never goes back) are given by the writer.
    """

    symbol: str
    venue: str
    ts_ms: int
    received_s: float
    bids: bytes
    asks: bytes
    state: BookState
    seq: int = 0
    entry_ms: int = 0

    @property
    def size_bytes(self) -> int:
        """What it takes of a bounded queue: its text and the objects around it."""
        return len(self.bids) + len(self.asks) + ENTRY_OVERHEAD_BYTES


class GapWindow(msgspec.Struct, frozen=True):
    """A time in which rows of a pair may have been lost, from the last row to the first again."""

    pair: Pair
    from_ts: int
    to_ts: int
    reason: str


class Refusal(msgspec.Struct, frozen=True):
    """Why a pair has no depth, and when it is asked for again (Unix ms)."""

    pair: Pair
    code: int
    text: str
    ts: int
    retry_ts: int


class RotationEvent(msgspec.Struct, frozen=True):
    """`event` is subscribe, live, cancel, refused or cooldown."""

    event: str
    pair: Pair
    slot: int
    req_id: int
    detail: str = ""
