"""What monitoring keys hold."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from shared.schema.values import (
    Day,
    MaybeName,
    MaybeVenue,
    Ms,
    MsOrZero,
    Name,
    Payload,
    Seconds,
    Share,
    Source,
    Venue,
    Whole,
    Worker,
    about,
)

MaybeWhole = Whole | Literal[""]


class Heartbeat(Payload, frozen=True):
    worker: Annotated[Worker, about("name of the worker")]
    ts: Annotated[Ms, about("when it was written")]
    pid: Annotated[Whole, about("process id")]
    host: Annotated[str, about("host name")]
    started_ts: Annotated[Ms, about("when the process began")]
    version: Annotated[str, about("version of tickvisor")]
    source: Annotated[Source, about("`live`, `sim` or `replay`")]
    state: Annotated[
        Literal["starting", "running", "degraded", "stopping", "stopped"],
        about("`starting`, `running`, `degraded`, `stopping` or `stopped`"),
    ]
    connected: Annotated[bool, about("logged in to the gateway, or the vendor answers")]
    detail: Annotated[str, about("why it is degraded, else empty")]


class Figures(Struct, frozen=True):
    """More fields than `ts` belong to the worker and change between versions."""

    ts: Annotated[Ms, about("when it was written")]


class Gap(Payload, frozen=True):
    feed: Annotated[Literal["depth", "trades", "bars"], about("`depth`, `trades` or `bars`")]
    symbol: Annotated[MaybeName, about("symbol; empty where several gaps were joined")]
    venue: Annotated[MaybeVenue, about("venue; empty where it is several, or not told")]
    from_seq: Annotated[MaybeWhole, about("first number lost, empty where unknown")]
    to_seq: Annotated[MaybeWhole, about("last number lost, empty where unknown")]
    from_ts: Annotated[MsOrZero, about("begin of the time in which something was lost")]
    to_ts: Annotated[MsOrZero, about("end of it")]
    reason: Annotated[str, about("why; also whether it was filled (`..., N bars`)")]
    count: Annotated[MaybeWhole, about("how many were lost, empty where unknown")]


class Coverage(Payload, frozen=True):
    live_s: Annotated[Seconds, about("time in which a book of the symbol was live")]
    session_s: Annotated[Seconds, about("time since the worker began")]
    share: Annotated[Share, about("live_s / session_s")]
    last_live_ts: Annotated[MsOrZero, about("when it was live last, 0 for never")]
    subscriptions: Annotated[Whole, about("how often it was subscribed")]


class Rotation(Payload, frozen=True):
    ts: Annotated[Ms, about("when it happened")]
    slot: Annotated[Whole, about("depth slot, from 0")]
    symbol: Annotated[Name, about("symbol")]
    venue: Annotated[Venue, about("venue")]
    event: Annotated[
        Literal["subscribe", "live", "cancel", "refused", "cooldown"],
        about("`subscribe`, `live`, `cancel`, `refused` or `cooldown`"),
    ]
    req_id: Annotated[Whole, about("id of the request at the gateway")]
    detail: Annotated[str, about("spelling of the venue, or why; may be empty")]


class Incident(Payload, frozen=True):
    ts: Annotated[Ms, about("when it happened")]
    worker: Annotated[Worker, about("who tells it")]
    kind: Annotated[str, about("what kind of thing: `connected`, `halt`, `breaker`, ...")]
    symbol: Annotated[str, about("symbol, empty where it concerns no single one")]
    text: Annotated[str, about("one line for a person")]


class Stale(Payload, frozen=True):
    age_s: Annotated[Seconds, about("how old the surface is")]
    budget_s: Annotated[Seconds, about("how old it may be")]
    since_ts: Annotated[Ms, about("since when it is too old")]
    reason: Annotated[str, about("what is known of why")]


class Session(Payload, frozen=True):
    """Times that are not known are missing."""

    calendar: Annotated[str, about("calendar (`XNYS`)")]
    date: Annotated[Day, about("day at the exchange")]
    state: Annotated[
        Literal["pre", "regular", "post", "closed"], about("`pre`, `regular`, `post` or `closed`")
    ]
    opens_ts: Annotated[Ms, about("when the regular session opens")] | UnsetType = UNSET
    closes_ts: Annotated[Ms, about("when it closes")] | UnsetType = UNSET
    next_open_ts: Annotated[Ms, about("when the next one opens")] | UnsetType = UNSET
    early_close: Annotated[bool, about("`1` when it closes early, else `0`")] = False


# Figures that workers tell today; more may come, and these may go.
KNOWN_FIGURES: Final = {
    "ibkr_depth": "updates, stragglers, bad_rows, resets, book_faults, crossed_books,"
    " limit_refusals, subscriptions, slots, batches, reconnects, suspended",
    "ibkr_trades": "ticks, trades, bars, stragglers, bad_ticks, halts, bars_requested,"
    " line_refusals, backfill_pending, bars_filled, late_bars, trades_filled, trades_left_out,"
    " unknown_venues, lines, streams, stream_limit, bar_streams, delayed, reconnects, suspended,"
    " quotes, quotes_foreign, bars_queue (figures of the second queue)",
    "both of these": "writes, flushes, batch_size, conflated, refused, dropped, resent,"
    " queue_depth, queue_bytes, max_lag_ms, latency_bounds_ms, latency_counts, latency_sum_ms,"
    " latency_p50_ms, latency_p99_ms, late_quotes, future_quotes",
    "av_options": "chains, empty_chains, unchanged_chains, contracts, greeks_changed,"
    " greeks_renewed, greeks_removed, junk_greeks, duplicates, dropped_rows, bad_values",
    "av_sentiment": "news, articles, dropped_articles, readings, delayed_readings, no_readings,"
    " bad_values",
    "both vendor workers": "requests, requests_by_type (repeated ones counted in both),"
    " answers, bytes, failures, bad_documents, store_retries,"
    " unstored, fetch_ms_p50, fetch_ms_p99, fetch_bounds_ms, fetch_counts, fetch_sum_ms,"
    " in_flight, overdue_s, suspended, held_reason",
    "token_bucket": "tokens, granted, waited, waited_ms, refused, cooldown_left_s,"
    " cooldown_reason, calls_per_min, budget_per_min, calls_per_s",
    "watchdog": "ticks, stale (by surface), stale_total, actions, longest_tick_ms, alerts_sent,"
    " alerts_failed, alerts_dropped, alerts_left_out",
    "every worker": "ledger_waiting, ledger_dropped, rss_bytes, tasks, cpu_s",
}
