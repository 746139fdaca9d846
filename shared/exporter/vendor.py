"""The vendor's side: the call budget, the circuits, requests and answers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from shared.exporter.sheet import Sheet, finite
from shared.settings import VENDOR_WORKERS
from shared.store.export_reader import Exported
from shared.store.token_policy import BucketPolicy
from shared.views.words import milliseconds

EVERY: Final = "*"
_POLLS: Final = {
    "bytes": "vendor_received_bytes_total",
    "failures": "vendor_failures_total",
    "bad_documents": "vendor_bad_documents_total",
    "unstored": "vendor_unstored_total",
    "in_flight": "vendor_in_flight",
    "overdue_s": "vendor_overdue_seconds",
}
# As the client tells answers apart.
_ANSWERS: Final = (
    "data", "empty", "burst", "minute", "daily", "entitlement", "bad_request", "transport",
    "unknown",
)  # fmt: skip
_BUCKET: Final = {
    "tokens": "budget_tokens",
    "budget_per_min": "budget_calls_per_minute",
    "granted": "budget_calls_granted_total",
    "waited": "budget_calls_waited_total",
    "refused": "budget_calls_refused_total",
    "cooldown_left_s": "budget_cooldown_seconds",
}


def tell_budget(sheet: Sheet, seen: Exported, policy: BucketPolicy) -> None:
    """Nothing where there is no account."""
    if seen.bucket is None:
        return
    stats = seen.bucket.stats(policy)
    sheet.put_all(stats, _BUCKET)
    sheet.put("budget_burst_tokens", policy.burst)
    sheet.put("budget_wait_seconds_total", stats["waited_ms"] / 1000)


def tell_breakers(
    sheet: Sheet, seen: Exported, symbols: Collection[str], kinds: Collection[str]
) -> None:
    """`kinds` are the types of polls; of circuits of anything else there are only counts."""
    for worker in VENDOR_WORKERS:
        circuits = seen.breakers.get(worker, {})
        open_ = [one for one in circuits.values() if one.get("state") == "open"]
        sheet.put("breakers_open", len(open_), worker)
        for name, circuit in circuits.items():
            symbol, _, kind = name.rpartition(":")
            if kind in kinds and (symbol in symbols or symbol == EVERY):
                _tell_circuit(sheet, seen.now_ms, (worker, symbol, kind), circuit)


def _tell_circuit(
    sheet: Sheet, now_ms: int, labels: tuple[str, str, str], circuit: Mapping[str, Any]
) -> None:
    is_open = circuit.get("state") == "open"
    until_ms = milliseconds(circuit.get("until_ts"))
    left_s = max(0.0, (until_ms - now_ms) / 1000) if is_open and until_ms else 0.0
    sheet.put("breaker_open", is_open, *labels)
    sheet.put("breaker_failures", circuit.get("failures"), *labels)
    sheet.put("breaker_left_seconds", left_s, *labels)


def tell_polls(
    sheet: Sheet, living: Iterable[tuple[str, Mapping[str, Any]]], kinds: Collection[str]
) -> None:
    """Of the workers that beat; `kinds` are the types of polls."""
    for worker, figures in living:
        if worker not in VENDOR_WORKERS:
            continue
        sheet.put_all(figures, _POLLS, worker)
        for kind, requests in _counts(figures, "requests_by_type").items():
            if kind in kinds:
                sheet.put("vendor_requests_total", requests, worker, kind)
        answers = _counts(figures, "answers")
        for kind in _ANSWERS:
            # From the first on, so that a rate sees the first refusal too.
            sheet.put("vendor_answers_total", answers.get(kind, 0), worker, kind)
        sheet.histogram("vendor_fetch_seconds", figures, "fetch", worker)
        if worker == "av_options":
            _tell_chains(sheet, figures)


def _counts(figures: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = figures.get(name)
    return told if isinstance(told, dict) else {}


def _tell_chains(sheet: Sheet, figures: Mapping[str, Any]) -> None:
    chains, empty = finite(figures.get("chains")), finite(figures.get("empty_chains"))
    # An empty chain counts as one, and one of the same bytes as before does not.
    if chains is not None and empty is not None:
        sheet.put("option_chains_total", chains - empty, "written")
    sheet.put("option_chains_total", empty, "empty")
    sheet.put("option_chains_total", figures.get("unchanged_chains"), "unchanged")
    sheet.put("option_contracts_total", figures.get("contracts"))
