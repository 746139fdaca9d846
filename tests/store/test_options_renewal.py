"""A chain that did not change, keys that Redis lost meanwhile, and what a new process finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from shared.market.option import Chain, empty_chain
from shared.store.options import OptionsStore
from tests.store.test_options import (
    DOCUMENTS,
    LATER_MS,
    chain_of,
    counts,
    names,
    on,
    opened,
    since,
    stored,
    write,
)
from tests.store.test_sentiment import heard
from tests.support.option_bodies import GREEKS, NOW_MS, option_row, option_rows, without

ROWS = option_rows(600)
GREEKS_KEY = "options:IBM:IBM171117C00050000:greeks"


def age(client: redis.Redis) -> None:
    """All keys are about to expire."""
    for key in names(client):
        client.expire(key, 5)


def lives(client: redis.Redis) -> set[int]:
    """Seconds left, rounded to tens."""
    return {round(int(str(client.ttl(key))), -1) for key in names(client)}


def test_a_chain_is_the_same_by_its_digest_once_it_is_written(redis_url: str) -> None:
    async def work(store: OptionsStore) -> None:
        assert not store.same("IBM", 7)
        await store.write(chain_of(ROWS), 7)
        assert store.same("IBM", 7)
        assert not store.same("IBM", 8)
        assert not store.same("SPY", 7)

    on(redis_url, work)


def test_renewing_gives_every_key_its_whole_time_again(redis_url: str, client: redis.Redis) -> None:
    now_s = [1000.0]

    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 7)
        age(client)
        for _ in range(3):
            now_s[0] += 10.0
            done = await store.renew("IBM")
            assert done is not None and counts(done) == (0, 600, 0)
            assert done.store_ms > 0
        assert store.same("IBM", 7)

    on(redis_url, work, clock=lambda: now_s[0])
    assert lives(client) == {180, 90}
    assert set(since(client).values()) == {NOW_MS}


def test_few_of_the_keys_are_renewed_at_each_fetch(redis_url: str, client: redis.Redis) -> None:
    now_s = [1000.0]

    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 7)
        renewed = []
        for _ in range(6):
            age(client)
            now_s[0] += 5.0
            await store.renew("IBM")
            lived = [int(str(client.ttl(key))) for key in names(client, "options:*:greeks")]
            renewed.append(sum(ttl_s > 5 for ttl_s in lived))
        assert sum(renewed) >= 600
        assert max(renewed) < 300

    on(redis_url, work, clock=lambda: now_s[0])


def test_renewing_announces_nothing(redis_url: str, client: redis.Redis) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS[:1]), 1)
        await store.renew("IBM")
        await store.write(chain_of(ROWS[:1], LATER_MS), 2)

    with heard(client, "events:options:IBM") as event:
        on(redis_url, work)
        assert [event()["ts"], event()["ts"]] == [NOW_MS, LATER_MS]


def test_a_chain_without_any_greeks_is_renewed_too(redis_url: str, client: redis.Redis) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of([without(option_row(), *GREEKS)]), 7)
        age(client)
        done = await store.renew("IBM")
        assert done is not None and counts(done) == (0, 0, 0)
        client.delete("options:IBM:puts")
        assert await store.renew("IBM") is None

    on(redis_url, work)
    assert lives(client) == {180}


def test_an_empty_chain_is_renewed_without_a_key(redis_url: str, client: redis.Redis) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(empty_chain("IBM", NOW_MS), 7)
        done = await store.renew("IBM")
        assert done is not None and counts(done) == (0, 0, 0)

    on(redis_url, work)
    assert names(client) == []


# Keys that are gone


@pytest.mark.parametrize("lost", [*DOCUMENTS, GREEKS_KEY])
def test_renewing_notices_a_key_that_is_gone(
    redis_url: str, client: redis.Redis, lost: str
) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 7)
        client.delete(lost)
        assert await store.renew("IBM") is None
        assert not store.same("IBM", 7)
        done = await store.write(chain_of(ROWS), 7)
        assert counts(done) == (600, 0, 0)
        assert await store.renew("IBM") is not None

    on(redis_url, work)
    assert len(names(client)) == 603


def test_renewing_notices_that_everything_is_gone(redis_url: str, client: redis.Redis) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 7)
        client.flushall()
        assert await store.renew("IBM") is None

    on(redis_url, work)
    assert names(client) == []


@pytest.mark.parametrize("number", [0, 299, 599])
def test_writing_notices_greeks_that_are_gone(
    redis_url: str, client: redis.Redis, number: int
) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 1)
        client.delete(f"options:IBM:{ROWS[number]['contractID']}:greeks")
        done = await store.write(chain_of(ROWS, LATER_MS), 2)
        # What is still there cannot be known: all of them are written.
        assert counts(done) == (600, 0, 0)

    on(redis_url, work)
    assert set(since(client).values()) == {LATER_MS}
    assert len(names(client)) == 603


def test_writing_to_a_redis_that_was_emptied_writes_all(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(store: OptionsStore) -> None:
        await store.write(chain_of(ROWS), 1)
        client.flushall()
        done = await store.write(chain_of(ROWS[:400], LATER_MS), 2)
        assert (done.changed, done.renewed) == (400, 0)

    on(redis_url, work)
    assert len(names(client)) == 403


# Another process


def test_a_new_process_writes_all_and_removes_what_vanished_meanwhile(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, chain_of(ROWS))
    after = [*ROWS[:100], *(without(row, *GREEKS) for row in ROWS[100:110])]
    (done,) = write(redis_url, chain_of(after, LATER_MS))
    assert (done.changed, done.renewed) == (100, 0)
    assert len(names(client)) == 103
    assert set(since(client).values()) == {LATER_MS}


def test_a_new_process_removes_all_of_an_empty_chain(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, chain_of(ROWS))
    write(redis_url, empty_chain("IBM", LATER_MS))
    assert names(client) == []


@pytest.mark.parametrize("text", ["", "text", "[]", "{}", '{"by_contract": []}', b"\xff", "1"])
def test_a_chain_that_is_none_hinders_nobody(
    redis_url: str, client: redis.Redis, text: str | bytes
) -> None:
    client.set("options:IBM:chain", text)
    write(redis_url, chain_of(ROWS[:2]))
    assert len(names(client)) == 5
    assert stored(client, "options:IBM:chain")["metrics"]["contracts"] == 2


# Callbacks and turns


def test_callbacks_come_when_every_key_can_be_read(redis_url: str, client: redis.Redis) -> None:
    told: list[tuple[Chain, int]] = []

    async def work(store: OptionsStore) -> None:
        store.on_chain(lambda chain: told.append((chain, len(names(client)))))
        for chain in chains:
            await store.write(chain, 1)

    chains = [chain_of(ROWS), empty_chain("IBM", LATER_MS)]
    on(redis_url, work)
    assert told == [(chains[0], 603), (chains[1], 0)]


def test_a_callback_that_fails_does_no_harm(
    redis_url: str, client: redis.Redis, warnings_logged: list[str]
) -> None:
    told: list[str] = []

    def failing(chain: Chain) -> None:
        raise RuntimeError("not ours")

    async def work(store: OptionsStore) -> None:
        store.on_chain(failing)
        store.on_chain(lambda chain: told.append(chain.symbol))
        await store.write(chain_of(ROWS), 7)
        assert store.same("IBM", 7)

    on(redis_url, work)
    assert told == ["IBM"]
    assert len(names(client)) == 603
    assert warnings_logged == ["callback for IBM failed"]


def commands_of(client: Any, work: Callable[[], None]) -> list[str]:
    """Names and first keys of the commands that Redis was sent, up to the last PUBLISH of two."""
    seen: list[str] = []
    with client.monitor() as monitor:
        work()
        for command in monitor.listen():
            seen.append(" ".join(command["command"].split()[:2]))
            if [one.split()[0] for one in seen].count("PUBLISH") == 2:
                break
    return seen


def test_symbols_that_are_written_at_once_take_turns(redis_url: str, client: redis.Redis) -> None:
    chains = [chain_of(option_rows(600, name), symbol=name) for name in ("IBM", "SPY")]

    async def both() -> None:
        async with opened(redis_url) as store:
            await asyncio.gather(*(store.write(chain, 1) for chain in chains))
            assert store.same("IBM", 1) and store.same("SPY", 1)

    seen = commands_of(client, lambda: asyncio.run(both()))
    symbols = [one.split(":")[1] for one in seen if " options:" in one]
    assert symbols == sorted(symbols) and len(symbols) == 2 * 601
    assert len(names(client)) == 2 * 603


def test_the_event_is_the_last_command_of_a_write(redis_url: str, client: redis.Redis) -> None:
    two = (chain_of(ROWS), chain_of(ROWS[:300], LATER_MS))
    seen = commands_of(client, lambda: [write(redis_url, *two)].clear())
    first = [one.split()[0] for one in seen].index("PUBLISH")
    kinds = [one.split()[0] for one in seen[first + 1 :]]
    begun = kinds.index("MULTI")
    assert kinds[begun : begun + 5] == ["MULTI", "RENAME", "RENAME", "RENAME", "EXEC"]
    assert (kinds[-1], kinds[-2], kinds.count("EXISTS")) == ("PUBLISH", "UNLINK", 1)
