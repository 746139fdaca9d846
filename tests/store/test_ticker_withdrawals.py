"""Quotes withdrawn while it is not known what Redis has of them, on a link that the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from shared.store.quotes import DELAYED, SOURCE
from shared.store.scripts import script
from shared.store.sink import SinkBounds
from tests.store.feeding import SHIPPED
from tests.store.pens import Pen, write
from tests.store.relay import Fate, Relay, relay_to
from tests.store.tape_feeding import TapeFeeding, market_keys, running, settle
from tests.support.depth_keys import now_ms
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[MarketKeys]:
    with market_keys(redis_server.url) as found:
        yield found


class Tape(TapeFeeding):
    """Does the next act as a call of the armed script passes on its way to Redis."""

    def __init__(self, relay: Relay, bounds: SinkBounds) -> None:
        super().__init__(relay.url, bounds)
        relay.judge = self.judge
        self._sha, self._fate = b"", Fate.CARRY
        self.acts: list[Callable[[], None]] = []

    def arm(self, name: str, fate: Fate, *acts: Callable[[], None]) -> None:
        self._sha, self._fate, self.acts = script(name).sha.encode(), fate, list(acts)

    async def judge(self, command: list[bytes]) -> Fate:
        if not self.acts or command[:2] != [b"EVALSHA", self._sha]:
            return Fate.CARRY
        self.acts.pop(0)()
        return self._fate

    def quote(self, source: bytes = SOURCE) -> None:
        self.writer.quotes.set("SPY", {"bid": 100.0}, now_ms(), source)
        self.writer.wake()

    def withdraw(self) -> None:
        self.writer.quotes.set("SPY", None, 0)
        self.writer.wake()


@asynccontextmanager
async def taping(redis_server: RedisServer, bounds: SinkBounds = SHIPPED) -> AsyncIterator[Tape]:
    async with relay_to(redis_server.port) as relay:
        tape = Tape(relay, bounds)
        async with running(tape):
            yield tape


FATES = pytest.mark.parametrize("fate", [Fate.CARRY, Fate.CUT_BEFORE, Fate.CUT_AFTER])


@FATES
@pytest.mark.parametrize("source", [SOURCE, DELAYED])
def test_a_first_quote_that_is_withdrawn_in_flight_does_not_stay(
    redis_server: RedisServer, keys: MarketKeys, source: bytes, fate: Fate
) -> None:
    async def scenario() -> None:
        async with taping(redis_server) as tape:
            tape.arm("ticker_quote", fate, tape.withdraw)
            tape.quote(source)
            await settle(tape)
            assert (tape.acts, keys.ticker("SPY")) == ([], {})

    asyncio.run(scenario())


@FATES
@pytest.mark.parametrize(("had", "given"), [(SOURCE, DELAYED), (DELAYED, SOURCE)])
def test_a_quote_of_another_source_that_is_withdrawn_in_flight_takes_the_first_one_along(
    redis_server: RedisServer, keys: MarketKeys, had: bytes, given: bytes, fate: Fate
) -> None:
    async def scenario() -> None:
        async with taping(redis_server) as tape:
            tape.quote(had)
            await settle(tape)
            assert keys.ticker("SPY")["quote_source"] == had.decode()
            tape.arm("ticker_quote", fate, tape.withdraw)
            tape.quote(given)
            await settle(tape)
            assert (tape.acts, keys.ticker("SPY")) == ([], {})

    asyncio.run(scenario())


@FATES
def test_a_withdrawal_that_is_in_flight_when_the_link_is_cut_is_carried_out(
    redis_server: RedisServer, keys: MarketKeys, fate: Fate
) -> None:
    async def scenario() -> None:
        async with taping(redis_server) as tape:
            tape.quote(DELAYED)
            await settle(tape)
            tape.arm("ticker_release", fate, lambda: None)
            tape.withdraw()
            await settle(tape)
            assert (tape.acts, keys.ticker("SPY")) == ([], {})

    asyncio.run(scenario())


def test_of_two_withdrawals_around_a_quote_both_are_carried_out(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with taping(redis_server, SinkBounds(50_000, 134_217_728, 1)) as tape:
            tape.quote()
            await settle(tape)
            # Each flush but the first is prepared while the one before it is in flight.
            tape.arm("ticker_release", Fate.CARRY, tape.quote, tape.withdraw)
            tape.withdraw()
            tape.put(3, ["SPY"])
            await settle(tape)
            assert tape.acts == []
            assert "quote_source" not in keys.ticker("SPY")
            assert len(keys.trades("SPY")) == 3

    asyncio.run(scenario())


def test_a_quote_that_depth_keeps_out_is_no_longer_foreign_when_it_is_withdrawn(
    redis_url: str,
) -> None:
    async def scenario(pen: Pen) -> None:
        pen.claim()
        pen.depth_quote(1)
        await pen.settle()
        pen.tob_quote(1)
        await pen.settle()
        assert pen.foreign() == 1
        pen.withdraw()
        await pen.settle()
        assert (pen.foreign(), pen.shown()) == (0, ("depth", "101.0"))

    write(redis_url, scenario)
