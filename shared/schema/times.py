"""Times that must not lie ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.schema.row import Context, Flaw, Item

# A stored time further ahead than this is a clock that stepped back.
FUTURE_TOLERANCE_MS: Final = 2_000
# Times of what is to come.
_AHEAD: Final = frozenset({"retry_ts", "until_ts", "opens_ts", "closes_ts", "next_open_ts"})


def is_time(name: str) -> bool:
    return (name == "ts" or name.endswith("_ts")) and name not in _AHEAD


def ahead(field: str, at_ms: float, context: Context) -> Iterator[Flaw]:
    if at_ms > context.now_ms + FUTURE_TOLERANCE_MS:
        yield Flaw(field, at_ms, f"be at most 2 s ahead of now, {context.now_ms}")


def not_ahead(item: Item, context: Context) -> Iterator[Flaw]:
    """For a payload that is a time itself."""
    yield from ahead("", item.doc, context)


def not_ahead_starts(item: Item, context: Context) -> Iterator[Flaw]:
    if item.doc.t * 1000 > context.now_ms + FUTURE_TOLERANCE_MS:
        yield Flaw("t", item.doc.t, f"be at most 2 s ahead of now, {context.now_ms // 1000}")
