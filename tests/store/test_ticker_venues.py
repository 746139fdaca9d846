"""Of two venues one leaves the ticker's quote or falls silent, while the other goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from shared.market.depth import BookState, DepthUpdate, Pair
from tests.store.pens import Pen, write
from tests.support.depth_keys import now_ms
from tests.unit.store.updates import EMPTY, side

BATS: Final = Pair("SPY", "BATS")


def row(pen: Pen, venue: str, bid: float, late_ms: int) -> None:
    """A book of one level on each side, received `late_ms` ago."""
    now_s, ts_ms = asyncio.get_running_loop().time(), now_ms() - late_ms
    bids, asks = side((bid, 1, venue)), side((bid + 1.0, 1, venue))
    pen.depth.given += 1
    pen.depth.writer.put(DepthUpdate("SPY", venue, ts_ms, now_s, bids, asks, BookState.LIVE))


def name(pen: Pen, *venues: str) -> None:
    """As the feed does every second: these venues of SPY are live and healthy."""
    pen.depth.writer.quoting({"SPY": list(venues)})


async def quoted(pen: Pen, late_ms: int) -> None:
    """BATS has the better bid; its row is the older one."""
    name(pen, "ARCA", "BATS")
    row(pen, "BATS", 101.0, late_ms + 1000)
    row(pen, "ARCA", 100.0, late_ms)
    await pen.settle()
    assert pen.shown() == ("depth", "101.0")


def park(pen: Pen) -> None:
    pen.depth.writer.park(BATS)


def reset(pen: Pen) -> None:
    now_s, ts_ms = asyncio.get_running_loop().time(), now_ms()
    pen.depth.given += 1
    pen.depth.writer.put(DepthUpdate("SPY", "BATS", ts_ms, now_s, EMPTY, EMPTY, BookState.RESET))


LEAVES = pytest.mark.parametrize("leave", [park, reset], ids=["parked", "reset"])
# A second ago, or longer ago than a quote offered again is written.
QUIET = pytest.mark.parametrize("late_ms", [1_000, 15_000], ids=["busy", "quiet"])


# A venue leaves


@LEAVES
@QUIET
def test_a_venue_that_left_is_out_of_the_ticker_with_the_flush_that_says_so(
    redis_url: str, leave: Callable[[Pen], None], late_ms: int
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, late_ms)
        flushes = pen.depth.sink.metrics()["flushes"]
        leave(pen)
        await pen.settle()
        assert pen.shown() == ("depth", "100.0")
        assert pen.keys.ticker("SPY")["bid_venue"] == "ARCA"
        assert pen.depth.sink.metrics()["flushes"] == flushes + 1

    write(redis_url, scenario)


@LEAVES
@QUIET
def test_a_venue_that_left_is_out_of_a_quote_that_was_said_to_hold_just_before(
    redis_url: str, leave: Callable[[Pen], None], late_ms: int
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, late_ms)
        name(pen, "ARCA", "BATS")
        await pen.settle()
        leave(pen)
        await pen.settle()
        assert pen.shown() == ("depth", "100.0")

    write(redis_url, scenario)


@LEAVES
@QUIET
def test_a_venue_that_left_and_is_no_longer_named_is_out_of_the_ticker_in_one_flush(
    redis_url: str, leave: Callable[[Pen], None], late_ms: int
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, late_ms)
        name(pen, "ARCA", "BATS")
        await pen.settle()
        flushes = pen.depth.sink.metrics()["flushes"]
        name(pen, "ARCA")
        leave(pen)
        await pen.settle()
        assert pen.shown() == ("depth", "100.0")
        assert pen.depth.sink.metrics()["flushes"] == flushes + 1

    write(redis_url, scenario)


@LEAVES
def test_a_venue_that_left_stays_out_of_the_ticker_while_the_other_is_renewed(
    redis_url: str, leave: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        leave(pen)
        for _ in range(3):
            name(pen, "ARCA")
            await pen.settle()
            assert pen.shown() == ("depth", "100.0")
        assert pen.keys.json("market:SPY:book")["venues"] == ["ARCA"]

    write(redis_url, scenario)


@LEAVES
def test_a_quote_that_a_venue_left_was_received_when_it_left(
    redis_url: str, leave: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        before_ms = now_ms()
        leave(pen)
        await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert ticker["quote_ts"] == ticker["quote_received_ts"]
        assert before_ms <= int(ticker["quote_received_ts"]) <= now_ms()

    write(redis_url, scenario)


@LEAVES
def test_a_quote_that_a_venue_left_is_not_counted_as_late(
    redis_url: str, leave: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        name(pen, "ARCA", "BATS")
        await pen.settle()
        leave(pen)
        await pen.settle()
        assert pen.depth.writer.metrics()["late_quotes"] == 0

    write(redis_url, scenario)


# A venue falls silent


def test_a_quote_with_a_venue_that_is_no_longer_named_is_not_said_to_hold_now(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        before = pen.keys.ticker("SPY")
        for _ in range(3):
            name(pen, "ARCA")
            await pen.settle()
        assert pen.keys.ticker("SPY") == before

    write(redis_url, scenario)


def test_a_quote_holds_again_when_the_silent_venue_is_named_again(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        name(pen, "ARCA")
        await pen.settle()
        before = pen.keys.ticker("SPY")
        before_ms = now_ms()
        name(pen, "ARCA", "BATS")
        await pen.settle()
        after = pen.keys.ticker("SPY")
        assert int(after["quote_ts"]) >= before_ms
        assert after == {**before, "quote_ts": after["quote_ts"]}

    write(redis_url, scenario)


def test_a_quote_holds_again_when_the_silent_venue_is_parked(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        await quoted(pen, 15_000)
        name(pen, "ARCA")
        await pen.settle()
        before_ms = now_ms()
        name(pen, "ARCA")
        park(pen)
        await pen.settle()
        assert pen.shown() == ("depth", "100.0")
        assert int(pen.keys.ticker("SPY")["quote_ts"]) >= before_ms

    write(redis_url, scenario)
