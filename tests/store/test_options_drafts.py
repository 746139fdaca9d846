"""Chains that are written while they are read: nobody sees them before they are whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from shared.errors import StoreUnavailable
from shared.market.option import Chain, empty_chain
from shared.store.option_draft import Draft
from shared.store.options import OptionsStore
from tests.store.test_options import (
    DOCUMENTS,
    LATER_MS,
    chain_of,
    counts,
    names,
    on,
    opened,
    stored,
    write,
)
from tests.support.option_bodies import NOW_MS, option_rows
from tests.support.redis_server import RedisServer
from tests.support.until import until

ROWS = option_rows(600)
GROWING = "coord:growing:*"


def filled(store: OptionsStore, chain: Chain, parts: int = 99) -> Draft:
    """A draft with the first parts of the chain, of which a chain of 600 has three."""
    draft = store.begin(chain.symbol, chain.fetched_ms)
    for part in list(chain.parts())[:parts]:
        draft.add(part)
    return draft


def grown(client: redis.Redis, symbol: str = "IBM") -> int:
    """Bytes of the three documents that grow."""
    keys = [f"coord:growing:{symbol}:{name}" for name in ("calls", "puts", "chain")]
    return sum(int(str(client.strlen(key))) for key in keys)


def test_parts_are_with_redis_while_the_rest_is_read(redis_url: str, client: redis.Redis) -> None:
    chain = chain_of(ROWS)

    async def work(store: OptionsStore) -> None:
        draft = filled(store, chain, parts=2)
        await until(lambda: grown(client) > 500 * 200)
        assert names(client, "options:*") == []
        assert not store.same("IBM", 7)
        draft.add(list(chain.parts())[2])
        done = await draft.finish(chain, 7)
        assert counts(done) == (600, 0, 0) and done.store_ms > 0
        assert store.same("IBM", 7)

    on(redis_url, work)
    whole = {key: client.get(key) for key in DOCUMENTS}
    assert len(names(client)) == 603
    client.flushall()
    write(redis_url, chain)
    assert {key: client.get(key) for key in DOCUMENTS} == whole


def test_a_draft_that_is_abandoned_leaves_what_can_be_read(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS[:300]), 1)
        draft = filled(store, chain_of(ROWS, LATER_MS), parts=2)
        await until(lambda: grown(client) > 500 * 200)
        draft.abandon()
        await until(lambda: not client.keys(GROWING))
        assert store.same("IBM", 1)
        done = await store.write(chain_of(ROWS[:300], LATER_MS), 2)
        assert counts(done) == (0, 300, 0)

    on(redis_url, work)
    assert stored(client, "options:IBM:chain")["fetched_ts"] == LATER_MS
    assert len(names(client)) == 303


def test_a_draft_without_parts_may_become_an_empty_chain(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS[:10]), 1)
        done = await store.begin("IBM", LATER_MS).finish(empty_chain("IBM", LATER_MS), 2)
        assert counts(done) == (0, 0, 10)

    on(redis_url, work)
    assert names(client) == []


@pytest.mark.parametrize("first", ["IBM", "SPY"])
def test_drafts_of_two_symbols_do_not_wait_for_each_other_for_ever(
    redis_url: str, client: redis.Redis, first: str
) -> None:
    chains = {name: chain_of(option_rows(600, name), symbol=name) for name in ("IBM", "SPY")}

    async def work(store: OptionsStore) -> None:
        drafts = {name: filled(store, chain) for name, chain in chains.items()}
        for name in sorted(drafts, key=lambda name: name != first):
            other = drafts.pop(name)
            ending = asyncio.ensure_future(other.finish(chains[name], 1))
            if drafts:
                # The one that is not finished is given up, or the other one would wait for it.
                (left,) = drafts.values()
                left.abandon()
                drafts.clear()
                await ending
                return

    on(redis_url, work)
    assert names(client, "options:*:chain") == [f"options:{first}:chain"]


def test_whoever_finishes_later_comes_to_no_harm(redis_url: str, client: redis.Redis) -> None:
    chains = {name: chain_of(option_rows(600, name), symbol=name) for name in ("IBM", "SPY")}

    async def work(store: OptionsStore) -> None:
        drafts = {name: filled(store, chain) for name, chain in chains.items()}
        ending = [draft.finish(chains[name], 1) for name, draft in reversed(drafts.items())]
        done = await asyncio.gather(*ending)
        assert [counts(one) for one in done] == [(600, 0, 0)] * 2

    on(redis_url, work)
    assert len(names(client)) == 2 * 603


def test_a_redis_that_dies_while_a_chain_is_read_is_told_at_the_end(
    redis_server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with opened(redis_server.url) as store:
            chain = chain_of(ROWS)
            draft = filled(store, chain, parts=1)
            with redis_server.client() as client:
                await until(lambda: grown(client) > 0)
            redis_server.stop()
            for part in list(chain.parts())[1:]:
                draft.add(part)
            with pytest.raises(StoreUnavailable):
                await draft.finish(chain, 1)
            assert not store.same("IBM", 1)
            redis_server.start()
            done = await store.write(chain, 1)
            assert counts(done) == (600, 0, 0)

    asyncio.run(scenario())
    with redis_server.client() as client:
        assert len(names(client)) == 603


def test_a_reader_that_is_cancelled_at_the_end_ends_the_write(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(store: OptionsStore) -> Any:
        await store.write(chain_of(ROWS[:1]), 1)
        ending = asyncio.ensure_future(filled(store, chain_of(ROWS)).finish(chain_of(ROWS), 2))
        await asyncio.sleep(0)
        ending.cancel()
        outcome = await asyncio.gather(ending, return_exceptions=True)
        assert isinstance(outcome[0], asyncio.CancelledError)
        assert not store.same("IBM", 2)
        return await store.write(chain_of(ROWS, LATER_MS), 3)

    assert counts(on(redis_url, work)) == (600, 0, 0)
    assert stored(client, "options:IBM:chain")["fetched_ts"] == LATER_MS != NOW_MS
    assert client.keys(GROWING) == []
