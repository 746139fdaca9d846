from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from loguru import logger

from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Reads and writes texts in an empty Redis."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as found:
        yield found


@pytest.fixture
def aof(tmp_path: Path) -> Path:
    """The append-only files of `redis_server`."""
    return tmp_path / "redis" / "appendonlydir"


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[DepthKeys]:
    with DepthKeys(redis_server.url) as found:
        yield found


@pytest.fixture
def warnings_logged() -> Iterator[list[str]]:
    """Texts logged at WARNING or above during the test."""
    texts: list[str] = []
    number = logger.add(lambda message: texts.append(message.record["message"]), level="WARNING")
    yield texts
    logger.remove(number)
