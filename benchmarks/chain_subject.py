"""A program under test: python -m benchmarks.chain_subject ours|plain|floor REDIS_URL [TTL_S].

It takes orders, one JSON object a line, and answers each with a line of figures. Bodies are read
from files and the garbage of the order before is collected ahead of every measurement.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.chain_documents import SYMBOL
from benchmarks.chain_plain import PlainWay
from benchmarks.chain_ways import POLL, Floor, Ours, Way
from shared.feeds.alphavantage.client import VendorClient
from shared.settings import AlphaVantageSettings, Secret
from shared.vendor_feed import new_loop

WAYS: Final[dict[str, Callable[..., Way]]] = {"ours": Ours, "plain": PlainWay, "floor": Floor}
Order = dict[str, Any]
Figures = dict[str, Any]


class Ticker:
    """Goes round with the event loop without pause and notes the longest gap, in seconds.

    `cpu_s` is the most processor time that this thread used within one gap: what stays of it when
    the machine had something else to do.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.gap_s = self.cpu_s = 0.0
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> Figures:
        # The gap that is just ending counts too.
        await asyncio.sleep(0)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return {"gap_ms": self.gap_s * 1000, "gap_cpu_ms": self.cpu_s * 1000}

    async def _run(self) -> None:
        last_s, last_cpu_s = self._clock(), self._cpu_clock()
        while True:
            await asyncio.sleep(0)
            now_s, cpu_s = self._clock(), self._cpu_clock()
            self.gap_s = max(self.gap_s, now_s - last_s)
            self.cpu_s = max(self.cpu_s, cpu_s - last_cpu_s)
            last_s, last_cpu_s = now_s, cpu_s


async def load(way: Way, order: Order) -> Figures:
    """One body from memory to Redis, timed; with `ticker` the gaps of the loop are measured too."""
    if order.get("anew"):
        way.forget()
    body = Path(order["body"]).read_bytes()
    given = await way.prepare(body, order["fetched_ms"])
    gc.collect()
    ticker = Ticker() if order.get("ticker") else None
    cpu_s, started_s = time.process_time(), time.perf_counter()
    told = await way.load(given)
    spent_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    if isinstance(way, Ours):
        await way.settle()
    return {**told, "s": spent_s, "cpu_s": cpu_s, **(await ticker.stop() if ticker else {})}


async def fetch(way: Ours, order: Order) -> Figures:
    """One chain over HTTP with gzip, as the worker asks for it, to Redis; gaps of the loop."""
    settings = AlphaVantageSettings(api_key=Secret("BENCHMARK"), base_url=order["base_url"])
    client = VendorClient(settings, "benchmark", _leave)
    gc.collect()
    ticker, started_s = Ticker(), time.perf_counter()
    answer = await client.get(way.handler.request(POLL))
    document = await way.handler.read(POLL, answer)
    await way.handler.write(POLL, document)
    spent_s, gaps = time.perf_counter() - started_s, await ticker.stop()
    await way.settle()
    await client.close()
    contracts = len(document.chain.contracts) if document.chain else 0
    return {"s": spent_s, "bytes": len(answer.body), "contracts": contracts, **gaps}


async def beat(way: Way, order: Order) -> Figures:
    """The bodies in turn, one at each `every_s`, for `seconds`, at the priority that is ordered."""
    os.nice(order["nice"] - os.nice(0))
    bodies = [Path(name).read_bytes() for name in order["bodies"]]
    took_ms: list[float] = []
    start_s = time.monotonic()
    for number in range(int(order["seconds"] / order["every_s"])):
        await asyncio.sleep(max(0.0, start_s + number * order["every_s"] - time.monotonic()))
        given = await way.prepare(bodies[number % len(bodies)], time.time_ns() // 1_000_000)
        started_s = time.perf_counter()
        await way.load(given)
        took_ms.append((time.perf_counter() - started_s) * 1000)
    return {"took_ms": took_ms}


async def _leave() -> None:
    """There is no limit to the calls."""


async def serve(way: Way) -> None:
    await way.connect()
    _answer({"ready": SYMBOL})
    while text := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(text)
        if order["run"] == "fetch":
            assert isinstance(way, Ours)
            _answer(await fetch(way, order))
        elif order["run"] == "beat":
            _answer(await beat(way, order))
        else:
            _answer(await load(way, order))
    await way.close()


def _answer(figures: Figures) -> None:
    print(json.dumps(figures), flush=True)


async def main() -> None:
    way, url, *ttl_s = sys.argv[1:]
    await serve(WAYS[way](url, *map(int, ttl_s)))


if __name__ == "__main__":
    # The worker's loop for the product and the floor, which is to be as low as it can be.
    with asyncio.Runner(loop_factory=None if sys.argv[1] == "plain" else new_loop) as runner:
        runner.run(main())
