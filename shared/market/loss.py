"""A window in which items of a symbol were lost, or may have been. Pure."""

from __future__ import annotations

import msgspec


class Loss(msgspec.Struct, frozen=True):
    """`feed` is ``trades`` or ``bars``; times are Unix ms; `count` is None where it is unknown."""

    feed: str
    symbol: str
    from_ts: int
    to_ts: int
    reason: str
    count: int | None = None
