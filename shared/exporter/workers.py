"""What workers say of themselves: heartbeats and figures. Pure.

Figures outlive their process in Redis by minutes. They are told only while the process that wrote
them beats, so that nobody reads rates and queues of a worker that is dead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.exporter.sheet import Sheet, finite
from shared.store.export_reader import Exported
from shared.views.status import Expected
from shared.views.words import age_of, milliseconds

STATES: Final = ("starting", "running", "degraded", "stopping", "stopped")
_STOPPED: Final = "stopped"
# What a sink writes, by worker; a second one stands in figures of its own.
_FEEDS: Final = {"ibkr_depth": "depth", "ibkr_trades": "trades"}
_SECOND: Final = {"bars_queue": "bars"}
_SINK: Final = {
    "flushes": "sink_flushes_total",
    "conflated": "sink_conflated_total",
    "refused": "sink_refused_total",
    "dropped": "sink_dropped_total",
    "resent": "sink_resent_total",
    "queue_depth": "sink_queue_items",
    "queue_bytes": "sink_queue_bytes",
}
_EVERY: Final = {
    "rss_bytes": "worker_resident_memory_bytes",
    "tasks": "worker_tasks",
    "cpu_s": "worker_cpu_seconds_total",
    "reconnects": "worker_reconnects_total",
    "stragglers": "worker_stragglers_total",
}
# Under one name what each worker calls its own.
_BAD: Final = ("bad_rows", "bad_ticks", "bad_values")
_DEPTH: Final = {
    "slots": "depth_slots",
    "subscriptions": "depth_subscriptions",
    "limit_refusals": "depth_limit_refusals_total",
    "resets": "depth_resets_total",
}
_TRADES: Final = {
    "ticks": "ticks_total",
    "halts": "halts_total",
    "lines": "market_lines",
    "streams": "tick_streams",
    "bar_streams": "bar_streams",
    "line_refusals": "line_refusals_total",
    "backfill_pending": "backfill_pending",
    "bars_filled": "bars_filled_total",
}
_WATCHDOG: Final = {"ticks": "watchdog_checks_total", "actions": "watchdog_actions_total"}
_ALERTS: Final = {"alerts_sent": "sent", "alerts_failed": "failed", "alerts_dropped": "dropped"}
# As a book says what is wrong with it.
_FAULTS: Final = ("crossed", "hole", "unsorted")


def tell(sheet: Sheet, seen: Exported, expected: Expected) -> None:
    beating = [name for name in expected.workers if _beats(seen, name, expected.late_s)]
    for name in expected.workers:
        _tell_beat(sheet, seen, name, name in beating)
    for name, figures in living(seen, expected):
        _tell_figures(sheet, name, figures)
    sheet.put("up", len(beating) == len(expected.workers))


def living(seen: Exported, expected: Expected) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Figures of the processes that beat; what an earlier process left is not theirs."""
    for name in expected.workers:
        figures, beat = seen.figures.get(name, {}), seen.beats.get(name, {})
        told_ms, began_ms = milliseconds(figures.get("ts")), milliseconds(beat.get("started_ts"))
        current = told_ms is not None and began_ms is not None and told_ms >= began_ms
        if current and _beats(seen, name, expected.late_s):
            yield name, figures


def _beats(seen: Exported, name: str, late_s: float) -> bool:
    beat = seen.beats.get(name)
    if beat is None or beat.get("state") == _STOPPED:
        return False
    old_s = age_of(milliseconds(beat.get("ts")), seen.now_ms)
    return old_s is not None and old_s <= late_s


def _tell_beat(sheet: Sheet, seen: Exported, name: str, beats: bool) -> None:
    sheet.put("worker_up", beats, name)
    beat = seen.beats.get(name)
    if beat is None:
        return
    sheet.put(
        "worker_heartbeat_age_seconds", age_of(milliseconds(beat.get("ts")), seen.now_ms), name
    )
    if beats or beat.get("state") == _STOPPED:
        for state in STATES:
            sheet.put("worker_state", beat.get("state") == state, name, state)
    if beats:
        sheet.put("worker_connected", beat.get("connected") is True, name)
        began_ms = milliseconds(beat.get("started_ts"))
        sheet.put("worker_start_time_seconds", began_ms and began_ms / 1000, name)


def _tell_figures(sheet: Sheet, name: str, figures: Mapping[str, Any]) -> None:
    sheet.put_all(figures, _EVERY, name)
    bad = [number for one in _BAD if (number := finite(figures.get(one))) is not None]
    sheet.put("worker_bad_items_total", sum(bad) if bad else None, name)
    suspended = figures.get("suspended")
    sheet.put("worker_suspended", len(suspended) if isinstance(suspended, list) else None, name)
    if name in _FEEDS:
        _tell_sink(sheet, figures, name, _FEEDS[name])
    for queue, feed in _SECOND.items():
        if isinstance(figures.get(queue), dict):
            _tell_sink(sheet, figures[queue], name, feed)
    if name == "ibkr_depth":
        sheet.put_all(figures, _DEPTH)
        _tell_faults(sheet, figures.get("book_faults"))
    elif name == "ibkr_trades":
        sheet.put_all(figures, _TRADES)
    elif name == "watchdog":
        _tell_watchdog(sheet, figures)


def _tell_sink(sheet: Sheet, figures: Mapping[str, Any], name: str, feed: str) -> None:
    sheet.put_all(figures, _SINK, name, feed)
    written, resent = finite(figures.get("writes")), finite(figures.get("resent"))
    # What Redis lost is taken out of the writes, and a counter must never fall.
    if written is not None and resent is not None:
        sheet.put("sink_writes_total", written + resent, name, feed)
    sheet.histogram("sink_latency_seconds", figures, "latency", name, feed)


def _tell_faults(sheet: Sheet, faults: Any) -> None:
    told = faults if isinstance(faults, dict) else {}
    for fault in _FAULTS:
        sheet.put("depth_book_faults_total", told.get(fault, 0), fault)


def _tell_watchdog(sheet: Sheet, figures: Mapping[str, Any]) -> None:
    sheet.put_all(figures, _WATCHDOG)
    longest_ms = finite(figures.get("longest_tick_ms"))
    sheet.put("watchdog_longest_check_seconds", longest_ms and longest_ms / 1000)
    for figure, result in _ALERTS.items():
        sheet.put("alerts_total", figures.get(figure), result)
