"""How the sink's own connection reaches Redis by its URL, and what it says when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.store.connection import Store
from shared.store.resp import RespConnection, pack
from tests.store.feeding import feed_some, feeding, ping
from tests.support.depth_keys import DepthKeys
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

PASSWORD = "s3cret:word"
QUOTED = "s3cret%3Aword"


@pytest.fixture
def guarded(redis_server: RedisServer) -> Iterator[RedisServer]:
    """A Redis that asks for a password until the test ends."""
    with redis_server.client() as client:
        client.config_set("requirepass", PASSWORD)
        yield redis_server


def test_the_server_knows_the_connection_by_its_name(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        connection = RespConnection(redis_server.url, 2.0, "ibkr_depth")
        await connection.connect()
        assert await connection.send(pack(b"CLIENT", b"GETNAME"), 1) == [b"ibkr_depth"]
        connection.close()

    asyncio.run(scenario())


def test_a_unix_socket_is_written_through(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    server = RedisServer(tmp_path / "redis", options=("--unixsocket", str(path))).start()
    try:
        asyncio.run(feed_some(f"unix://{path}?db=2"))
        with DepthKeys(f"redis://127.0.0.1:{server.port}/2") as keys:
            assert keys.seqs("SPY") == list(range(1, 21))
    finally:
        server.stop()


def test_a_missing_unix_socket_is_said_to_be_unreachable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="redis not reachable: .*No such file"):
        asyncio.run(ping(f"unix://{tmp_path}/none.sock"))


def test_the_database_of_the_url_is_written(redis_server: RedisServer) -> None:
    asyncio.run(feed_some(f"redis://127.0.0.1:{redis_server.port}/3"))
    with redis_server.client() as client, DepthKeys(f"{redis_server.url[:-1]}3") as keys:
        assert client.dbsize() == 0
        assert keys.seqs("QQQ") == list(range(1, 21))


def test_a_database_that_does_not_exist_is_refused(redis_server: RedisServer) -> None:
    with pytest.raises(StoreUnavailable, match="redis refused the login: .*out of range"):
        asyncio.run(ping(f"redis://127.0.0.1:{redis_server.port}/99"))


def test_a_password_of_the_url_logs_in(guarded: RedisServer) -> None:
    asyncio.run(feed_some(f"redis://:{QUOTED}@127.0.0.1:{guarded.port}/0"))
    with DepthKeys(f"redis://:{QUOTED}@127.0.0.1:{guarded.port}/0") as keys:
        assert keys.seqs("SPY") == list(range(1, 21))


def test_user_and_password_of_the_url_log_in(guarded: RedisServer) -> None:
    url = f"redis://default:{QUOTED}@127.0.0.1:{guarded.port}/0"
    asyncio.run(feed_some(url))
    with DepthKeys(url) as keys:
        assert keys.seqs("SPY") == list(range(1, 21))


@pytest.mark.parametrize(
    ("login", "text"),
    [(":wrong-one@", "WRONGPASS"), ("someone:wrong-one@", "WRONGPASS"), ("", "NOAUTH")],
)
def test_a_refused_login_says_why_and_tells_no_password(
    guarded: RedisServer, login: str, text: str
) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        asyncio.run(ping(f"redis://{login}127.0.0.1:{guarded.port}/0"))
    assert str(caught.value).startswith(f"redis refused the login: {text}")
    assert "wrong-one" not in str(caught.value)


def test_a_wrong_password_stays_out_of_the_log(
    guarded: RedisServer, warnings_logged: list[str]
) -> None:
    async def scenario() -> None:
        url = f"redis://:wrong-one@127.0.0.1:{guarded.port}/0"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), feeding(url):
                raise AssertionError("logged in with a wrong password")

    asyncio.run(scenario())
    [text] = warnings_logged
    assert text.startswith("redis_write_failed: connect: redis refused the login: WRONGPASS")
    assert "wrong-one" not in text


def test_the_store_tells_no_password_either(guarded: RedisServer) -> None:
    async def scenario() -> str:
        store = Store(f"redis://:wrong-one@127.0.0.1:{guarded.port}/0", 2.0)
        with pytest.raises(StoreUnavailable) as caught:
            await store.call(store.client.ping())
        await store.close()
        return str(caught.value)

    text = asyncio.run(scenario())
    assert text.startswith("AuthenticationError: invalid username-password pair")
    assert "wrong-one" not in text


def test_nobody_listening_is_said_with_the_address() -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=f"redis not reachable: .*{port}"):
        asyncio.run(ping(f"redis://127.0.0.1:{port}/0"))


def test_replies_that_will_not_come_fail_the_flush_when_the_connection_ends(
    redis_server: RedisServer,
) -> None:
    async def scenario() -> None:
        connection = RespConnection(redis_server.url, 2.0, "test")
        await connection.connect()
        redis_server.pause()
        waiting = connection.send(pack(b"PING"), 1)
        redis_server.kill()
        with pytest.raises(StoreUnavailable, match="redis closed the connection"):
            await waiting
        assert not connection.connected

    asyncio.run(scenario())


def test_a_silent_redis_is_given_up_after_a_while(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        connection = RespConnection(redis_server.url, 2.0, "test")
        await connection.connect()
        redis_server.pause()
        with pytest.raises(StoreUnavailable, match=r"redis silent for 0\.2 s"):
            await connection.send(pack(b"PING"), 1)
        await asyncio.sleep(0)
        assert not connection.connected

    monkeypatch.setattr("shared.store.resp._REPLY_TIMEOUT_S", 0.2)
    asyncio.run(scenario())
