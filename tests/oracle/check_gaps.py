"""Gaps explain what is missing, so that each is looked at itself: it names no time in which
something came, and no loss that nothing can have caused."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.oracle.evidence import Disturbance, Findings, Gap

__all__ = ["GapEvidence", "check_gaps"]

# A gap begins with the last item before it and ends with the first one after it.
_EDGE_MS: Final = 30
# What a fault does shows a little later: a probe takes 8 s, a turn of the rotation 4 s each.
_LATER_MS: Final = 15_000
_SOONER_MS: Final = 2_000
# Who must be hit before a worker loses what it had numbered already; and who before it loses time.
_OF_NUMBERS: Final = frozenset(("redis", "setup", "clock"))
_OF_TIME: Final = _OF_NUMBERS | {"gateway", "load", "watchdog"}
_WORKER: Final = {"depth": "ibkr_depth", "trades": "ibkr_trades", "bars": "ibkr_trades"}


@dataclass(frozen=True, slots=True)
class GapEvidence:
    gaps: Sequence[Gap]
    # (feed, symbol, venue) -> when each item was received, in order; trades have no venue
    received: Mapping[tuple[str, str, str], Sequence[int]]
    disturbances: Sequence[Disturbance]


def check_gaps(evidence: GapEvidence) -> Findings:
    findings = Findings()
    for gap in evidence.gaps:
        _check_cause(evidence, gap, findings)
        # Of joined gaps only the outer edges are known.
        if gap.symbol and gap.from_seq is None and gap.feed != "bars":
            _check_inside(evidence, gap, findings)
    return findings


def _check_inside(evidence: GapEvidence, gap: Gap, findings: Findings) -> None:
    for (feed, symbol, venue), received in evidence.received.items():
        if not gap.about(feed, symbol, venue):
            continue
        first = bisect_left(received, gap.from_ts + _EDGE_MS)
        inside = bisect_left(received, gap.to_ts - _EDGE_MS) - first
        findings.count("gaps by time looked into")
        if inside > 0:
            text = f"{_told(gap)}: {inside} of {venue or symbol} came in it, at {received[first]}"
            findings.violation("gaps are true", text)


def _check_cause(evidence: GapEvidence, gap: Gap, findings: Findings) -> None:
    able = {_WORKER[gap.feed], *(_OF_TIME if gap.from_seq is None else _OF_NUMBERS)}
    caused = any(
        able & set(one.hit)
        and gap.from_ts <= one.to_ms + _LATER_MS
        and gap.to_ts >= one.from_ms - _SOONER_MS
        for one in evidence.disturbances
    )
    if not caused:
        findings.violation("gaps have a cause", _told(gap))


def _told(gap: Gap) -> str:
    numbers = f" {gap.from_seq} to {gap.to_seq}" if gap.from_seq is not None else ""
    where = f"{gap.feed} {gap.symbol} {gap.venue}".strip()
    return f"{where}{numbers} from {gap.from_ts} to {gap.to_ts}, {gap.reason[:60]}"
