"""Every metric: name, kind, what it says, and by which labels. Pure.

Names follow Prometheus: base units (seconds, bytes), `_total` for counters. Labels are `worker`,
`feed` (depth, quotes, trades, bars, options, sentiment, technicals), `symbol`, `venue`, and a few
whose values are a short list of ours. Symbols are those of the universe, so that nothing which is
written to Redis can make series without end.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["gauge", "counter", "histogram"]
PREFIX: Final = "tickvisor_"


class Described(NamedTuple):
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()


_WORKER: Final = ("worker",)
_SYMBOL: Final = ("symbol",)
_SINK: Final = ("worker", "feed")
_SURFACE: Final = ("feed", "symbol")


def _gauge(text: str, *labels: str) -> Described:
    return Described("gauge", text, labels)


def _counter(text: str, *labels: str) -> Described:
    return Described("counter", text, labels)


WHOLE: Final = {
    "up": _gauge("1 while Redis answers and every worker that ought to run beats in time."),
    "redis_up": _gauge("1 while Redis answers; while it is 0 nothing else of Redis is told."),
    "redis_memory_used_bytes": _gauge("Memory that Redis uses for data."),
    "redis_memory_max_bytes": _gauge("Memory that Redis may use; absent without a limit."),
    "build_info": _gauge("Always 1: the version of the exporter.", "version"),
    "source_info": _gauge("Always 1: whose data this is, live, sim or replay.", "source"),
    "session_open": _gauge("1 in the regular session of the market."),
    "session_state": _gauge("1 for what the market does now, 0 for what it does not.", "state"),
    "staleness_judged": _gauge("1 while stale data is looked for: in the session, or always."),
    "scrape_duration_seconds": _gauge("What it took to read Redis for this answer."),
    "scrape_failures_total": _counter("Scrapes to which Redis gave no answer."),
}
WORKERS: Final = {
    "worker_up": _gauge("1 while the heartbeat is in time and not one of a stop.", *_WORKER),
    "worker_connected": _gauge("1 while logged in, or the vendor answers.", *_WORKER),
    "worker_state": _gauge("1 for the state that the heartbeat tells.", "worker", "state"),
    "worker_heartbeat_age_seconds": _gauge("Age of the newest heartbeat.", *_WORKER),
    "worker_start_time_seconds": _gauge("When the process began, Unix time.", *_WORKER),
    "worker_resident_memory_bytes": _gauge("Resident memory.", *_WORKER),
    "worker_tasks": _gauge("Tasks of its event loop.", *_WORKER),
    "worker_cpu_seconds_total": _counter("Processor time since the start.", *_WORKER),
    "worker_reconnects_total": _counter("Connections to the gateway after the first.", *_WORKER),
    "worker_bad_items_total": _counter("Rows, ticks and values that were unusable.", *_WORKER),
    "worker_stragglers_total": _counter("Rows and ticks of requests that had ended.", *_WORKER),
    "worker_suspended": _gauge("Pairs or polls that are left alone for now.", *_WORKER),
    "sink_writes_total": _counter("Items that Redis took, repeats after a loss too.", *_SINK),
    "sink_flushes_total": _counter("Round trips in which items were written.", *_SINK),
    "sink_conflated_total": _counter("Last values a newer one replaced in a flush.", *_SINK),
    "sink_refused_total": _counter("Items that Redis refused.", *_SINK),
    "sink_dropped_total": _counter("Items dropped because the queue was full.", *_SINK),
    "sink_resent_total": _counter("Items sent again because Redis had lost them.", *_SINK),
    "sink_queue_items": _gauge("Items that wait to be written.", *_SINK),
    "sink_queue_bytes": _gauge("Bytes that wait to be written.", *_SINK),
    "sink_latency_seconds": Described(
        "histogram", "From the receipt of an item until Redis has it.", _SINK
    ),
}
SURFACES: Final = {
    "feed_age_seconds": _gauge("Since the newest data of a symbol was received.", *_SURFACE),
    "feed_budget_seconds": _gauge("How old it may be as a rule.", *_SURFACE),
    "feed_stale": _gauge("1 while the watchdog says that it is too old.", *_SURFACE),
    "feed_stale_reason": _gauge("1 for what is known of why.", "feed", "symbol", "reason"),
    "depth_updates_total": _counter("Depth rows of a symbol that were numbered.", *_SYMBOL),
    "depth_live": _gauge("1 while depth of the symbol is open and healthy.", *_SYMBOL),
    "depth_live_seconds_total": _counter("Time in which a book was live.", *_SYMBOL),
    "depth_coverage_ratio": _gauge("Share of the worker's time it was live.", *_SYMBOL),
    "depth_subscribed_total": _counter("How often depth was asked for.", *_SYMBOL),
    "depth_venue_age_seconds": _gauge("Since the newest row of a venue.", "symbol", "venue"),
    "depth_venue_slot": _gauge("1 while the venue holds a depth slot.", "symbol", "venue"),
    "depth_refused": _gauge("1 while the gateway refuses depth.", "symbol", "venue"),
    "depth_slots": _gauge("Depth slots that may be used now."),
    "depth_subscriptions": _gauge("Depth requests that are open."),
    "depth_limit_refusals_total": _counter("Refusals for the number of requests (309)."),
    "depth_resets_total": _counter("Books that the gateway emptied (317)."),
    "depth_book_faults_total": _counter("Books found wrong, by what was.", "fault"),
    "trades_total": _counter("Trades of a symbol that were numbered.", *_SYMBOL),
    "bar_writes_total": _counter("Bars of a symbol that were written.", *_SYMBOL),
    "ticks_total": _counter("Ticks received from the gateway."),
    "halts_total": _counter("Trading halts seen."),
    "market_lines": _gauge("Market data lines that are open."),
    "tick_streams": _gauge("Tick-by-tick streams that are open."),
    "bar_streams": _gauge("Streams of 5-second bars that are open."),
    "line_refusals_total": _counter("Refusals for the number of lines or streams (101, 10190)."),
    "backfill_pending": _gauge("Windows of bars that are still to be fetched back."),
    "bars_filled_total": _counter("Bars that were fetched back."),
    "gaps_total": _counter(
        "Entries of the gaps ledger, by whether anything was lost.", "feed", "lost"
    ),
    "gap_items_total": _counter("Items that stand there as lost.", "feed", "symbol"),
    "incidents_total": _counter("Entries of the incidents ledger.", "worker", "kind"),
}
VENDOR: Final = {
    "budget_tokens": _gauge("Calls that could be made at once."),
    "budget_burst_tokens": _gauge("The most that could ever be made at once."),
    "budget_calls_per_minute": _gauge("Calls that all processes may make in a minute."),
    "budget_calls_granted_total": _counter("Calls granted."),
    "budget_calls_waited_total": _counter("Calls granted after a wait."),
    "budget_wait_seconds_total": _counter("Sum of these waits."),
    "budget_calls_refused_total": _counter("Calls refused: no slot soon enough."),
    "budget_cooldown_seconds": _gauge("How long nobody calls, since the vendor refused."),
    "breaker_open": _gauge("1 while suspended, 0 while on probation.", "worker", "symbol", "type"),
    "breaker_failures": _gauge("Failures in a row.", "worker", "symbol", "type"),
    "breaker_left_seconds": _gauge("Until the next probe.", "worker", "symbol", "type"),
    "breakers_open": _gauge("How many circuits are open.", *_WORKER),
    "vendor_requests_total": _counter("Requests sent, repeated ones too.", "worker", "type"),
    "vendor_answers_total": _counter("Answers, by what they were.", "worker", "kind"),
    "vendor_received_bytes_total": _counter("Bytes of the answers.", *_WORKER),
    "vendor_failures_total": _counter("Polls that failed.", *_WORKER),
    "vendor_bad_documents_total": _counter("Answers that were unusable.", *_WORKER),
    "vendor_unstored_total": _counter("Documents given up because Redis was away.", *_WORKER),
    "vendor_in_flight": _gauge("Requests under way.", *_WORKER),
    "vendor_overdue_seconds": _gauge("How long the oldest due poll has waited.", *_WORKER),
    "vendor_fetch_seconds": Described("histogram", "Duration of the requests.", _WORKER),
    "option_chains_total": _counter("Chains fetched.", "result"),
    "option_contracts_total": _counter("Contracts of the chains that were written."),
    "watchdog_check_age_seconds": _gauge("Since the watchdog looked last."),
    "watchdog_checks_total": _counter("Looks of the watchdog."),
    "watchdog_actions_total": _counter("Resubscribes and reconnects that it asked for."),
    "watchdog_longest_check_seconds": _gauge("Its longest look."),
    "alerts_total": _counter("Messages to people.", "result"),
}
METRICS: Final = {**WHOLE, **WORKERS, **SURFACES, **VENDOR}
