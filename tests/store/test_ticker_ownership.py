"""Depth and top of book write one ticker: who may, who takes over, and what readers see."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.store.pens import Pen, write

# Prices and spreads that tell the sources apart: depth 100 + k, top of book 5000 + k.
SPREADS = {"depth": "0.5", "tob": "0.25"}
VENUES = {"depth": "ARCA", "tob": "SMART"}
TOB_FROM = 5000


def test_while_depth_owns_the_ticker_top_of_book_is_refused_however_often_it_is_offered(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        for k in (1, 2, 3):
            pen.tob_quote(k)
            await pen.settle()
            pen.offer()
            await pen.settle()
            assert (pen.shown(), pen.foreign()) == (("depth", "101.0"), 1)
        assert pen.tape.writer.metrics()["quotes"] == 0

    write(redis_url, scenario)


@pytest.mark.parametrize("end", [Pen.release, Pen.park], ids=["released", "parked"])
def test_when_depth_lets_go_the_next_offer_is_written_by_one_flush(
    redis_url: str, end: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        pen.tob_quote(1)
        await pen.settle()
        end(pen)
        await pen.settle()
        flushes = pen.tape.sink.metrics()["flushes"]
        pen.offer()
        await pen.settle()
        assert pen.shown() == ("tob", "5001.0")
        assert pen.tape.sink.metrics()["flushes"] == flushes + 1
        assert pen.foreign() == 0

    write(redis_url, scenario)


def test_a_parked_ticker_that_nobody_quotes_has_no_quote(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        pen.tape.put(1, ["SPY"])
        await pen.settle()
        pen.park()
        await pen.settle()
        assert set(pen.keys.ticker("SPY")) == {
            *("last", "last_size", "last_venue", "last_ts", "last_received_ts", "ts")
        }

    write(redis_url, scenario)


def test_depth_takes_the_ticker_over_with_its_next_update(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        assert pen.shown() == ("tob", "5001.0")
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert (ticker["bid"], ticker["ask"], ticker["mid"]) == ("101.0", "101.5", "101.25")
        assert (ticker["bid_venue"], ticker["quote_source"]) == ("ARCA", "depth")

    write(redis_url, scenario)


def test_without_its_sign_depth_leaves_the_quote_of_top_of_book_alone(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        pen.depth_quote(1)
        await pen.settle()
        assert pen.shown() == ("tob", "5001.0")

    write(redis_url, scenario)


def test_a_withdrawn_top_of_book_does_not_remove_the_quote_of_depth(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        pen.withdraw()
        await pen.settle()
        assert pen.shown() == ("depth", "101.0")

    write(redis_url, scenario)


# What a reader sees meanwhile


class Reader:
    """Reads SPY's ticker without a pause and judges each hash it gets."""

    def __init__(self, url: str) -> None:
        self.reads = 0
        self.sources: list[str] = []
        self.faults: list[str] = []
        self._quote_ts = 0
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        with redis.Redis.from_url(self._url, decode_responses=True) as client:
            while not self._stop.is_set():
                found: Any = client.hgetall("market:SPY:ticker")
                self.reads += 1
                if "quote_source" in found:
                    self._judge(found)

    def _judge(self, ticker: dict[str, str]) -> None:
        source = ticker["quote_source"]
        bid, ask = float(ticker["bid"]), float(ticker["ask"])
        of_one = {
            "prices": (bid >= TOB_FROM) == (source == "tob"),
            "spread": ask - bid == float(SPREADS[source]) == float(ticker["spread"]),
            "mid": float(ticker["mid"]) == (bid + ask) / 2,
            "venues": ticker["bid_venue"] == ticker["ask_venue"] == VENUES[source],
            "time": int(ticker["quote_ts"]) >= self._quote_ts,
        }
        self.faults += [f"{name}: {ticker}" for name, holds in of_one.items() if not holds]
        self._quote_ts = int(ticker["quote_ts"])
        if self.sources[-1:] != [source]:
            self.sources.append(source)


def test_over_hundreds_of_changes_of_hands_no_quote_is_mixed_and_none_goes_back(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        for k in range(150):
            pen.claim()
            pen.depth_quote(k)
            await pen.settle()
            assert pen.shown() == ("depth", f"{100.0 + k}")
            pen.tob_quote(k)
            await pen.settle()
            assert pen.foreign() == 1
            (pen.park if k % 2 else pen.release)()
            await pen.settle()
            pen.offer()
            await pen.settle()
            assert pen.shown() == ("tob", f"{5000.0 + k}")

    with Reader(redis_url) as reader:
        write(redis_url, scenario)
    assert reader.faults == []
    assert len(reader.sources) > 100


def test_while_both_write_at_once_no_quote_is_mixed_and_none_goes_back(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        end_s, k = time.monotonic() + 1.5, 0
        while time.monotonic() < end_s:
            pen.depth_quote(k)
            pen.tob_quote(k, late_ms=k % 5 * 10)
            pen.offer()
            if k % 4 == 0:
                (pen.claim, pen.release, pen.claim, pen.park)[k // 4 % 4]()
            await asyncio.sleep(0.001)
            k += 1
        await pen.settle()
        assert pen.tape.writer.metrics()["late_quotes"] > 10

    with Reader(redis_url) as reader:
        write(redis_url, scenario)
    assert reader.faults == []
    assert len(reader.sources) > 10
