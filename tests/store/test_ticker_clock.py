"""The quote of a quiet line, on a clock that stepped back an hour since it was said last."""

from __future__ import annotations

from typing import Final

from tests.store.pens import Pen, write
from tests.support.depth_keys import now_ms

HOUR_MS: Final = 3_600_000


async def step_back(pen: Pen) -> None:
    """The ticker says that the quote holds from an hour ahead."""
    pen.tape.writer.clock_ms = lambda: now_ms() + HOUR_MS
    pen.tob_quote(1, late_ms=20_000 - HOUR_MS)
    await pen.settle()
    await offer(pen, HOUR_MS)
    assert int(pen.keys.ticker("SPY")["quote_ts"]) >= now_ms() + HOUR_MS - 10_000
    pen.tape.writer.clock_ms = now_ms


async def offer(pen: Pen, ahead_ms: int = 0) -> None:
    pen.tape.writer.quotes.offer_again(["SPY"], now_ms() + ahead_ms)
    pen.tape.writer.wake()
    await pen.settle()


async def trade(pen: Pen) -> None:
    pen.tape.put(1, ["SPY"])
    await pen.settle()


def test_the_next_offer_says_that_the_quote_holds_now(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        await step_back(pen)
        before_ms = now_ms()
        await offer(pen)
        assert pen.shown() == ("tob", "5001.0")
        assert before_ms <= int(pen.keys.ticker("SPY")["quote_ts"]) <= now_ms()
        assert pen.tape.writer.metrics()["future_quotes"] == 1

    write(redis_url, scenario)


def test_trades_behind_the_next_offer_leave_the_quote_alone(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        await step_back(pen)
        for _ in range(3):
            await offer(pen)
            await trade(pen)
            assert pen.shown() == ("tob", "5001.0")

    write(redis_url, scenario)


def test_a_quote_that_a_trade_found_in_the_future_is_back_with_the_next_offer(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        await step_back(pen)
        await trade(pen)
        await offer(pen)
        assert pen.shown() == ("tob", "5001.0")
        await trade(pen)
        assert pen.shown() == ("tob", "5001.0")

    write(redis_url, scenario)


def test_the_quote_is_renewed_after_ten_seconds_as_before(redis_url: str) -> None:
    async def scenario(pen: Pen) -> None:
        await step_back(pen)
        await offer(pen)
        first = int(pen.keys.ticker("SPY")["quote_ts"])
        pen.tape.writer.clock_ms = lambda: now_ms() + 10_000
        await offer(pen, 10_000)
        assert int(pen.keys.ticker("SPY")["quote_ts"]) >= first + 10_000

    write(redis_url, scenario)
