"""Every depth row: in the stream, in a gap, or left out by the stated policy.

A row that came after the worker's cancel is a straggler, and so is one of a turn that ended before
its first row was read: the symbol was parked all the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.oracle.evidence import Change, Entry, Findings, Gap, State, Turn, Window
from tests.oracle.mirror import Mirror, is_crossed, is_sorted

__all__ = ["DepthEvidence", "check_depth", "numbers_in_gaps", "states_of"]

# From the worker's cancel until the gateway has read it, and what was on its way meanwhile.
_STRAGGLERS_MS: Final = 1_000
# A turn that was cut off so soon may never have shown anything.
_UNSEEN_MS: Final = 2_500
_ROUNDING_MS: Final = 3


@dataclass(frozen=True, slots=True)
class DepthEvidence:
    """Of one symbol."""

    symbol: str
    turns: Sequence[Turn]
    entries: Sequence[Entry]
    gaps: Sequence[Gap]
    # When the worker was stopped or its machine was slow by command: it cancels later then.
    held: Sequence[Window] = ()
    # The stream has reached its length: what is older than its first entry is not looked at.
    trimmed: bool = False

    @property
    def first_seq(self) -> int:
        return self.entries[0].seq if self.trimmed and self.entries else 1

    @property
    def begin_ms(self) -> int:
        return self.entries[0].ts if self.trimmed and self.entries else 0


def check_depth(evidence: DepthEvidence) -> Findings:
    findings = Findings()
    absent = _check_numbers(evidence, findings)
    by_turn = _assign(evidence, findings)
    last_shown = {evidence.turns[number].venue: number for number in sorted(by_turn)}
    turns = _Turns(evidence, absent, findings)
    for number, turn in enumerate(evidence.turns):
        if evidence.trimmed and turn.opened_ms <= evidence.begin_ms:
            # Of its entries the first ones are gone, and nobody can tell how many.
            continue
        # The gap of an outage is entered with the next turn, which may be yet to come.
        turns.untold = turn.cut_off and number >= last_shown.get(turn.venue, -1)
        turns.check(turn, by_turn.get(number, []))
    for venue in {turn.venue for turn in evidence.turns}:
        shown = [
            (turn, by_turn[number])
            for number, turn in enumerate(evidence.turns)
            if turn.venue == venue and number in by_turn
        ]
        for (cut, before), (_, after) in zip(shown, shown[1:], strict=False):
            if cut.cut_off:
                _check_told(evidence, cut, (before[-1].ts, after[0].ts), findings)
    return findings


def _check_told(
    evidence: DepthEvidence, cut: Turn, outage_ms: tuple[int, int], findings: Findings
) -> None:
    """What the market did between a turn that was cut off and the next one nobody saw."""
    findings.count("depth outages")
    from_ms, to_ms = outage_ms
    told = any(
        gap.about("depth", evidence.symbol, cut.venue)
        and gap.from_ts <= from_ms + _ROUNDING_MS
        and gap.to_ts >= to_ms - _ROUNDING_MS
        for gap in evidence.gaps
    )
    if not told:
        how = "halted" if cut.halted else cut.end
        text = f"depth {cut.symbol} {cut.venue} req {cut.req_id} {how}: {from_ms} to {to_ms}"
        findings.violation("outages told", f"{text} is in no gap")


def states_of(turn: Turn) -> list[State]:
    mirror = Mirror(turn.venue, turn.rows_asked)
    return [mirror.after(change) for change in turn.changes]


def _check_numbers(evidence: DepthEvidence, findings: Findings) -> set[int]:
    """Numbers that are missing from the stream and stand in a gap."""
    numbers = [entry.seq for entry in evidence.entries]
    where = evidence.symbol
    for before, after in zip(numbers, numbers[1:], strict=False):
        if after <= before:
            findings.violation("seq in order", f"depth {where}: {after} after {before}")
    told = numbers_in_gaps(evidence.gaps, "depth", where)
    there = set(numbers)
    missing = set(range(evidence.first_seq, max(numbers, default=0) + 1)) - there
    for number in sorted(missing - told):
        findings.violation("seq without holes", f"depth {where}: {number} is in no gap")
    for number in sorted(told & there):
        findings.violation("gaps are true", f"depth {where}: {number} is in a gap and there")
    return told - there


def numbers_in_gaps(gaps: Iterable[Gap], feed: str, symbol: str) -> set[int]:
    numbers: set[int] = set()
    for gap in gaps:
        if gap.about(feed, symbol) and gap.symbol and gap.from_seq and gap.to_seq:
            numbers.update(range(gap.from_seq, gap.to_seq + 1))
    return numbers


def _assign(evidence: DepthEvidence, findings: Findings) -> Mapping[int, list[Entry]]:
    """Entries by turn: a row cannot be received before its request, nor after the next one."""
    opened: dict[str, list[tuple[int, int]]] = {}
    for number, turn in enumerate(evidence.turns):
        opened.setdefault(turn.venue, []).append((turn.opened_ms, number))
    by_turn: dict[int, list[Entry]] = {}
    for entry in evidence.entries:
        turns = opened.get(entry.venue, [])
        at = bisect_right(turns, (entry.ts + _ROUNDING_MS, len(evidence.turns)))
        if at == 0:
            text = f"depth {evidence.symbol} {entry.venue} seq {entry.seq}: nobody asked for it"
            findings.violation("no foreign row", text)
        else:
            by_turn.setdefault(turns[at - 1][1], []).append(entry)
        if not is_sorted(entry.state):
            findings.violation("sides sorted", f"depth {evidence.symbol} seq {entry.seq}")
    return by_turn


class _Turns:
    """The rows of each turn against the entries it made."""

    def __init__(self, evidence: DepthEvidence, absent: set[int], findings: Findings) -> None:
        self._evidence = evidence
        # Numbers in a gap that explain no row yet.
        self._absent = absent
        self.untold = False
        self._findings = findings

    def check(self, turn: Turn, entries: list[Entry]) -> None:
        states = states_of(turn)
        self._findings.count("depth sent", len(turn.changes))
        matched = self._align(entries, states)
        self._findings.count("depth delivered", len(matched))
        begin = 0
        before: Entry | None = None
        for index, entry in [*matched, (len(states), None)]:
            lost = turn.changes[begin:index]
            if lost:
                self._explain(turn, (before, entry), lost)
            begin, before = index + 1, entry

    def _align(self, entries: list[Entry], states: list[State]) -> list[tuple[int, Entry]]:
        """(index of the row, its entry); both in order, so the earliest place will do."""
        matched: list[tuple[int, Entry]] = []
        at = 0
        for entry in entries:
            found = next((i for i in range(at, len(states)) if states[i] == entry.state), None)
            if found is None:
                crossed = ", crossed" if is_crossed(entry.state) else ""
                where = f"depth {self._evidence.symbol} {entry.venue} seq {entry.seq}"
                self._findings.violation("books as sent", f"{where}: was never so{crossed}")
                continue
            matched.append((found, entry))
            at = found + 1
        return matched

    def _explain(
        self, turn: Turn, between: tuple[Entry | None, Entry | None], lost: list[Change]
    ) -> None:
        """Rows without an entry, between two entries of their turn."""
        before, after = between
        since_ms = before.ts if before else 0
        low, high = before.seq if before else 0, after.seq if after else None
        numbered = self._take(low, high, len(lost))
        self._findings.count("depth in gaps", numbered)
        for change in lost[numbered:]:
            if self._in_time_gap(turn.venue, max(change.ms, since_ms)):
                self._findings.count("depth in gaps")
            elif after is None and self._left_out(turn, before, change):
                self._findings.count("depth left out")
            elif after is None and self.untold:
                self._findings.count("depth pending")
            else:
                where = f"depth {turn.symbol} {turn.venue} req {turn.req_id} at {change.ms}"
                end = f"turn from {turn.opened_ms} to {turn.ended_ms} {turn.end}"
                self._findings.violation(
                    "no row lost", f"{where}: between seq {low} and {high}; {end}"
                )

    def _take(self, low: int, high: int | None, wanted: int) -> int:
        """Uses up missing numbers between two that are there; returns how many."""
        inside = sorted(n for n in self._absent if n > low and (high is None or n < high))
        self._absent.difference_update(inside[:wanted])
        return len(inside[:wanted])

    def _in_time_gap(self, venue: str, at_ms: int) -> bool:
        return any(
            gap.about("depth", self._evidence.symbol, venue)
            and gap.from_ts - _ROUNDING_MS <= at_ms <= gap.to_ts + _ROUNDING_MS
            for gap in self._evidence.gaps
        )

    def _left_out(self, turn: Turn, before: Entry | None, change: Change) -> bool:
        ended_ms = turn.ended_ms
        if ended_ms is None:
            return False
        if turn.end == "cancelled":
            held = any(w.from_ms <= ended_ms and w.to_ms >= change.ms for w in self._evidence.held)
            return held or change.ms >= ended_ms - _STRAGGLERS_MS
        # Nothing of this turn was ever shown; a worker that was stopped had not read anything yet.
        stopped = any(w.from_ms <= change.ms and w.to_ms >= ended_ms for w in self._evidence.held)
        return before is None and (stopped or change.ms >= ended_ms - _UNSEEN_MS)
