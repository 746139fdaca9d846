"""With the vendor's data standing still: chains, articles and indicators as they were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from tests.oracle.evidence import Findings
from tests.oracle.plan import INDICATORS, SYMBOLS
from tests.oracle.rig import Rig

__all__ = ["check_vendor_data", "freeze_vendor"]

_SETTLE_S: Final = 15.0
_QUOTE: Final = (
    "strike", "type", "expiration", "bid", "bid_size", "ask", "ask_size", "volume", "open_interest",
)  # fmt: skip
_STORY: Final = ("title", "url", "time_published", "summary", "source", "overall_sentiment_score")
_Wrong = Callable[[Rig, str], list[str]]


def freeze_vendor(rig: Rig, on: bool) -> None:
    rig.vendor.call("freeze" if on else "thaw")
    rig.vendor.call("moving", share=0.0 if on else 0.3)


def check_vendor_data(rig: Rig, findings: Findings) -> None:
    """An answer from before it stood still may be the newest for one more interval."""
    _check(rig, findings, "chains as sent", _wrong_chain)
    _check(rig, findings, "articles as sent", _wrong_articles)
    _check(rig, findings, "indicators as sent", _wrong_indicators)
    findings.count("chains compared", len(SYMBOLS))
    findings.count("articles compared", sum(len(_articles(rig, symbol)) for symbol in SYMBOLS))


def _check(rig: Rig, findings: Findings, invariant: str, wrong_of: _Wrong) -> None:
    wrong: list[str] = []

    def right() -> bool:
        wrong[:] = [text for symbol in SYMBOLS for text in wrong_of(rig, symbol)]
        return not wrong

    if rig.wait(right, _SETTLE_S) is None:
        for text in wrong:
            findings.violation(invariant, text)


def _wrong_chain(rig: Rig, symbol: str) -> list[str]:
    sent = {row["contract_id"]: row for row in rig.vendor.call("chain", symbol=symbol)["rows"]}
    stored = _stored(rig, f"options:{symbol}:chain").get("by_contract", {})
    if stored.keys() != sent.keys():
        return [f"{symbol}: {len(stored)} contracts, must be {len(sent)}"]
    return [
        f"{name} {field}: was {row[field]}, must be {sent[name][field]}"
        for name, row in stored.items()
        for field in _QUOTE
        if (row[field] or None) != (sent[name][field] or None)
    ][:3]


def _wrong_articles(rig: Rig, symbol: str) -> list[str]:
    sent = rig.vendor.call("news", symbol=symbol)["document"]["feed"]
    stored = _articles(rig, symbol)
    if len(stored) != len(sent):
        return [f"{symbol}: {len(stored)} articles, must be {len(sent)}"]
    return [
        f"{symbol} {true['url']} {field}: was {found[field]}, must be {true[field]}"
        for found, true in zip(stored, sent, strict=True)
        for field in _STORY
        if found[field] != true[field]
    ][:3]


def _wrong_indicators(rig: Rig, symbol: str) -> list[str]:
    wrong: list[str] = []
    for name in INDICATORS:
        document = rig.vendor.call("indicator", symbol=symbol, function=name)["document"]
        rows: dict[str, dict[str, str]] = document[f"Technical Analysis: {name}"]
        true = {field: float(text) for field, text in rows[max(rows)].items()}
        found = _stored(rig, f"technicals:{symbol}:{name}").get("values")
        if found != true:
            wrong.append(f"{symbol} {name}: was {found}, must be {true}")
    return wrong


def _articles(rig: Rig, symbol: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _stored(rig, f"sentiment:{symbol}").get("articles", [])
    return found


def _stored(rig: Rig, key: str) -> dict[str, Any]:
    value: Any = rig.client.get(key)
    return orjson.loads(value) if value else {}
