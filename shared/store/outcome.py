"""What the replies to a flush mean for each of its items. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import hiredis

from shared.market.depth import DepthUpdate

# Redis says "not now": the same command may succeed later.
_PASSING: Final = (
    "LOADING",
    "OOM",
    "READONLY",
    "BUSY",
    "NOSCRIPT",
    "MISCONF",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "NOREPLICAS",
)


@dataclass(slots=True)
class Outcome:
    written: Sequence[DepthUpdate] = field(default_factory=list)
    # Not taken now, but perhaps later.
    again: Sequence[DepthUpdate] = field(default_factory=list)
    # Never to be taken, by their place in the flush.
    refused: list[int] = field(default_factory=list)


def first_passing(replies: Sequence[Any]) -> int | None:
    """Place of the first error that a later try may not meet."""
    for index, reply in enumerate(replies):
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(_PASSING):
            return index
    return None


def judge(appended: Sequence[DepthUpdate], replies: Sequence[Any]) -> Outcome:
    """`replies` begin with those to the appended items.

    A stream takes no number below its newest: an item refused for the moment, while a later one
    of its symbol went through, is refused for good.
    """
    if hiredis.ReplyError not in set(map(type, replies)):
        return Outcome(written=appended)
    pairs = list(zip(appended, replies, strict=False))
    newest = {item.symbol: item.seq for item, reply in pairs if not _is_error(reply)}
    written: list[DepthUpdate] = []
    again: list[DepthUpdate] = []
    refused: list[int] = []
    for index, (item, reply) in enumerate(pairs):
        if not _is_error(reply):
            written.append(item)
        elif str(reply).startswith(_PASSING) and item.seq > newest.get(item.symbol, 0):
            again.append(item)
        else:
            refused.append(index)
    return Outcome(written, again, refused)


def _is_error(reply: Any) -> bool:
    return isinstance(reply, hiredis.ReplyError)
