from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from loguru import logger

from shared.store.connection import Store
from shared.store.status_board import StatusBoard
from tests.store.feeding import until
from tests.store.relay import Fate, relay_to
from tests.support.redis_server import RedisServer

AAPL, MSFT = "monitoring:sentiment:AAPL", "monitoring:sentiment:MSFT"


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that is empty after each start."""
    server = RedisServer(tmp_path / "forgetful")
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.store.status_board._RETRY_S", 0.02)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(
        lambda message: lines.append(f"{message.record['level'].name} {message.record['message']}"),
        level="INFO",
    )
    yield lines
    logger.remove(number)


@asynccontextmanager
async def board_on(url: str, ttl_s: int = 120) -> AsyncIterator[StatusBoard]:
    """A board that writes until the block ends."""
    store = Store(url, 0.5)
    board = StatusBoard(store, ttl_s)
    writing = asyncio.ensure_future(board.run())
    try:
        yield board
        assert not writing.done()
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()


def on(url: str, work: Callable[[StatusBoard], Awaitable[None]], ttl_s: int = 120) -> None:
    async def scenario() -> None:
        async with board_on(url, ttl_s) as board:
            await work(board)

    asyncio.run(scenario())


def hash_of(client: redis.Redis, key: str = AAPL) -> dict[str, str]:
    found: Any = client.hgetall(key)
    return dict(found)


def test_a_change_is_written_at_once_with_its_expiry(redis_url: str, client: redis.Redis) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok", "article_count": 50, "avg_sentiment": 0.256})
        await until(lambda: hash_of(client), 5.0)
        assert hash_of(client) == {"status": "ok", "article_count": "50", "avg_sentiment": "0.256"}
        assert 115 <= int(str(client.ttl(AAPL))) <= 120

    on(redis_url, work)


def test_named_fields_are_replaced_and_the_others_stay(redis_url: str, client: redis.Redis) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok", "article_count": 50})
        assert await board.flush(5.0)
        board.set(AAPL, {"status": "error", "error": "no answer"})
        assert await board.flush(5.0)
        assert hash_of(client) == {"status": "error", "article_count": "50", "error": "no answer"}

    on(redis_url, work)


@pytest.mark.parametrize("absent", [None, math.nan, math.inf, -math.inf])
def test_a_field_without_value_is_removed(
    redis_url: str, client: redis.Redis, absent: float | None
) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "error", "error": "no answer"})
        assert await board.flush(5.0)
        board.set(AAPL, {"status": "ok", "error": absent, "never_there": absent})
        assert await board.flush(5.0)
        assert hash_of(client) == {"status": "ok"}
        board.set(AAPL, {"status": absent})
        assert await board.flush(5.0)
        assert client.exists(AAPL) == 0

    on(redis_url, work)


def test_texts_that_are_none_of_utf8_do_not_stop_the_board(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"error": "half \ud83d of it", "status": "", "delayed": True})
        assert await board.flush(5.0)
        assert hash_of(client) == {"error": "half ? of it", "status": "", "delayed": "1"}

    on(redis_url, work)


def test_fields_of_an_earlier_process_go_with_the_first_write(
    redis_url: str, client: redis.Redis
) -> None:
    client.hset(AAPL, mapping={"error": "of yesterday", "status": "error"})
    client.rpush(MSFT, "not ours")

    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok"})
        board.set(MSFT, {"status": "ok"})
        assert await board.flush(5.0)
        assert hash_of(client) == {"status": "ok"}
        assert hash_of(client, MSFT) == {"status": "ok"}

    on(redis_url, work)


def test_several_hashes_go_in_one_transaction(redis_url: str, client: redis.Redis) -> None:
    async def work(board: StatusBoard) -> None:
        for number in range(30):
            board.set(f"monitoring:sentiment:S{number}", {"status": "ok"})
        assert await board.flush(5.0)

    client.config_resetstat()
    on(redis_url, work)
    calls: Any = client.info("commandstats")
    assert calls["cmdstat_hset"]["calls"] == 30
    assert calls["cmdstat_exec"]["calls"] == 1


def test_more_hashes_than_one_round_trip_takes_are_all_written(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(board: StatusBoard) -> None:
        for number in range(130):
            board.set(f"monitoring:sentiment:S{number}", {"number": number})
        assert await board.flush(5.0)
        assert hash_of(client, "monitoring:sentiment:S129") == {"number": "129"}
        assert client.dbsize() == 130

    on(redis_url, work)


def test_hashes_that_do_not_change_do_not_expire(redis_url: str, client: redis.Redis) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok"})
        board.set(MSFT, {"status": "ok"})
        assert await board.flush(5.0)
        client.config_resetstat()

        def renewals() -> int:
            calls: Any = client.info("commandstats")
            assert client.exists(AAPL, MSFT) == 2
            return int(calls.get("cmdstat_hset", {"calls": 0})["calls"])

        # 2 s live, a renewal every 0.67 s: these are longer than that.
        await until(lambda: renewals() >= 8, 15.0)

    on(redis_url, work, ttl_s=2)


def test_steady_changes_of_one_hash_do_not_keep_the_others_from_renewal(
    redis_url: str, client: redis.Redis
) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok"})
        assert await board.flush(5.0)
        client.persist(AAPL)

        def renewed() -> bool:
            board.set(MSFT, {"status": "ok"})
            return int(str(client.ttl(AAPL))) > 0

        await until(renewed, 10.0)

    on(redis_url, work, ttl_s=3)


def test_a_redis_that_restarts_empty_is_filled_again(
    forgetful: RedisServer, logged: list[str]
) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok"})
        board.set(MSFT, {"status": "ok"})
        assert await board.flush(5.0)
        await asyncio.to_thread(forgetful.stop)
        board.set(MSFT, {"status": "error"})
        await until(lambda: logged, 10.0)
        board.set(MSFT, {"error": "no answer"})
        await asyncio.to_thread(forgetful.start)
        with forgetful.client() as client:
            await until(lambda: client.exists(AAPL, MSFT) == 2, 10.0)
            assert hash_of(client) == {"status": "ok"}
            assert hash_of(client, MSFT) == {"status": "error", "error": "no answer"}

    on(forgetful.url, work)
    warning, recovery = logged
    assert warning.startswith("WARNING status not written: ")
    assert recovery.startswith("INFO status written again after ")


def test_an_empty_restart_that_nothing_noticed_is_filled_at_the_next_renewal(
    forgetful: RedisServer,
) -> None:
    async def work(board: StatusBoard) -> None:
        board.set(AAPL, {"status": "ok"})
        assert await board.flush(5.0)
        await asyncio.to_thread(forgetful.restart)
        with forgetful.client() as client:
            await until(lambda: hash_of(client), 15.0)

    on(forgetful.url, work, ttl_s=6)


def test_a_write_whose_reply_is_lost_is_repeated(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:

            async def judge(command: list[bytes]) -> Fate:
                cut = command[0].upper() == b"EXEC" and relay.cuts == 0
                return Fate.CUT_AFTER if cut else Fate.CARRY

            relay.judge = judge
            async with board_on(relay.url) as board:
                board.set(AAPL, {"status": "ok"})
                assert await board.flush(10.0)
                assert relay.cuts == 1

    asyncio.run(scenario())
    with redis_server.client() as client:
        assert hash_of(client) == {"status": "ok"}


def test_a_flush_that_does_not_fit_says_so_and_loses_nothing(redis_server: RedisServer) -> None:
    async def work(board: StatusBoard) -> None:
        redis_server.pause()
        try:
            board.set(AAPL, {"status": "ok"})
            assert not await board.flush(0.2)
        finally:
            redis_server.resume()
        assert await board.flush(10.0)
        with redis_server.client() as client:
            assert hash_of(client) == {"status": "ok"}

    on(redis_server.url, work)


def test_a_refusal_is_logged_once_and_does_not_end_the_board(
    redis_server: RedisServer, logged: list[str]
) -> None:
    with redis_server.client() as client:
        client.acl_setuser("default", enabled=True, keys=["other:*"], reset_keys=True)

        async def work(board: StatusBoard) -> None:
            board.set(AAPL, {"status": "ok"})
            assert not await board.flush(0.5)
            client.acl_setuser("default", enabled=True, keys=["*"])
            await until(lambda: hash_of(client), 10.0)
            # Told once the reply is in, which is behind what another client can see.
            await until(lambda: len(logged) > 1, 10.0)

        on(redis_server.url, work)
    assert [line.split()[0] for line in logged] == ["WARNING", "INFO"]


def test_a_flush_with_nothing_to_write_needs_no_redis(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 0.5)
        redis_server.stop()
        assert await StatusBoard(store, 120).flush(0.5)
        await store.close()
        redis_server.start()

    asyncio.run(scenario())
