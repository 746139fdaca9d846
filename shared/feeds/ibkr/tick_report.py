"""What the trades feed tells about itself: whether it works, why not, and its figures."""

from __future__ import annotations

from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.tick_state import TickState
from shared.normalize.ibkr_ticks import TickParser


def health(state: TickState) -> tuple[bool, str]:
    """(logged in with data to be expected, why degraded or an empty string)."""
    connected = state.session is not None and state.connectivity.down_since_s is None
    if state.session is None:
        return connected, "not connected to the gateway"
    if state.connectivity.degraded:
        return connected, state.connectivity.degraded
    if state.connectivity.broken_history_farms:
        farms = ", ".join(sorted(state.connectivity.broken_history_farms))
        return connected, f"history farm broken: {farms}"
    return connected, _lacking(state)


def metrics(state: TickState, parser: TickParser) -> dict[str, object]:
    """Counters since the start and gauges of now."""
    counters = state.counters
    return {
        "ticks": counters.messages,
        "trades": counters.trades,
        "bars": counters.bars,
        "stragglers": counters.stragglers,
        "bad_ticks": counters.bad_ticks,
        "halts": counters.halts,
        "bars_requested": counters.bars_requested,
        "line_refusals": counters.line_refusals,
        "backfill_pending": state.backfill.count(),
        "bars_filled": counters.bars_filled,
        "late_bars": counters.late_bars,
        "trades_filled": counters.trades_filled,
        "trades_left_out": sum(f.splice.left_out for f in state.symbols.values()),
        "unknown_venues": dict(parser.unknown_venues),
        "lines": len(state.lines.live),
        "streams": len(state.streams.live),
        "stream_limit": state.streams.limit,
        "bar_streams": len(state.bars.live),
        "delayed": sorted(s for s, f in state.symbols.items() if f.quote.delayed),
        "reconnects": max(0, state.connections - 1),
        "suspended": sorted(f"{symbol}:{kind}" for symbol, kind in state.retry_at_s),
    }


def _lacking(state: TickState) -> str:
    """Symbols that have no quotes, or old ones; parts of the data that are refused."""
    delayed = sorted(s for s, f in state.symbols.items() if f.quote.delayed)
    if delayed and not state.policy.allow_delayed:
        return f"delayed data is not published: {', '.join(delayed)}"
    starting = state.lines.limit == len(state.symbols) and not state.retry_at_s
    dropped = [s for s in state.symbols if s not in state.lines.live and not starting]
    if dropped:
        return f"no line for {', '.join(dropped)}"
    if state.no_bars:
        return f"no bars for {', '.join(sorted(state.no_bars))}"
    if waiting := state.bars.waiting(state.wanted_bars(), now_s()):
        return f"bars wait for the vendor's pacing: {', '.join(waiting)}"
    return ""
