"""A Redis that is not ours stands where ours was: nothing of ours gets into it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.settings import Secret
from shared.settings_redis import password_of, url_as
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.resp import RespConnection
from shared.store.source import claim
from tests.store.feeding import feed_some
from tests.support.redis_server import RedisServer
from tests.support.redis_users import SECRET, GuardedRedis


@pytest.fixture(params=["one without logins", "another product's"])
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    server = (
        RedisServer(tmp_path / "foreign")
        if request.param == "one without logins"
        else GuardedRedis(tmp_path / "foreign", secret=Secret("of another product"))
    )
    server.start()
    yield server
    server.stop()


def test_no_connection_of_ours_writes_into_a_foreign_redis(foreign: RedisServer) -> None:
    url = url_as(foreign.url, "ibkr_depth", password_of(SECRET, "ibkr_depth"))

    async def scenario() -> None:
        with pytest.raises(StoreUnavailable, match="redis refused the login: WRONGPASS"):
            await RespConnection(url, 2.0, "test").connect()
        store = Store(url, 2.0)
        with pytest.raises(StoreUnavailable, match="AuthenticationError: invalid username"):
            await claim(store, Keys(), "sim")
        await store.close()

    asyncio.run(scenario())
    with foreign.client() as client:
        assert client.dbsize() == 0


def test_with_its_own_login_the_same_data_arrives(tmp_path: Path) -> None:
    server = GuardedRedis(tmp_path / "ours")
    server.start()
    try:
        asyncio.run(feed_some(server.url_of("ibkr_depth")))
        with server.client() as client:
            assert client.xlen("raw:ibkr:depth:stream:SPY") == 20
    finally:
        server.stop()
