"""The users of the product in a real Redis: what each may do, and what it may not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError

from shared.errors import StoreRefused, StoreUnavailable
from shared.schema.row import Row, Shape
from shared.schema.table import rows
from shared.settings import WORKERS
from shared.store.acl import USERS, writers_of
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.resp import RespConnection, pack
from shared.store.scripts import script
from shared.store.source import reset
from tests.support.redis_users import GuardedRedis, guarded_redis

PREFIX = "desk1:"
KEYS = Keys(PREFIX)
WRITES = {
    Shape.JSON: ("SET", "x"), Shape.TEXT: ("SET", "x"), Shape.FIELDS: ("HSET", "f", "x"),
    Shape.JSON_MAP: ("HSET", "f", "x"), Shape.TEXT_MAP: ("HSET", "f", "x"),
    Shape.STREAM: ("XADD", "*", "f", "x"),
}  # fmt: skip
WRITTEN = [row for row in rows() if row.shape in WRITES]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    with guarded_redis(tmp_path_factory.mktemp("users"), PREFIX) as found:
        yield found


def key_of(row: Row, worker: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "SPY", row.key(KEYS).replace("{worker}", worker))


def allowed(server: GuardedRedis, user: str, *command: str) -> bool:
    """Asked of Redis, which answers without doing it."""
    with server.client() as admin:
        answer: Any = admin.execute_command("ACL", "DRYRUN", user, *command)
    return bool(answer == "OK")


@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: row.name)
def test_redis_takes_a_key_from_its_writers_alone(server: GuardedRedis, row: Row) -> None:
    command, *words = WRITES[row.shape]
    writers = [user for user in WORKERS if user in writers_of(row)]
    found = [user for user in WORKERS if allowed(server, user, command, key_of(row, user), *words)]
    assert found == writers
    for user in ("reader", "operator", "guardian"):
        told = allowed(server, user, command, key_of(row, "ibkr_depth"), *words)
        assert told is (
            (user == "guardian" and row.name == "incidents")
            or (user == "operator" and row.name == "rate_limit")
        )


@pytest.mark.parametrize("user", [user for user in USERS if user != "admin"])
def test_nobody_in_daily_work_touches_foreign_keys_or_the_server(
    server: GuardedRedis, user: str
) -> None:
    refused: list[tuple[str, ...]] = [
        ("SET", "market:SPY:last", "1"), ("SET", "mine", "1"), ("GET", "mine"), ("KEYS", "*"),
        ("FLUSHALL",), ("FLUSHDB",), ("SHUTDOWN",), ("CONFIG", "SET", "maxmemory", "1"),
        ("ACL", "SETUSER", "x"), ("ACL", "LIST"), ("SCRIPT", "FLUSH"), ("DEBUG", "SLEEP", "0"),
        ("MONITOR",), ("REPLICAOF", "no", "one"), ("CLIENT", "KILL", "ID", "1"), ("SAVE",),
        ("CLIENT", "LIST"), ("CLIENT", "PAUSE", "1"), ("CLIENT", "NO-EVICT", "on"),
        ("MODULE", "LIST"), ("EVAL", "return 1", "1", "mine"), ("PUBLISH", "mine", "x"),
    ]  # fmt: skip
    assert [one for one in refused if allowed(server, user, *one)] == []


def test_a_script_may_name_what_it_reads_and_writes_only_what_its_worker_may(
    server: GuardedRedis,
) -> None:
    """The quote of `ibkr_trades` looks at the sign of depth, which is depth's to set."""
    sign, ticker = KEYS.depth_live("SPY"), KEYS.ticker("SPY")
    looks = "redis.call('HSET', KEYS[1], 'f', redis.call('EXISTS', KEYS[2])) return 1"
    with server.as_user("ibkr_trades") as client:
        assert client.eval(looks, 2, ticker, sign) == 1
        with pytest.raises(redis.ResponseError, match="can't access at least one of the keys|ACL"):
            client.eval("return redis.call('SET', KEYS[1], 'x')", 1, sign)
        with pytest.raises(redis.ResponseError, match="can't run this command|ACL"):
            client.eval("return redis.call('FLUSHALL')", 0)
    with server.as_user("reader") as client, pytest.raises(NoPermissionError):
        client.eval("return 1", 0)


def test_a_reader_reads_scans_and_hears_and_writes_nothing(server: GuardedRedis) -> None:
    with server.client() as admin, server.as_user("reader") as client:
        admin.hset(KEYS.ticker("QQQ"), "bid", "1.0")
        assert client.hgetall(KEYS.ticker("QQQ")) == {"bid": "1.0"}
        assert KEYS.ticker("QQQ") in set(client.scan_iter(count=1000))
        assert client.info("server")["redis_version"]
        with client.pubsub(ignore_subscribe_messages=True) as heard:
            heard.psubscribe(f"{PREFIX}events:*")
            with pytest.raises(NoPermissionError):
                client.hset(KEYS.ticker("QQQ"), "bid", "2.0")


def test_an_operator_resets_all_of_ours_and_nothing_else(server: GuardedRedis) -> None:
    with server.client() as admin, server.as_user("operator") as client:
        admin.set(KEYS.venue_book("SPY", "ARCA"), "{}")
        admin.set("mine", "1")
        assert client.unlink(KEYS.venue_book("SPY", "ARCA")) == 1
        with pytest.raises(NoPermissionError):
            client.unlink("mine")


@pytest.mark.parametrize("address", ["nobody", "default"])
def test_without_a_login_nobody_gets_in(server: GuardedRedis, address: str) -> None:
    url = server.url if address == "nobody" else f"redis://default:@127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_our_own_connection_logs_in_and_says_why_it_cannot(server: GuardedRedis) -> None:
    async def scenario() -> None:
        good = RespConnection(server.url_of("ibkr_depth"), 2.0, "test")
        await good.connect()
        key = KEYS.depth_last("SPY").encode()
        replies = await good.send(pack(b"HSET", key, b"f", b"x") + pack(b"GET", b"mine"), 2)
        assert replies[0] == 1
        assert str(replies[1]).startswith("NOPERM")
        good.close()
        for login, reason in (("ibkr_depth:wrong@", "WRONGPASS"), ("", "NOAUTH")):
            url = server.url.replace("redis://", f"redis://{login}")
            with pytest.raises(StoreUnavailable, match=f"redis refused the login: {reason}"):
                await RespConnection(url, 2.0, "test").connect()

    asyncio.run(scenario())


def test_the_store_tells_a_wrong_login_from_a_missing_right(server: GuardedRedis) -> None:
    async def scenario() -> None:
        wrong = Store(server.url_of("ibkr_depth").replace("ibkr_depth:", "ibkr_trades:"), 2.0)
        with pytest.raises(StoreUnavailable, match="AuthenticationError: invalid username"):
            await wrong.call(wrong.client.ping())
        await wrong.close()
        store = Store(server.url_of("ibkr_depth"), 2.0)
        with pytest.raises(StoreRefused, match="permissions"):
            await store.call(store.client.flushall())
        await store.close()

    asyncio.run(scenario())


def test_every_script_of_ours_loads_for_a_worker(server: GuardedRedis) -> None:
    with server.as_user("ibkr_depth") as client:
        lua = script("ticker_quote")
        assert client.script_load(lua.text) == lua.sha


def test_an_operator_counts_and_deletes_by_the_products_own_reset(server: GuardedRedis) -> None:
    async def scenario() -> int:
        store = Store(server.url_of("operator"), 2.0)
        try:
            return await reset(store, KEYS)
        finally:
            await store.close()

    with server.client() as admin:
        admin.flushall()
        admin.hset(KEYS.ticker("SPY"), "bid", "1.0")
        admin.set(KEYS.source(), "sim")
        admin.set("mine", "1")
        assert asyncio.run(scenario()) == 2
        assert set(admin.scan_iter()) == {"mine"}
