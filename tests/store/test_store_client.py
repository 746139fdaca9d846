"""What the redis-py client makes of Redis' errors, and how it waits."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.connection import Store
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer


@pytest.mark.parametrize(
    ("setting", "value", "usual", "text"),
    [
        ("maxmemory", "1", "0", "OutOfMemoryError"),
        ("min-replicas-to-write", "1", "0", "NOREPLICAS"),
    ],
)
def test_the_store_knows_what_passes(
    redis_server: RedisServer, setting: str, value: str, usual: str, text: str
) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        with redis_server.client() as client:
            client.config_set(setting, value)
            for work in (
                store.call(store.client.set("coord:source", "sim")),
                store.run("worker_field", ["monitoring:ibkr:metrics"], ["w", "{}", 1, 60]),
            ):
                with pytest.raises(StoreUnavailable, match=text):
                    await work
            client.config_set(setting, usual)
        assert await store.call(store.client.set("coord:source", "sim"))
        await store.close()

    asyncio.run(scenario())


def test_the_store_knows_what_does_not_pass(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        await store.call(store.client.set("monitoring:ibkr:metrics", "text"))
        with pytest.raises(StoreRefused, match="WRONGTYPE"):
            await store.run("worker_field", ["monitoring:ibkr:metrics"], ["w", "{}", 1, 60])
        await store.close()

    asyncio.run(scenario())


def test_the_store_loads_a_script_again_after_a_script_flush(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        args: list[str | bytes | int] = ["w", '{"ts":1}', 1, 60]
        assert await store.run("worker_field", ["monitoring:ibkr:metrics"], args) == 0
        await store.call(store.client.script_flush())
        assert await store.run("worker_field", ["monitoring:ibkr:metrics"], args) == 0
        await store.close()

    asyncio.run(scenario())


def test_waiting_for_redis_tells_why_once_and_ends_when_it_is_up(
    redis_server: RedisServer,
) -> None:
    told: list[str] = []

    async def scenario() -> None:
        store, stop = Store(redis_server.url, 2.0), asyncio.Event()
        redis_server.stop()
        waiting = asyncio.ensure_future(store.wait_until_up(stop, told.append))
        await asyncio.sleep(0.6)
        assert not waiting.done()
        await asyncio.to_thread(redis_server.start)
        assert await asyncio.wait_for(waiting, 5) is True
        await store.close()

    asyncio.run(scenario())
    assert len(told) == len(set(told)) >= 1


def test_waiting_for_redis_ends_when_the_worker_stops() -> None:
    async def scenario() -> None:
        store, stop = Store(f"redis://127.0.0.1:{free_port()}/0", 2.0), asyncio.Event()
        told: list[str] = []
        waiting = asyncio.ensure_future(store.wait_until_up(stop, told.append))
        await asyncio.sleep(0.05)
        stop.set()
        assert await asyncio.wait_for(waiting, 1) is False
        await store.close()

    asyncio.run(scenario())
