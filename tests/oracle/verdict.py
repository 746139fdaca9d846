"""Everything that was sent against everything that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.oracle import gather
from tests.oracle.check_bars import BarEvidence, check_bars
from tests.oracle.check_depth import DepthEvidence, check_depth
from tests.oracle.check_trades import TradeEvidence, check_trades
from tests.oracle.evidence import Findings, Gap, Window
from tests.oracle.limits import check_gateway, check_vendor
from tests.oracle.plan import SYMBOLS
from tests.oracle.reader import KeyReader
from tests.oracle.rig import Rig
from tests.oracle.sent import SentLog

__all__ = ["Evidence", "judge"]

_BAR_S: Final = 5
_DEPTH_CAP: Final = 3
# Redis trims whole nodes of a hundred entries.
_TRIM_SLACK: Final = 300


@dataclass(frozen=True, slots=True)
class Evidence:
    rig: Rig
    sent: SentLog
    reader: KeyReader
    # From the end of `make up` until the market was paused, Unix ms.
    watched_ms: tuple[int, int]
    held: Sequence[Window]


def judge(evidence: Evidence) -> Findings:
    findings = Findings()
    gaps = gather.gaps(evidence.rig.client)
    findings.count("gap entries", len(gaps))
    for symbol in SYMBOLS:
        findings.add(_depth(evidence, symbol, gaps))
        tape, trades = evidence.sent.tape(symbol), evidence.reader.trades(symbol)
        findings.add(check_trades(TradeEvidence(symbol, tape, trades, gaps)))
        findings.add(check_bars(_bars(evidence, symbol, gaps)))
    findings.add(check_gateway(evidence.rig.gateway_stats(), _DEPTH_CAP))
    findings.add(check_vendor(evidence.rig.vendor.call("stats")))
    for place in gather.secret_places(evidence.rig.product.layout.var, evidence.rig.secret):
        findings.violation("no key of the vendor", f"in file {place}")
    return findings


def _depth(evidence: Evidence, symbol: str, gaps: Sequence[Gap]) -> Findings:
    entries = gather.depth_entries(evidence.rig.client, symbol)
    turns = evidence.sent.turns(symbol)
    maxlen = evidence.rig.world.stream_maxlen
    findings = check_depth(
        DepthEvidence(symbol, turns, entries, gaps, evidence.held, len(entries) >= maxlen)
    )
    if len(entries) > maxlen + _TRIM_SLACK:
        text = f"depth {symbol}: {len(entries)} entries, trimmed to about {maxlen}"
        findings.violation("streams trimmed", text)
    return findings


def _bars(evidence: Evidence, symbol: str, gaps: Sequence[Gap]) -> BarEvidence:
    rig = evidence.rig
    from_ms, to_ms = evidence.watched_ms
    covered: Any = rig.client.hget("coord:covered:ibkr_trades", symbol)
    return BarEvidence(
        symbol,
        rig.gateway.call("bars", symbol=symbol, last=2_000)["bars"],
        gather.members(rig.client, f"market:{symbol}:bars:5s"),
        gather.members(rig.client, f"market:{symbol}:bars:1min"),
        gaps,
        from_s=-(-from_ms // 1_000 // _BAR_S) * _BAR_S,
        # The last bar before the pause may not have been sent any more.
        to_s=(to_ms - 1_500) // 1_000 // _BAR_S * _BAR_S,
        covered_s=int(covered or 0) / 1_000,
    )
