"""The programs under test, one process each: python -m benchmarks.depth_subject ours|seed|decode.

Each connects to the gateway at IBKR_PORT, subscribes to depth of three symbols and, at SIGTERM,
prints when each symbol's rows became visible: [symbol, rows so far, monotonic time].
`ours` is the real worker, with one wrapper around the place that learns of Redis's reply.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

from benchmarks.subject import connected, logging_wanted, report, until_stopped

SYMBOLS = ("AAA", "BBB", "CCC")
Log = list[tuple[str, int, float]]


def ours() -> int:
    from shared.process import run
    from shared.store.backlog import Backlog
    from shared.store.heartbeat import ibkr_family
    from workers import ibkr_depth

    log: Log = []
    confirm = Backlog.confirm

    def confirm_and_log(self: Backlog[Any], batch: Any, now_s: float) -> None:
        seen = time.monotonic()
        last = {item.symbol: item.seq for item in batch}
        log.extend((symbol, seq, seen) for symbol, seq in last.items())
        confirm(self, batch, now_s)

    if logging_wanted():
        Backlog.confirm = confirm_and_log  # type: ignore[method-assign]
    code = run(ibkr_depth.NAME, ibkr_family, ibkr_depth.main)
    report(log)
    return code


def _contract(symbol: str, number: int) -> Any:
    from ib_async import Contract

    return Contract(conId=number, symbol=symbol, secType="STK", exchange="ARCA", currency="USD")


async def decode() -> Log:
    """ib_async alone: its own book, an empty handler; rows count as visible once handled."""
    ib = await connected()
    log: Log = []
    counts = dict.fromkeys(SYMBOLS, 0)
    tickers = {}
    for number, symbol in enumerate(SYMBOLS, 1):
        tickers[symbol] = ib.reqMktDepth(_contract(symbol, number), numRows=15)

    def handled() -> None:
        seen = time.monotonic()
        for symbol, ticker in tickers.items():
            if ticker.domTicks:
                counts[symbol] += len(ticker.domTicks)
                log.append((symbol, counts[symbol], seen))

    def empty(_tickers: Any) -> None:
        return None

    ib.pendingTickersEvent += empty
    ib.updateEvent += handled
    await until_stopped()
    ib.disconnect()
    return log


async def seed() -> Log:
    """The seed's way: three awaited commands for every update, through redis-py."""
    from redis.asyncio import Redis

    ib = await connected()
    redis = Redis.from_url(os.environ["REDIS_URL"])
    queue: asyncio.Queue[tuple[str, Any, Any]] = asyncio.Queue()
    books: dict[int, tuple[str, dict[int, list[Any]]]] = {}

    def row(  # noqa: PLR0913 - the signature of ib_async's wrapper
        req_id: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        _smart: bool = False,
    ) -> None:
        symbol, sides = books[req_id]
        rows = sides[side]
        if operation == 0:
            rows.insert(position, [price, size, maker])
        elif operation == 1:
            rows[position] = [price, size, maker]
        else:
            del rows[position]
        queue.put_nowait((symbol, list(sides[1][:10]), list(sides[0][:10])))

    ib.wrapper.updateMktDepthL2 = row
    for number, symbol in enumerate(SYMBOLS, 1):
        req_id = ib.client.getReqId()
        books[req_id] = (symbol, {0: [], 1: []})
        ib.client.reqMktDepth(req_id, _contract(symbol, number), 15, False, None)
    log: Log = []
    stopped = asyncio.ensure_future(until_stopped())
    writing = asyncio.ensure_future(_write_one_by_one(queue, redis, log))
    await stopped
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    ib.disconnect()
    await redis.aclose()
    return log


async def _write_one_by_one(queue: Any, redis: Any, log: Log) -> None:
    import orjson

    seqs = dict.fromkeys(SYMBOLS, 0)
    while True:
        symbol, bids, asks = await queue.get()
        seqs[symbol] += 1
        ts = int(time.time() * 1000)
        bids_json, asks_json = orjson.dumps(bids), orjson.dumps(asks)
        await redis.xadd(
            f"bench:stream:{symbol}",
            {"ts": ts, "bids": bids_json, "asks": asks_json, "seq": seqs[symbol], "venue": "ARCA"},
            maxlen=10_000,
            approximate=True,
        )
        await redis.hset(
            f"bench:last:{symbol}",
            mapping={"ts": ts, "bids_json": bids_json, "asks_json": asks_json, "venue": "ARCA"},
        )
        await redis.set(f"bench:hb:{symbol}", ts, ex=30)
        log.append((symbol, seqs[symbol], time.monotonic()))


def main() -> int:
    way = sys.argv[1]
    if way == "ours":
        return ours()
    report(asyncio.run(seed() if way == "seed" else decode()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
