"""What the replies to a flush mean for each of its items. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic

import hiredis

from shared.store.flush import Flush
from shared.store.item import ItemT

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
class Outcome(Generic[ItemT]):
    written: Sequence[ItemT] = field(default_factory=list)
    # Not taken now, but perhaps later.
    again: Sequence[ItemT] = field(default_factory=list)
    # Never to be taken, with the place of the reply that says so.
    refused: list[tuple[ItemT, int]] = field(default_factory=list)


def first_passing(replies: Sequence[Any]) -> int | None:
    """Place of the first error that a later try may not meet."""
    for index, reply in enumerate(replies):
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(_PASSING):
            return index
    return None


def judge(flush: Flush[ItemT], replies: Sequence[Any]) -> Outcome[ItemT]:
    """`replies` begin with those to the appended items.

    A stream takes no number below its newest: an item refused for the moment, while a later one
    of its symbol went through, is refused for good.
    """
    if hiredis.ReplyError not in set(map(type, replies)):
        return Outcome(written=flush.appended)
    answered = list(_answered(flush, replies))
    newest = {item.symbol: item.seq for item, reply, _ in answered if not _is_error(reply)}
    written: list[ItemT] = []
    again: list[ItemT] = []
    refused: list[tuple[ItemT, int]] = []
    for item, reply, index in answered:
        if not _is_error(reply):
            written.append(item)
        elif str(reply).startswith(_PASSING) and item.seq > newest.get(item.symbol, 0):
            again.append(item)
        else:
            refused.append((item, index))
    return Outcome(written, again, refused)


def _answered(flush: Flush[ItemT], replies: Sequence[Any]) -> Iterator[tuple[ItemT, Any, int]]:
    """Each item with its reply and the place of that."""
    shares = [1] * len(flush.appended) if flush.shares is None else flush.shares
    items = iter(flush.appended)
    for index, share in enumerate(shares):
        for _ in range(share):
            yield next(items), replies[index], index


def _is_error(reply: Any) -> bool:
    return isinstance(reply, hiredis.ReplyError)
