"""The programs under test, one process each: python -m benchmarks.tick_subject ours|decode.

Each connects to the gateway at IBKR_PORT, asks for the lines, tick-by-tick streams and bars of the
universe and, at SIGTERM, writes when each symbol's prints became visible ([symbol, how far,
monotonic time]) and when its newest quote did. `ours` is the real worker, with wrappers around
the places that learn of Redis's reply.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.subject import connected, logging_wanted, report, until_stopped

# (symbol, how far its prints are visible, when)
Log = list[tuple[str, float, float]]
Quotes = dict[str, float]
STREAMS: Final = 5


def ours() -> int:
    from shared.process import run
    from shared.store.heartbeat import ibkr_family
    from workers import ibkr_trades

    log: Log = []
    quotes: Quotes = {}
    if logging_wanted():
        _log_prints(log)
        _log_quotes(quotes)
    code = run(ibkr_trades.NAME, ibkr_family, ibkr_trades.main)
    report(log, quotes=quotes)
    return code


def _log_prints(log: Log) -> None:
    from shared.store.backlog import Backlog
    from shared.store.trades import TradeItem

    confirm = Backlog.confirm

    def confirm_and_log(self: Backlog[Any], batch: Sequence[Any], now_s: float) -> None:
        # The bars have a queue of the same kind.
        if batch and type(batch[0]) is TradeItem:
            seen = time.monotonic()
            last = {item.symbol: item.seq for item in batch}
            log.extend((symbol, seq, seen) for symbol, seq in last.items())
        confirm(self, batch, now_s)

    Backlog.confirm = confirm_and_log  # type: ignore[method-assign]


def _log_quotes(quotes: Quotes) -> None:
    from shared.store.quotes import QuoteBoard

    confirmed = QuoteBoard.confirmed

    def confirmed_and_log(
        self: QuoteBoard, said: Mapping[str, Any], names: Sequence[str], replies: Sequence[Any]
    ) -> None:
        seen = time.monotonic()
        # At the end the worker withdraws its quotes, which is no news.
        quotes.update((symbol, seen) for symbol, quote in said.items() if quote is not None)
        confirmed(self, said, names, replies)

    QuoteBoard.confirmed = confirmed_and_log  # type: ignore[method-assign]


async def decode(symbols: Sequence[str]) -> tuple[Log, Quotes]:
    """ib_async alone, with an empty handler; a batch is visible once it is handled.

    How far a symbol is, its day's volume tells: every print raises it.
    """
    ib = await connected()
    log: Log = []
    quotes: Quotes = {}

    def handled() -> None:
        seen = time.monotonic()
        for ticker in ib.wrapper.pendingTickers:
            quotes[ticker.contract.symbol] = seen
            # It is NaN before the first print.
            if ticker.rtVolume > 0:
                log.append((ticker.contract.symbol, ticker.rtVolume, seen))

    def empty(_tickers: Any) -> None:
        return None

    ib.pendingTickersEvent += empty
    ib.updateEvent += handled
    _ask(ib, symbols)
    await until_stopped()
    ib.disconnect()
    return log, quotes


def _ask(ib: Any, symbols: Sequence[str]) -> None:
    """For the same lines, streams and bars as the worker."""
    from ib_async import Contract

    for number, symbol in enumerate(symbols, 1):
        contract = Contract(
            conId=number, symbol=symbol, secType="STK", exchange="SMART", currency="USD"
        )
        ib.reqMktData(contract, "233")
        ib.reqRealTimeBars(contract, 5, "TRADES", False)
        if number <= STREAMS:
            ib.reqTickByTickData(contract, "AllLast")


def main() -> int:
    if sys.argv[1] == "ours":
        return ours()
    log, quotes = asyncio.run(decode(os.environ["BENCH_SYMBOLS"].split(",")))
    report(log, quotes=quotes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
