"""Level-2 depth: gateway rows → own books → Redis, over the few slots an account has."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from loguru import logger

from shared.feeds.ibkr.connection import ConnectionPolicy, GatewayConnection
from shared.feeds.ibkr.depth import DepthFeed
from shared.feeds.ibkr.depth_state import DepthPolicy
from shared.process import DRAIN_S, Family, Worker, run
from shared.reporting import Reporter
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.depth_outlet import DepthStoreOutlet
from shared.store.resp import RespConnection
from shared.store.rotation_log import read_fallback, read_interrupted
from shared.store.sink import Sink, SinkBounds

NAME: Final = "ibkr_depth"
FAMILY: Final = Family("ibkr_ingestion", (NAME,), has_flag=True)


def build(worker: Worker) -> tuple[Sink, DepthFeed]:
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
    return sink, DepthFeed(instruments, settings.universe.pinned, policy, outlet)


async def main(worker: Worker) -> None:
    sink, feed = build(worker)
    ibkr, ledger = worker.settings.ibkr, worker.ledger
    await sink.open(worker.stop)
    feed.restore(
        await read_fallback(worker.store, worker.keys),
        await read_interrupted(worker.store, worker.keys),
    )
    policy = ConnectionPolicy.from_settings(ibkr, ibkr.client_id)
    gateway = GatewayConnection(
        policy, feed.serve, lambda kind, text: ledger.incident(kind, "", text)
    )
    reporter = Reporter(
        worker,
        sink,
        feed.health,
        lambda: {**feed.metrics(), "reconnects": gateway.reconnects},
        feed.coverage_report,
    )
    connecting = asyncio.ensure_future(gateway.run(worker.stop))
    # A gateway given up on ends the worker in order, with its queue written.
    connecting.add_done_callback(lambda _: worker.stop.set())
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(sink.run())
        reporting = tasks.create_task(reporter.run("ibkr"))
        await worker.stop.wait()
        worker.health.set("stopping", worker.health.connected)
        await feed.stop()
        await asyncio.wait({connecting}, timeout=1.0)
        connecting.cancel()
        sink.stop()
        await asyncio.wait({writing}, timeout=DRAIN_S - 1.0)
        if lost := sink.abandon():
            logger.error("{} updates could not be written before the stop", lost)
        reporter.drain_losses()
        for task in (reporting, writing):
            task.cancel()
    await asyncio.gather(connecting, return_exceptions=connecting.cancelled())


if __name__ == "__main__":
    sys.exit(run(NAME, FAMILY, main))
