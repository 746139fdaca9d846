"""Bars and candles against the simulator's own, once what history can fill is filled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.oracle.evidence import Findings, Gap

__all__ = ["BarEvidence", "check_bars"]

_BAR_S: Final = 5
_MINUTE_S: Final = 60
# An outage is taken to begin so much earlier than it was noticed: until its window is fetched, the
# candle of the minute before is not complete either.
_MARGIN_S: Final = 10
_NAMES: Final = ("open", "high", "low", "close", "volume", "count")
Bar = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BarEvidence:
    """Of one symbol, within [from_s, to_s), both on a boundary of bars."""

    symbol: str
    true_bars: Sequence[Bar]
    bars: Sequence[Bar]
    candles: Sequence[Bar]
    gaps: Sequence[Gap]
    from_s: int
    to_s: int
    # Up to when all is whole or its loss is entered: what is newer may still be fetched.
    covered_s: float


def check_bars(evidence: BarEvidence) -> Findings:
    findings = Findings()
    true = {int(bar["t"]): bar for bar in evidence.true_bars}
    stored = {int(bar["t"]): bar for bar in evidence.bars}
    for what, found in (("bars", evidence.bars), ("candles", evidence.candles)):
        if len({bar["t"] for bar in found}) < len(found):
            findings.violation("one bar per start", f"{what} {evidence.symbol}")
    for t in range(evidence.from_s, evidence.to_s, _BAR_S):
        _check_bar(evidence, t, (true.get(t), stored.get(t)), findings)
    candles = {int(bar["t"]): bar for bar in evidence.candles}
    first = -(-evidence.from_s // _MINUTE_S) * _MINUTE_S
    for minute in range(first, evidence.to_s - _MINUTE_S + 1, _MINUTE_S):
        parts = [true[t] for t in range(minute, minute + _MINUTE_S, _BAR_S) if t in true]
        _check_candle(evidence, minute, (_merged(minute, parts), candles.get(minute)), findings)
    return findings


def _check_bar(
    evidence: BarEvidence, t: int, pair: tuple[Bar | None, Bar | None], findings: Findings
) -> None:
    true, stored = pair
    findings.count("bars sent", int(true is not None))
    if _same(true, stored):
        findings.count("bars delivered", int(true is not None))
    elif stored is None and _unfilled(evidence, t, t + _BAR_S):
        findings.count("bars in gaps")
    elif stored is None and t + _BAR_S > evidence.covered_s:
        findings.count("bars pending")
    else:
        text = f"{evidence.symbol} {t}: was {_shown(stored)}, must be {_shown(true)}"
        findings.violation("bars right", text)


def _check_candle(
    evidence: BarEvidence, minute: int, pair: tuple[Bar | None, Bar | None], findings: Findings
) -> None:
    true, stored = pair
    findings.count("candles sent", int(true is not None))
    whole = stored is None or bool(stored["complete"])
    counted = stored is None or true is None or stored["bars"] == true["bars"]
    if _same(true, stored) and whole and counted:
        findings.count("candles delivered", int(true is not None))
    elif (stored is None or not whole) and _unfilled(evidence, minute, minute + _MINUTE_S):
        findings.count("candles in gaps")
    elif (stored is None or not whole) and minute + _MINUTE_S > evidence.covered_s - _MARGIN_S:
        findings.count("candles pending")
    else:
        text = f"{evidence.symbol} {minute}: was {_shown(stored)}, must be {_shown(true)}"
        findings.violation("candles right", text)


def _same(true: Bar | None, stored: Bar | None) -> bool:
    if true is None or stored is None:
        return true is stored
    if any(true[name] != stored[name] for name in _NAMES):
        return False
    wap = stored["wap"]
    return wap is None or math.isclose(wap, true["wap"], rel_tol=1e-6)


def _unfilled(evidence: BarEvidence, from_s: int, to_s: int) -> bool:
    return any(
        gap.about("bars", evidence.symbol)
        and ": filled" not in gap.reason
        and gap.from_ts < to_s * 1_000
        and gap.to_ts > from_s * 1_000
        for gap in evidence.gaps
    )


def _merged(minute: int, bars: Sequence[Bar]) -> Bar | None:
    if not bars:
        return None
    volume = sum(bar["volume"] for bar in bars)
    return {
        "t": minute,
        "open": bars[0]["open"],
        "high": max(bar["high"] for bar in bars),
        "low": min(bar["low"] for bar in bars),
        "close": bars[-1]["close"],
        "volume": volume,
        "wap": sum(bar["wap"] * bar["volume"] for bar in bars) / volume,
        "count": sum(bar["count"] for bar in bars),
        "bars": len(bars),
    }


def _shown(bar: Bar | None) -> str:
    if bar is None:
        return "none"
    names = (*_NAMES, *(name for name in ("bars", "complete", "backfilled") if name in bar))
    return " ".join(f"{name} {bar[name]}" for name in names)
