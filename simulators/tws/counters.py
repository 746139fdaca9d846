from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .depth import DepthDesk
from .feed import Feed
from .floor import Floor
from .streams import KINDS, StreamDesk
from .tick_feed import TickFeed

__all__ = ["Counters", "stats", "stream_stats"]


@dataclass(slots=True)
class Counters:
    """What the gateway saw and did, apart from depth (depth.py counts its own)."""

    requests: Counter[str] = field(default_factory=Counter)
    unknown_requests: Counter[int] = field(default_factory=Counter)
    malformed: int = 0
    errors_sent: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    connections_refused: int = 0
    slow_reader_pauses: int = 0
    # How often the machine held this process up, so that it read late what had come.
    late_ticks: int = 0
    bytes_sent: int = 0
    # client id -> most messages within one second
    messages_per_s_peak: dict[int, int] = field(default_factory=dict)

    def saw_rate(self, client_id: int, messages: int) -> None:
        if messages > self.messages_per_s_peak.get(client_id, 0):
            self.messages_per_s_peak[client_id] = messages


def stream_stats(desk: StreamDesk, ticks: TickFeed, floor: Floor) -> dict[str, Any]:
    """Market data other than depth."""
    events = desk.counts.events
    return {
        "open": dict(Counter(stream.kind for stream in desk if stream.state == "live")),
        "opened": {kind: events[f"opened_{kind}"] for kind in KINDS},
        "cancelled": {kind: events[f"cancelled_{kind}"] for kind in KINDS},
        "messages": dict(ticks.messages_sent),
        "lines_used": desk.lines_used(),
        "lines_max": desk.counts.lines_max,
        "ticks_max": desk.counts.ticks_max,
        "refused": {k[8:]: n for k, n in events.items() if k.startswith("refused_")},
        "over_cap_101": events["refused_101"],
        "over_cap_10190": events["refused_10190"],
        "cancel_unknown": events["cancel_of_unknown"],
        "cancel_refused": events["cancel_of_refused"],
        "cancel_dropped": events["cancel_of_dropped"],
        "double_cancel": events["double_cancel"],
        "reused_live_id": events["reused_live_id"],
        "reused_retired_id": events["reused_retired_id"],
        "trades": {symbol: s.tape.number for symbol, s in floor.securities.items()},
        "records": [stream.record() for stream in desk.counts.records],
    }


def stats(counters: Counters, desk: DepthDesk, feed: Feed) -> dict[str, Any]:
    return {
        "rows_sent": {f"{symbol}:{venue}": n for (symbol, venue), n in feed.rows_sent.items()},
        "rows_total": sum(feed.rows_sent.values()),
        **_depth_stats(desk),
        "requests": dict(counters.requests),
        "unknown_requests": _by_text(counters.unknown_requests),
        "malformed": counters.malformed,
        "messages_per_s_peak": _by_text(counters.messages_per_s_peak),
        "errors_sent": _by_text(counters.errors_sent),
        "faults": dict(counters.faults),
        "connections": counters.connections,
        "connections_refused": counters.connections_refused,
        "slow_reader_pauses": counters.slow_reader_pauses,
        "late_ticks": counters.late_ticks,
        "bytes_sent": counters.bytes_sent,
    }


def _depth_stats(desk: DepthDesk) -> dict[str, Any]:
    events = desk.counts.events
    records = [record.record() for record in desk.counts.records]
    rows_by_request: Counter[str] = Counter()
    for record in records:
        rows_by_request[f"{record['client_id']}:{record['req_id']}"] += record["rows"]
    return {
        "rows_by_request": dict(rows_by_request),
        "subscriptions": records,
        "opened": events["opened"],
        "cancelled": events["cancelled"],
        "distinct_contracts_open": len(desk.open_con_ids()),
        "distinct_contracts_max": desk.counts.distinct_max,
        "over_cap_309": events["refused_309"],
        "phantom_309": events["phantom_309"],
        "own_309": events["own_309"],
        "refused": {k[8:]: n for k, n in events.items() if k.startswith("refused_")},
        "cancel_unknown": events["cancel_of_unknown"],
        "cancel_refused": events["cancel_of_refused"],
        "cancel_dropped": events["cancel_of_dropped"],
        "cancel_crossed": events["cancel_crossed"],
        "cancel_with_other_flag": events["cancel_with_other_flag"],
        "double_cancel": events["double_cancel"],
        "reused_live_id": events["reused_live_id"],
        "reused_retired_id": events["reused_retired_id"],
        "smart_requests": events["smart_requests"],
    }


def _by_text(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(key): count for key, count in counts.items()}
