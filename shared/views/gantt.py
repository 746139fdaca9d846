"""Who held which depth slot when, from the rotation ledger. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from shared.views.words import milliseconds, plain

REACH_S: Final = 900
# How long a 309 holds up new requests, as the ledger words it.
_WAIT: Final = re.compile(r"wait (\d+(?:\.\d+)?) s$")


@dataclass(frozen=True, slots=True)
class Span:
    """`live_ms` is when the first row came; `to_ms` None while it is held.

    `end` is `rotation` or another reason of the cancel, `refused`, or `lost` where the worker went.
    """

    slot: int
    symbol: str
    venue: str
    from_ms: int
    live_ms: int | None = None
    to_ms: int | None = None
    end: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """`kind` is `309`, no slot is left and nobody asks before `until_ms`, or `refused`."""

    slot: int
    at_ms: int
    kind: str
    text: str
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Gantt:
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


def gantt(
    entries: Iterable[Mapping[str, str]],
    started_ms: int,
    live: Mapping[str, Sequence[str]] | None = None,
) -> Gantt:
    """`entries` oldest first; `started_ms`: what was open when the worker started is over.

    `live` are the venues of open books by symbol: one whose turn is older than the entries holds
    the first slot that nobody is known to hold.
    """
    held: dict[int, Span] = {}
    done: list[Span] = []
    marks: dict[tuple[str, str], Mark] = {}
    first_ms = 0
    for entry in entries:
        at_ms, slot = milliseconds(entry.get("ts")), entry.get("slot", "")
        if at_ms is None or not (slot.isascii() and slot.isdigit()):
            continue
        first_ms = first_ms or at_ms
        _take(entry, at_ms, held, done)
        if mark := _mark(entry, int(slot), at_ms):
            # A 309 has two entries of one request: that it is refused, and the cool-down after it.
            marks[slot, entry.get("req_id", "")] = mark
    gone = [one for one in held.values() if one.from_ms < started_ms]
    now = [one for one in held.values() if one.from_ms >= started_ms]
    done += [replace(one, to_ms=started_ms, end="lost") for one in gone]
    done += [*now, *_held_before(live or {}, now, max(first_ms, started_ms))]
    in_time = sorted(done, key=lambda one: (one.from_ms, one.slot))
    return Gantt(tuple(in_time), tuple(marks.values()))


def _held_before(
    live: Mapping[str, Sequence[str]], held: Collection[Span], from_ms: int
) -> Iterator[Span]:
    known = {(one.symbol, one.venue) for one in held}
    taken = {one.slot for one in held}
    free = (slot for slot in count() if slot not in taken)
    for symbol, venues in live.items():
        for venue in venues:
            if (symbol, venue) not in known:
                yield Span(next(free), symbol, venue, from_ms, from_ms)


def _take(entry: Mapping[str, str], at_ms: int, held: dict[int, Span], done: list[Span]) -> None:
    slot, event, why = int(entry["slot"]), entry.get("event"), plain(entry.get("detail", ""))
    if event == "subscribe":
        if slot in held:
            done.append(replace(held.pop(slot), to_ms=at_ms, end="lost"))
        held[slot] = Span(
            slot, plain(entry.get("symbol", "")), plain(entry.get("venue", "")), at_ms
        )
    elif event == "live" and slot in held:
        held[slot] = replace(held[slot], live_ms=held[slot].live_ms or at_ms)
    elif event in ("cancel", "refused") and slot in held:
        end = why if event == "cancel" else "refused"
        done.append(replace(held.pop(slot), to_ms=at_ms, end=end or event))


def _mark(entry: Mapping[str, str], slot: int, at_ms: int) -> Mark | None:
    event, why = entry.get("event", ""), plain(entry.get("detail", ""))
    if event not in ("refused", "cooldown"):
        return None
    text = f"{plain(entry.get('symbol', ''))} {why}".strip()
    if event == "refused":
        return Mark(slot, at_ms, "refused", text)
    wait = _WAIT.search(why)
    return Mark(slot, at_ms, "309", text, at_ms + round(float(wait[1]) * 1000) if wait else None)
