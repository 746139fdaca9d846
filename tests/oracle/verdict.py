"""Everything that was sent against everything that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.oracle import gather
from tests.oracle.check_bars import BarEvidence, check_bars
from tests.oracle.check_depth import DepthEvidence, check_depth
from tests.oracle.check_gaps import GapEvidence, check_gaps
from tests.oracle.check_trades import TradeEvidence, check_trades
from tests.oracle.evidence import Disturbance, Findings, Gap, Window
from tests.oracle.limits import check_gateway, check_vendor
from tests.oracle.plan import INDICATORS, SYMBOLS
from tests.oracle.reader import KeyReader
from tests.oracle.rig import Rig
from tests.oracle.sent import SentLog

__all__ = ["Case", "Watched", "collect", "judge"]

_BAR_S: Final = 5
_DEPTH_CAP: Final = 3
# Redis trims whole nodes of a hundred entries.
_TRIM_SLACK: Final = 300
_DOCUMENTS: Final = {
    "chains": ("REALTIME_OPTIONS", "HISTORICAL_OPTIONS"),
    "news": ("NEWS_SENTIMENT",),
    "indicators": INDICATORS,
}


@dataclass(frozen=True, slots=True)
class Watched:
    rig: Rig
    sent: SentLog
    reader: KeyReader
    # From the end of `make up` until the market was paused, Unix ms.
    span_ms: tuple[int, int]
    held: Sequence[Window]
    disturbances: Sequence[Disturbance]


@dataclass(frozen=True, slots=True)
class Case:
    """Plain values, so that a run can be judged again later."""

    depth: tuple[DepthEvidence, ...]
    trades: tuple[TradeEvidence, ...]
    bars: tuple[BarEvidence, ...]
    gaps: GapEvidence
    gateway: dict[str, Any]
    vendor: dict[str, Any]
    # By function, answers that were the vendor's data and no refusal.
    answered: dict[str, int]
    # Files that hold a secret.
    secret_in: tuple[tuple[str, str], ...]
    # What Redis refused to one of the product's users since it was started.
    denied: tuple[str, ...]
    stream_maxlen: int


def collect(watched: Watched) -> Case:
    rig, sent, reader = watched.rig, watched.sent, watched.reader
    gaps = gather.gaps(rig.client, rig.true_ms)
    depth = tuple(_depth(watched, symbol, gaps) for symbol in SYMBOLS)
    trades = tuple(
        TradeEvidence(symbol, sent.tape(symbol), reader.trades(symbol, rig.true_ms), gaps)
        for symbol in SYMBOLS
    )
    return Case(
        depth=depth,
        trades=trades,
        gaps=GapEvidence(gaps, _received(depth, trades), watched.disturbances),
        bars=tuple(_bars(watched, symbol, gaps) for symbol in SYMBOLS),
        gateway=rig.gateway_stats(),
        vendor=rig.vendor.call("stats"),
        answered=gather.answered(rig.vendor),
        secret_in=_secret_places(rig),
        denied=gather.denied(rig.client),
        stream_maxlen=rig.world.stream_maxlen,
    )


def judge(case: Case) -> Findings:
    findings = Findings()
    findings.count("gap entries", len(case.gaps.gaps))
    findings.add(check_gaps(case.gaps))
    for depth in case.depth:
        findings.add(check_depth(depth))
        if len(depth.entries) > case.stream_maxlen + _TRIM_SLACK:
            text = f"depth {depth.symbol}: {len(depth.entries)} entries"
            findings.violation("streams trimmed", f"{text}, trimmed to about {case.stream_maxlen}")
    for trades in case.trades:
        findings.add(check_trades(trades))
    for bars in case.bars:
        findings.add(check_bars(bars))
    findings.add(check_gateway(case.gateway, _DEPTH_CAP))
    findings.add(check_vendor(case.vendor))
    for what, functions in _DOCUMENTS.items():
        number = sum(case.answered.get(function, 0) for function in functions)
        findings.count(f"{what} answered by the vendor", number)
    for what in case.denied:
        findings.violation("rights suffice", what)
    for what, place in case.secret_in:
        findings.violation(f"no {what}", f"in file {place}")
    return findings


def _secret_places(rig: Rig) -> tuple[tuple[str, str], ...]:
    """The vendor's key, and what all passwords of Redis are made from, which stands in .env."""
    secrets = {"key of the vendor": rig.secret, "password of Redis": rig.redis_password}
    var = rig.product.layout.var
    return tuple(
        (what, place)
        for what, secret in secrets.items()
        for place in gather.secret_places(var, secret)
    )


def _received(
    depth: Sequence[DepthEvidence], trades: Sequence[TradeEvidence]
) -> dict[tuple[str, str, str], list[int]]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for of_symbol in depth:
        for entry in of_symbol.entries:
            found.setdefault(("depth", of_symbol.symbol, entry.venue), []).append(entry.ts)
    for tape in trades:
        found["trades", tape.symbol, ""] = [trade.received_ts for trade in tape.trades]
    return {key: sorted(times) for key, times in found.items()}


def _depth(watched: Watched, symbol: str, gaps: Sequence[Gap]) -> DepthEvidence:
    entries = gather.depth_entries(watched.rig.client, symbol, watched.rig.true_ms)
    trimmed = len(entries) >= watched.rig.world.stream_maxlen
    turns = watched.sent.turns(symbol)
    return DepthEvidence(symbol, turns, entries, gaps, tuple(watched.held), trimmed)


def _bars(watched: Watched, symbol: str, gaps: Sequence[Gap]) -> BarEvidence:
    rig = watched.rig
    from_ms, to_ms = watched.span_ms
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
        covered_s=rig.true_ms(int(covered or 0)) / 1_000,
    )
