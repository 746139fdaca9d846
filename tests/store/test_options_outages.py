"""Writes that end early: what can be read then, and what the next write makes of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import redis

from shared.errors import StoreUnavailable
from shared.market.option import Chain, empty_chain
from shared.store.options import OptionsStore
from tests.store.relay import Fate, relay_to
from tests.store.test_options import DOCUMENTS, FLOOR, LATER_MS, chain_of, names, on, opened
from tests.support.option_bodies import NOW_MS, Row, option_row, option_rows
from tests.support.redis_server import RedisServer
from tests.support.until import until

BEFORE = [option_row(strike, right) for strike in (150.0, 155.0) for right in ("call", "put")]
# One as it was, one changed, one without greeks, one vanished, two new.
AFTER = [
    BEFORE[0],
    BEFORE[1] | {"mark": "9.99"},
    BEFORE[2] | FLOOR,
    option_row(160.0),
    option_row(165.0, "put"),
]
MANY = option_rows(2_000)


def whole(client: redis.Redis) -> int | None:
    """When the chain came whose three documents can be read together; None without one."""
    texts: Any = client.mget(DOCUMENTS)
    if texts == [None, None, None]:
        return None
    calls, puts, chain = map(orjson.loads, texts)
    for name, rows in (("call", calls), ("put", puts)):
        own = [one for one in chain["by_contract"].values() if one["type"] == name]
        assert [(row["contractID"], float(row["mark"])) for row in rows] == [
            (one["contractID"], one["mark"]) for one in own
        ]
    return int(chain["fetched_ts"])


def everything(client: redis.Redis) -> dict[str, Any]:
    keys = names(client, "options:*")
    values: Any = client.mget(keys) if keys else []
    found = {key: orjson.loads(text) for key, text in zip(keys, values, strict=True)}
    # Since when greeks are as they are may differ: all are written again after a doubt.
    return {key: without_ts(key, one) for key, one in found.items()}


def without_ts(key: str, document: Any) -> Any:
    return document | {"ts": 0} if key.endswith(":greeks") else document


@dataclass
class Trouble:
    """What happens at the command with a certain number of the second write."""

    server: RedisServer
    kind: str
    number: int
    task: asyncio.Task[Any] | None = None
    seen: int = 0
    on: bool = False
    chains: set[int | None] = field(default_factory=set)

    async def judge(self, command: list[bytes]) -> Fate:
        if not self.on:
            return Fate.CARRY
        with self.server.client() as client:
            self.chains.add(whole(client))
            self.seen += 1
            if self.seen != self.number:
                return Fate.CARRY
            match self.kind:
                case "cancelled":
                    assert self.task is not None
                    self.task.cancel()
                case "no room":
                    client.config_set("maxmemory", 1)
                case "cut before":
                    return Fate.CUT_BEFORE
                case "cut after":
                    return Fate.CUT_AFTER
        return Fate.CARRY


@asynccontextmanager
async def relayed(server: RedisServer, trouble: Trouble) -> AsyncIterator[OptionsStore]:
    async with relay_to(server.port) as relay, opened(relay.url) as store:
        relay.judge = trouble.judge
        yield store


async def met(store: OptionsStore, trouble: Trouble, after: Chain) -> bool:
    """Whether the trouble ended the second write early."""
    await store.write(chain_of(BEFORE), 1)
    trouble.on = True
    trouble.task = asyncio.ensure_future(store.write(after, 2))
    outcome = (await asyncio.gather(trouble.task, return_exceptions=True))[0]
    trouble.on = False
    with trouble.server.client() as client:
        client.config_set("maxmemory", 0)
        assert whole(client) in (NOW_MS, LATER_MS if after.contracts else None)
    early = isinstance(outcome, BaseException)
    assert not early or isinstance(outcome, StoreUnavailable | asyncio.CancelledError), outcome
    return early


async def written(store: OptionsStore, chain: Chain) -> None:
    """As a worker does it: again until Redis has taken it."""
    for _ in range(20):
        try:
            await store.write(chain, 2)
            return
        except StoreUnavailable:
            await asyncio.sleep(0.01)
    raise AssertionError("not written in 20 attempts")


@pytest.mark.parametrize("after", [AFTER, []], ids=["another", "empty"])
@pytest.mark.parametrize("kind", ["cut before", "cut after", "no room", "cancelled"])
def test_the_write_after_one_that_ended_early_leaves_what_it_must(
    redis_server: RedisServer, kind: str, after: list[Row]
) -> None:
    chain = chain_of(after, LATER_MS) if after else empty_chain("IBM", LATER_MS)

    async def scenario(number: int) -> bool:
        trouble = Trouble(redis_server, kind, number)
        async with relayed(redis_server, trouble) as store:
            early = await met(store, trouble, chain)
            assert store.same("IBM", 2) != early
            await written(store, chain)
            assert store.same("IBM", 2)
        assert trouble.chains <= {NOW_MS, LATER_MS, None if not after else NOW_MS}
        return early or trouble.seen >= number

    with redis_server.client() as client:
        on(redis_server.url, lambda store: store.write(chain, 2))
        wanted = everything(client)
        number = 1
        while asyncio.run(scenario(number)):
            assert everything(client) == wanted, f"{kind} at command {number}"
            client.flushall()
            number += 1
    # Every command of the write has had its turn.
    assert number > (10 if after else 3)


def test_no_room_leaves_the_chain_before_as_it_was(redis_server: RedisServer) -> None:
    async def scenario(client: redis.Redis) -> None:
        async with opened(redis_server.url) as store:
            await store.write(chain_of(BEFORE), 1)
            stood = everything(client)
            memory: Any = client.info("memory")
            used = int(memory["used_memory"])
            client.config_set("maxmemory", used + 300_000)
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="OOM"):
                    await store.write(chain_of(MANY, LATER_MS), 2)
                await asyncio.sleep(0)
            assert everything(client) == stood
            client.config_set("maxmemory", 0)
            await store.write(chain_of(MANY, LATER_MS), 2)
            assert whole(client) == LATER_MS
            assert len(names(client)) == 2_003

    with redis_server.client() as client:
        asyncio.run(scenario(client))


def test_a_connection_killed_in_the_middle_costs_one_attempt(
    redis_url: str, client: redis.Redis
) -> None:
    async def scenario() -> None:
        async with opened(redis_url) as store:
            await store.write(chain_of(BEFORE), 1)
            rows = option_rows(10_000)
            writing = asyncio.ensure_future(store.write(chain_of(rows, LATER_MS), 2))
            first = f"options:IBM:{rows[0]['contractID']}:greeks"
            await until(lambda: client.exists(first))
            client.client_kill_filter(_id=writer_id(client))
            with pytest.raises(StoreUnavailable):
                await writing
            assert whole(client) == LATER_MS
            assert not store.same("IBM", 2)
            done = await store.write(chain_of(rows, LATER_MS + 1), 2)
            assert (done.changed, done.renewed) == (10_000, 0)
        assert len(names(client)) == 10_003

    asyncio.run(scenario())


def writer_id(client: redis.Redis) -> str:
    found: Any = client.client_list()
    (own,) = [one["id"] for one in found if one["name"] == "test"]
    return str(own)


def test_a_redis_that_is_away_is_told_and_found_again(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(redis_server.url) as store:
            await store.write(chain_of(BEFORE), 1)
            redis_server.stop()
            for work in (lambda: store.write(chain_of(AFTER), 2), lambda: store.renew("IBM")):
                with pytest.raises(StoreUnavailable):
                    await attempt(work)
            redis_server.start()
            done = await store.write(chain_of(AFTER, LATER_MS), 2)
            # Kept over the restart: the one that vanished and the one that lost its greeks.
            assert (done.changed, done.removed) == (4, 2)

    asyncio.run(scenario())
    with redis_server.client() as client:
        assert len(names(client, "options:*:greeks")) == 4


async def attempt(work: Callable[[], Awaitable[Any]]) -> None:
    await work()


class Reader(threading.Thread):
    """Reads the three documents together all the time, as a program of a user would."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.chains: list[int | None] = []
        self.fault: BaseException | None = None
        self.stop = threading.Event()
        self._url = url

    def run(self) -> None:
        with redis.Redis.from_url(self._url, decode_responses=True) as client:
            try:
                while not self.stop.is_set():
                    self.chains.append(whole(client))
            except BaseException as error:
                self.fault = error


def test_whoever_reads_at_any_time_sees_one_chain(redis_url: str, client: redis.Redis) -> None:
    reader = Reader(redis_url)

    async def scenario() -> None:
        async with opened(redis_url) as store:
            for number in range(40):
                rows = MANY[: 2_000 - 40 * number]
                chain = chain_of([r | {"mark": f"{number}.50"} for r in rows], NOW_MS + number)
                writing = asyncio.ensure_future(store.write(chain, number))
                if number % 4 == 3:
                    for _ in range(number):
                        await asyncio.sleep(0)
                    writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            await written(store, chain)

    reader.start()
    asyncio.run(scenario())
    reader.stop.set()
    reader.join(10)
    assert reader.fault is None
    seen = [one for one in reader.chains if one is not None]
    assert seen == sorted(seen) and len(set(seen)) > 10
    assert whole(client) == NOW_MS + 39
    assert len(names(client)) == 440 + 3
