"""What the vendors allow, by their own count of what arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.oracle.evidence import Findings

__all__ = ["check_gateway", "check_vendor"]

_MESSAGES_PER_S: Final = 50
# Counters that stay at zero for a client that follows the gateway's rules.
_MISTAKES: Final = (
    "cancel_unknown", "cancel_refused", "cancel_dropped", "cancel_with_other_flag",
    "double_cancel", "reused_live_id", "reused_retired_id", "smart_requests", "malformed",

)  # fmt: skip


def check_gateway(stats: Mapping[str, Any], depth_cap: int) -> Findings:
    findings = Findings()
    most = stats["distinct_contracts_max"]
    if most > depth_cap:
        findings.violation("depth cap", f"{most} contracts at once, allowed {depth_cap}")
    if stats["own_309"]:
        text = f"{stats['own_309']} requests of who had {depth_cap} contracts already"
        findings.violation("depth cap", text)
    peaks = stats["messages_per_s_peak"]
    for group in (range(770, 785), range(785, 797)):
        busiest = max((n for name, n in peaks.items() if int(name) in group), default=0)
        findings.count("most messages a second, both clients", busiest)
    total = findings.counts.get("most messages a second, both clients", 0)
    if total > _MESSAGES_PER_S:
        text = f"{total} a second, allowed {_MESSAGES_PER_S}: {peaks}"
        findings.violation("message rate", text)
    if stats["errors_sent"].get("100", 0):
        findings.violation("message rate", "error 100 was sent")
    for name in _MISTAKES:
        if stats[name]:
            findings.violation("gateway's rules", f"{name} {stats[name]}")
    # A gateway that is held up by a busy machine reads a cancel together with the next request.
    early, late = stats["phantom_309"], stats["late_ticks"]
    findings.count("slots asked for too early", early)
    findings.count("times the gateway was held up", late)
    if early > depth_cap * late:
        text = f"phantom_309 {early} of {stats['opened']}, held up {late} times"
        findings.violation("gateway's rules", text)
    return findings


def check_vendor(stats: Mapping[str, Any]) -> Findings:
    findings = Findings()
    limits = stats["limits"]
    for key, record in stats["keys"].items():
        findings.count("vendor requests", record["requests"])
        for peak, limit in (("peak_60s", "per_minute"), ("peak_1s", "per_second")):
            findings.count(f"vendor {peak}", record[peak])
            if limits[limit] is not None and record[peak] > limits[limit]:
                text = f"key {key}: {record[peak]} in {peak}, allowed {limits[limit]}"
                findings.violation("vendor's limits", text)
        for refusal in ("burst", "minute", "daily"):
            if record["outcomes"].get(refusal):
                findings.violation("vendor's limits", f"{refusal}: {record['outcomes'][refusal]}")
    return findings
