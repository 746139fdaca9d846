"""News and technical indicators: Alpha Vantage → typed documents with aggregates in Redis."""

from __future__ import annotations

import sys
from typing import Final

from shared.control.schedule import Poll
from shared.feeds.alphavantage.sentiment import NEWS, SentimentHandler
from shared.process import Worker, run
from shared.settings import Settings
from shared.store.indicators import IndicatorStore
from shared.store.sentiment import SentimentStore
from shared.store.status_board import StatusBoard
from shared.store.vendor_outlets import SentimentStoreOutlet
from shared.vendor_feed import VendorJob, family_with_key, new_loop, run_vendor

NAME: Final = "av_sentiment"


def polls_of(settings: Settings) -> list[Poll]:
    """The indicators of every symbol, and its news unless the settings skip it."""
    vendor, found = settings.alpha_vantage, []
    for symbol in settings.vendor_symbols():
        if symbol not in vendor.sentiment_skip:
            found.append(Poll(symbol, NEWS, vendor.sentiment_interval_s))
        for indicator in dict.fromkeys(vendor.indicators):
            found.append(Poll(symbol, indicator, vendor.technicals_interval_s))
    return found


async def main(worker: Worker) -> None:
    settings, keys, store = worker.settings, worker.keys, worker.store
    ttls, source = settings.modules.data_ingestion.ttls, settings.source
    board = StatusBoard(store, ttls.monitoring)
    outlet = SentimentStoreOutlet(
        SentimentStore(store, keys, source, ttls.sentiment),
        IndicatorStore(store, keys, source, ttls.technicals),
        board,
        keys,
    )
    handler = SentimentHandler(settings.alpha_vantage, settings.universe, outlet)
    patience_s = min(ttls.sentiment, ttls.technicals)
    await run_vendor(
        worker, VendorJob(polls_of(settings), handler, board, handler.metrics, patience_s)
    )


if __name__ == "__main__":
    sys.exit(run(NAME, family_with_key, main, new_loop))
