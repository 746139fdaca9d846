"""Level-2 depth: gateway rows → own books → Redis, over the few slots an account has."""

from __future__ import annotations

import sys
from typing import Final

from shared.feeds.ibkr.connection import ConnectionPolicy, GatewayConnection
from shared.feeds.ibkr.depth import DepthFeed
from shared.feeds.ibkr.depth_state import DepthPolicy
from shared.lifecycle import run_feed
from shared.market.depth import DepthUpdate
from shared.process import Worker, run
from shared.reporting import Reporter, Sources
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.depth_outlet import DepthStoreOutlet
from shared.store.heartbeat import ibkr_family
from shared.store.monitoring import lost_numbers
from shared.store.resp import RespConnection
from shared.store.rotation_log import read_fallback, read_interrupted
from shared.store.sink import Sink, SinkBounds

NAME: Final = "ibkr_depth"


def build(worker: Worker) -> tuple[DepthWriter, Sink[DepthUpdate], DepthFeed]:
    """The path of a row: feed → outlet → writer → sink."""
    settings, redis = worker.settings, worker.settings.redis
    symbols = settings.depth_symbols()
    ttls = settings.modules.data_ingestion.ttls
    writer = DepthWriter(
        worker.keys,
        symbols,
        settings.ibkr.stream_maxlen,
        DepthTtls(settings.ibkr.heartbeat_ttl_s, ttls.order_book, ttls.market_data),
    )
    connection = RespConnection(redis.url, redis.connect_timeout_s, NAME)
    bounds = SinkBounds(redis.queue_max_entries, redis.queue_max_bytes, redis.flush_max_updates)
    sink = Sink(connection, writer, bounds)
    writer.sink = sink
    instruments = [settings.universe.by_symbol(symbol) for symbol in symbols]
    outlet = DepthStoreOutlet(writer, worker.ledger, worker.keys)
    policy = DepthPolicy.from_settings(settings.ibkr)
    return writer, sink, DepthFeed(instruments, settings.universe.pinned, policy, outlet)


async def main(worker: Worker) -> None:
    writer, sink, feed = build(worker)
    ibkr = worker.settings.ibkr
    await sink.open(worker.stop)
    writer.skip(await lost_numbers(worker.store, worker.keys, writer.feed))
    symbols = worker.settings.depth_symbols()
    feed.restore(
        await read_fallback(worker.store, worker.keys, symbols),
        await read_interrupted(worker.store, worker.keys, symbols),
        writer.last_seen(),
    )
    policy = ConnectionPolicy.from_settings(ibkr, ibkr.client_id)
    gateway = GatewayConnection(
        policy, feed.serve, lambda kind, text: worker.ledger.incident(kind, "", text)
    )
    sources = Sources("ibkr", "updates", feed.health, feed.metrics, feed.coverage_report)
    reporter = Reporter(worker, [sink], sources)
    await run_feed(worker, feed, gateway.run(worker.stop), [sink], reporter)


if __name__ == "__main__":
    sys.exit(run(NAME, ibkr_family, main))
