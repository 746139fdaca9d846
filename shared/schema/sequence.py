"""Numbers that rise by one, and the ledger that explains those that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.schema.row import Context, Flaw

Numbered = tuple[str, int, int]


def risen_by_one(newest_first: Sequence[Numbered], feed: str, context: Context) -> Iterator[Flaw]:
    """(path, seq, ts) of each item; a number that is left out must stand in the ledger of gaps."""
    limits = context.limits
    lost = limits.gaps.get((feed, context.names["symbol"]), ())
    for (path, seq, ts), (_, before, _) in zip(newest_first, newest_first[1:], strict=False):
        field = f"{path}.seq"
        if seq <= before:
            yield Flaw(field, seq, f"be above the {before} of the one before")
        elif ts >= limits.gaps_since_ms and (missing := first_missing(before + 1, seq - 1, lost)):
            yield Flaw(field, seq, f"be {missing}: that number is in no entry of the gaps ledger")


def first_missing(first: int, last: int, lost: Sequence[tuple[int, int]]) -> int:
    """The first number from `first` to `last` that no range covers; 0 for none."""
    for start, end in sorted(lost):
        if start <= first <= end:
            first = end + 1
    return first if first <= last else 0
