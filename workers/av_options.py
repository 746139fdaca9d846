"""Option chains: Alpha Vantage → checked chains → calls, puts, chain and greeks in Redis."""

from __future__ import annotations

import sys
from typing import Final

from shared.control.schedule import Poll
from shared.feeds.alphavantage.options import KIND, OptionsHandler
from shared.process import Worker, run
from shared.store.options import OptionsStore
from shared.store.resp import RespConnection
from shared.store.status_board import StatusBoard
from shared.store.vendor_outlets import OptionsStoreOutlet
from shared.vendor_feed import VendorJob, family_with_key, new_loop, run_vendor

NAME: Final = "av_options"


async def main(worker: Worker) -> None:
    settings, keys = worker.settings, worker.keys
    vendor, ttls = settings.alpha_vantage, settings.modules.data_ingestion.ttls
    connection = RespConnection(settings.redis.url, settings.redis.connect_timeout_s, NAME)
    options = OptionsStore(connection, keys, settings.source, (ttls.options, ttls.greeks))
    board = StatusBoard(worker.store, ttls.monitoring)
    handler = OptionsHandler(vendor, settings.universe, OptionsStoreOutlet(options, board, keys))
    polls = [Poll(one, KIND, vendor.options_interval_s) for one in settings.vendor_symbols()]
    try:
        job = VendorJob(polls, handler, board, handler.metrics, ttls.options)
        await run_vendor(worker, job)
    finally:
        options.close()


if __name__ == "__main__":
    sys.exit(run(NAME, family_with_key, main, new_loop))
