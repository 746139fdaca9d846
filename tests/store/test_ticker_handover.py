"""The ticker's halves leave each other alone, and its quote passes over without a new tick."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.store.quotes import DELAYED
from tests.store.pens import Pen, write
from tests.support.depth_keys import now_ms

# Depth lets go of the ticker: its books stay, or they are parked.
ENDS = pytest.mark.parametrize("end", [Pen.release, Pen.park], ids=["released", "parked"])


# Quotes and trades of one ticker


def test_a_depth_that_is_quiet_for_seconds_takes_no_last_price_and_no_volume(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        traded_ms = pen.trade()
        pen.claim()
        pen.depth_quote(1, late_ms=30_000)
        await pen.settle()
        for _ in range(3):
            pen.claim()
            await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert (ticker["last"], ticker["volume"]) == ("77.5", "1234500.0")
        assert (ticker["last_received_ts"], ticker["ts"]) == (str(traded_ms), str(traded_ms))
        assert ticker["bid"] == "101.0"

    write(redis_url, scenario)


@pytest.mark.parametrize("late_ms", [30_000, 300_000])
def test_trades_that_waited_in_the_queue_take_no_fresh_quote(redis_url: str, late_ms: int) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        quoted_ms = pen.keys.ticker("SPY")["quote_received_ts"]
        traded_ms = pen.trade(late_ms)
        await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert (ticker["quote_source"], ticker["bid"]) == ("depth", "101.0")
        assert (ticker["last"], ticker["last_received_ts"]) == ("77.5", str(traded_ms))
        assert ticker["ts"] == quoted_ms

    write(redis_url, scenario)


def test_quotes_that_waited_in_the_queue_take_no_fresh_last_price(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        traded_ms = pen.trade()
        await pen.settle()
        pen.tob_quote(1, late_ms=300_000)
        await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert (ticker["bid"], ticker["last"], ticker["volume"]) == ("5001.0", "77.5", "1234500.0")
        assert ticker["ts"] == str(traded_ms)

    write(redis_url, scenario)


def test_the_quote_of_a_quiet_line_stays_while_it_is_offered(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1, late_ms=55_000)
        pen.offer()
        await pen.settle()
        pen.offer()
        await pen.settle()
        # Half a minute later: longer than the TTL after the quote was received.
        pen.tape.writer.clock_ms = lambda: now_ms() + 30_000
        pen.trade()
        await pen.settle()
        assert pen.shown() == ("tob", "5001.0")

    write(redis_url, scenario)


def test_the_quote_of_a_line_that_is_no_longer_offered_goes_with_the_next_trade(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1, late_ms=55_000)
        await pen.settle()
        pen.tape.writer.clock_ms = lambda: now_ms() + 30_000
        pen.trade()
        await pen.settle()
        assert pen.shown() == (None, None)
        assert pen.keys.ticker("SPY")["last"] == "77.5"

    write(redis_url, scenario)


# As of when a quote holds


def test_a_quote_offered_again_is_written_every_ten_seconds_at_most(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1, late_ms=15_000)
        await pen.settle()
        first = pen.keys.ticker("SPY")
        before_ms = now_ms()
        pen.offer()
        await pen.settle()
        second = pen.keys.ticker("SPY")
        assert int(second["quote_ts"]) >= before_ms > int(first["quote_ts"])
        assert second == {**first, "quote_ts": second["quote_ts"]}
        pen.offer()
        await pen.settle()
        assert pen.keys.ticker("SPY") == second
        assert pen.tape.writer.metrics()["quotes"] == 2

    write(redis_url, scenario)


def test_a_quote_of_depth_said_again_holds_now_and_keeps_its_receive_time(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1, late_ms=15_000)
        await pen.settle()
        first = pen.keys.ticker("SPY")
        before_ms = now_ms()
        pen.claim()
        await pen.settle()
        second = pen.keys.ticker("SPY")
        assert int(second["quote_ts"]) >= before_ms > int(first["quote_ts"])
        assert second == {**first, "quote_ts": second["quote_ts"]}

    write(redis_url, scenario)


def test_a_depth_that_claims_and_quotes_in_one_flush_is_the_owner_at_once(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        assert pen.shown() == ("depth", "101.0")
        assert pen.depth.sink.metrics()["flushes"] == 1

    write(redis_url, scenario)


# From depth to top of book


@ENDS
def test_a_quote_older_than_the_one_of_depth_takes_over_with_its_next_offer(
    redis_url: str, end: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        depth_ms = int(pen.keys.ticker("SPY")["quote_ts"])
        pen.tob_quote(1, late_ms=30_000)
        await pen.settle()
        assert pen.shown() == ("depth", "101.0")
        end(pen)
        await pen.settle()
        pen.offer()
        await pen.settle()
        ticker = pen.keys.ticker("SPY")
        assert pen.shown() == ("tob", "5001.0")
        assert int(ticker["quote_ts"]) >= depth_ms
        assert int(ticker["quote_received_ts"]) < depth_ms - 25_000

    write(redis_url, scenario)


@ENDS
def test_a_tick_older_than_the_quote_of_depth_waits_for_its_offer(
    redis_url: str, end: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        end(pen)
        await pen.settle()
        left = pen.keys.ticker("SPY")
        pen.tob_quote(2, late_ms=30_000)
        await pen.settle()
        assert pen.keys.ticker("SPY") == left
        assert pen.tape.writer.metrics()["late_quotes"] == 1
        pen.offer()
        await pen.settle()
        assert pen.shown() == ("tob", "5002.0")

    write(redis_url, scenario)


@ENDS
def test_a_quote_written_before_depth_took_over_comes_back_without_a_new_tick(
    redis_url: str, end: Callable[[Pen], None]
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        before = pen.keys.ticker("SPY")
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        for _ in range(3):
            pen.offer()
            await pen.settle()
            assert pen.shown() == ("depth", "101.0")
        end(pen)
        await pen.settle()
        pen.offer()
        await pen.settle()
        after = pen.keys.ticker("SPY")
        assert int(after["quote_ts"]) >= int(before["quote_ts"])
        assert {**after, "quote_ts": "", "ts": ""} == {**before, "quote_ts": "", "ts": ""}

    write(redis_url, scenario)


# What a release names


def test_a_delayed_quote_that_was_refused_does_not_keep_the_live_one_from_its_release(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        pen.keys.redis.set("coord:depth:live:SPY", '["ARCA"]')
        pen.tob_quote(2, source=DELAYED)
        await pen.settle()
        assert (pen.shown(), pen.foreign()) == (("tob", "5001.0"), 1)
        pen.withdraw()
        await pen.settle()
        assert pen.keys.ticker("SPY") == {}

    write(redis_url, scenario)


def test_a_delayed_quote_that_was_written_is_released(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        pen.tob_quote(1)
        await pen.settle()
        pen.tob_quote(2, source=DELAYED)
        await pen.settle()
        assert pen.shown() == ("delayed", "5002.0")
        pen.withdraw()
        await pen.settle()
        assert pen.keys.ticker("SPY") == {}

    write(redis_url, scenario)
