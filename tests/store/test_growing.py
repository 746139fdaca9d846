"""A document grows beside the one that can be read, and what is not whole gets no name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis

from shared.errors import StoreUnavailable
from shared.store.growing import Growing
from shared.store.resp import RespConnection


def write(url: str, pieces: Iterator[bytes]) -> None:
    async def scenario() -> None:
        connection = RespConnection(url, 2.0, "test")
        await connection.connect()
        try:
            documents = Growing(connection, [b"coord:growing:x"], b"60")
            for piece in pieces:
                await documents.add([piece])
            await documents.settle()
        finally:
            connection.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("count", [1, 2, 30])
def test_the_pieces_are_one_document_that_expires(
    redis_url: str, client: redis.Redis, count: int
) -> None:
    client.set("coord:growing:x", "left behind")
    write(redis_url, (b"%d," % n for n in range(count)))
    assert client.get("coord:growing:x") == "".join(f"{n}," for n in range(count))
    assert 50 < int(str(client.ttl("coord:growing:x"))) <= 60


@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_document_that_was_lost_on_the_way_is_noticed(
    redis_url: str, client: redis.Redis, at: int
) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(5):
            if number == at:
                client.flushall()
            yield b"piece"

    with pytest.raises(StoreUnavailable, match="lost a document"):
        write(redis_url, pieces())
