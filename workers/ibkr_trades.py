"""Trades, top of book and bars: gateway ticks → one sequence of prints, quotes, candles → Redis."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from shared.feeds.ibkr.connection import ConnectionPolicy, GatewayConnection
from shared.feeds.ibkr.tick_state import TickPolicy
from shared.feeds.ibkr.ticks import TickFeed
from shared.lifecycle import run_feed
from shared.process import Worker, run
from shared.reporting import Reporter, Sources
from shared.store.bars import BarItem, BarsWriter, read_bars, read_covered
from shared.store.heartbeat import ibkr_family
from shared.store.monitoring import lost_numbers
from shared.store.reader import read_trades
from shared.store.resp import RespConnection
from shared.store.sink import Sink, SinkBounds
from shared.store.tick_outlet import TickStoreOutlet
from shared.store.trades import TradeItem, TradesWriter

NAME: Final = "ibkr_trades"
QUOTE_GAP_S: Final = 0.002


def build(worker: Worker) -> tuple[Sink[TradeItem], Sink[BarItem], TradesWriter, TickFeed]:
    """The path of a tick: feed → outlet → writer → sink; bars have a queue of their own."""
    settings, redis, keys = worker.settings, worker.settings.redis, worker.keys
    symbols, ttls = settings.market_symbols(), settings.modules.data_ingestion.ttls
    trades = TradesWriter(NAME, keys, symbols, (ttls.trades, ttls.market_data))
    bars = BarsWriter(NAME, keys, symbols, (ttls.bars, ttls.bars_1min))
    room = (redis.queue_max_entries, redis.queue_max_bytes, redis.flush_max_updates)
    connections = [RespConnection(redis.url, redis.connect_timeout_s, NAME) for _ in range(2)]
    # Every flush of trades may carry the quote of each symbol.
    trades.sink = Sink(connections[0], trades, SinkBounds(*room, min_gap_s=QUOTE_GAP_S))
    bars.sink = Sink(connections[1], bars, SinkBounds(*room))
    instruments = [settings.universe.by_symbol(symbol) for symbol in symbols]
    outlet = TickStoreOutlet(trades, bars, worker.ledger)
    policy = TickPolicy.from_settings(settings.ibkr)
    feed = TickFeed(instruments, policy, outlet, settings.ibkr.max_messages_per_s)
    return trades.sink, bars.sink, trades, feed


async def restore(worker: Worker, trades: TradesWriter, feed: TickFeed) -> None:
    """Take up where an earlier run ended: its bars, and since when anything may be missing."""
    trades.skip(await lost_numbers(worker.store, worker.keys, trades.feed))
    covered = await read_covered(worker.store, worker.keys, NAME)
    reach_s = worker.settings.ibkr.backfill_reach_s
    for symbol, traded_ms in trades.last_traded().items():
        covered_ms = covered.get(symbol)
        since = max(time.time() - reach_s, (covered_ms or 0) / 1000)
        stored = await read_bars(worker.store, worker.keys, symbol, int(since) // 60 * 60 - 120)
        feed.restore(symbol, stored, covered_ms, traded_ms)
        if worker.settings.ibkr.backfill_trades:
            feed.recall(symbol, await read_trades(worker.store, worker.keys, symbol))


async def main(worker: Worker) -> None:
    trades_sink, bars_sink, trades, feed = build(worker)
    await trades_sink.open(worker.stop)
    await bars_sink.open(worker.stop)
    await restore(worker, trades, feed)
    ibkr = worker.settings.ibkr
    policy = ConnectionPolicy.from_settings(ibkr, ibkr.trades_client_id)
    gateway = GatewayConnection(
        policy, feed.serve, lambda kind, text: worker.ledger.incident(kind, "", text)
    )
    sinks: list[Sink[Any]] = [trades_sink, bars_sink]
    sources = Sources("ibkr", "trades", feed.health, feed.metrics, every=feed.candles)
    reporter = Reporter(worker, sinks, sources)
    await run_feed(worker, feed, gateway.run(worker.stop), sinks, reporter)


if __name__ == "__main__":
    sys.exit(run(NAME, ibkr_family, main))
