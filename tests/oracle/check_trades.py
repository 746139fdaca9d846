"""Every print of the tape: in the list of trades once and in order, or in a gap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.oracle.check_depth import numbers_in_gaps
from tests.oracle.evidence import Findings, Gap, Print, Trade

__all__ = ["TradeEvidence", "check_trades"]

# A gap begins when the tick before it was received, which is later than it was sent.
_LAG_MS: Final = 1_000
_ROUNDING_MS: Final = 3


@dataclass(frozen=True, slots=True)
class TradeEvidence:
    """Of one symbol; `trades` by number."""

    symbol: str
    prints: Sequence[Print]
    trades: Sequence[Trade]
    gaps: Sequence[Gap]


def check_trades(evidence: TradeEvidence) -> Findings:
    """Prints of the same second, price and size are told apart by nothing: of the earliest and
    the latest way to match them, the one that explains more counts."""
    ways = [_checked(evidence, latest) for latest in (False, True)]
    return min(ways, key=lambda findings: sum(findings.by_invariant.values()))


def _checked(evidence: TradeEvidence, latest: bool) -> Findings:
    findings = Findings()
    absent = _check_numbers(evidence, findings)
    matched = _latest(evidence, findings) if latest else _earliest(evidence, findings)
    findings.count("trades delivered", len(matched))
    # What was traded before the first one that came is older than the product.
    begin = matched[0][0] if matched else len(evidence.prints)
    findings.count("trades sent", len(evidence.prints) - begin)
    before: Trade | None = None
    for index, trade in [*matched, (len(evidence.prints), None)]:
        lost = evidence.prints[begin:index]
        if lost:
            _explain(evidence, (before, trade), lost, absent, findings)
        begin, before = index + 1, trade
    return findings


def _check_numbers(evidence: TradeEvidence, findings: Findings) -> set[int]:
    numbers = [trade.seq for trade in evidence.trades]
    told = numbers_in_gaps(evidence.gaps, "trades", evidence.symbol)
    there = set(numbers)
    missing = set(range(min(numbers, default=0), max(numbers, default=0) + 1)) - there
    for number in sorted(missing - told):
        text = f"trades {evidence.symbol}: {number} is in no gap"
        findings.violation("seq without holes", text)
    for number in sorted(told & there):
        text = f"trades {evidence.symbol}: {number} is in a gap and there"
        findings.violation("gaps are true", text)
    return told - there


def _places(evidence: TradeEvidence) -> dict[tuple[int, float, int], list[int]]:
    places: dict[tuple[int, float, int], list[int]] = {}
    for index, one in enumerate(evidence.prints):
        for ts in {one.ms, one.ms // 1_000 * 1_000}:
            places.setdefault((one.price_e4, one.size, ts), []).append(index)
    return places


def _earliest(evidence: TradeEvidence, findings: Findings) -> list[tuple[int, Trade]]:
    """(index of the print, its trade), in order of `seq`."""
    places = _places(evidence)
    matched: list[tuple[int, Trade]] = []
    at = 0
    for trade in evidence.trades:
        found = places.get((trade.price_e4, trade.size, trade.ts), [])
        place = bisect_left(found, at)
        if place == len(found):
            findings.violation("trades once, in order", _stranger(evidence, trade, bool(found)))
            continue
        matched.append((found[place], trade))
        at = found[place] + 1
    return matched


def _latest(evidence: TradeEvidence, findings: Findings) -> list[tuple[int, Trade]]:
    """The same from the end, each the newest print that was there when the trade came."""
    places = _places(evidence)
    matched: list[tuple[int, Trade]] = []
    until = len(evidence.prints)
    for trade in reversed(evidence.trades):
        found = places.get((trade.price_e4, trade.size, trade.ts), [])
        place = bisect_left(found, until) - 1
        while place >= 0 and evidence.prints[found[place]].ms > trade.received_ts + _ROUNDING_MS:
            place -= 1
        if place < 0:
            findings.violation("trades once, in order", _stranger(evidence, trade, bool(found)))
            continue
        matched.append((found[place], trade))
        until = found[place]
    return matched[::-1]


def _stranger(evidence: TradeEvidence, trade: Trade, known: bool) -> str:
    what = "stands there twice or out of order" if known else "was never printed"
    shown = f"{trade.price_e4 / 10_000} x {trade.size:g} at {trade.ts} ({trade.feed})"
    return f"{evidence.symbol} seq {trade.seq}, {shown}: {what}"


def _explain(
    evidence: TradeEvidence,
    between: tuple[Trade | None, Trade | None],
    lost: Sequence[Print],
    absent: set[int],
    findings: Findings,
) -> None:
    before, after = between
    low, high = before.seq if before else 0, after.seq if after else None
    inside = sorted(n for n in absent if n > low and (high is None or n < high))[: len(lost)]
    absent.difference_update(inside)
    findings.count("trades in gaps", len(inside))
    since_ms = before.received_ts if before else 0
    for one in lost[len(inside) :]:
        if any(_in_time_gap(evidence, at_ms) for at_ms in (one.ms, max(one.ms, since_ms))):
            findings.count("trades in gaps")
        else:
            where = f"{evidence.symbol} print {one.number} at {one.ms}"
            findings.violation("no trade lost", f"{where}: between seq {low} and {high}")


def _in_time_gap(evidence: TradeEvidence, at_ms: int) -> bool:
    return any(
        gap.about("trades", evidence.symbol)
        and gap.from_ts - _LAG_MS <= at_ms <= gap.to_ts + _ROUNDING_MS
        for gap in evidence.gaps
    )
