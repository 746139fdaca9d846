from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from tests.support.redis_server import RedisServer
from tests.support.redis_source import running_redis

# How long an example takes says something about the machine only.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real Redis for the whole run; use `redis_url` unless its keys may be anyone's."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> Iterator[str]:
    """The URL of a real Redis whose database is empty."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
        client.script_flush()
        yield redis_server_url
        client.flushdb()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, with a durable AOF, to stop, kill, pause and restart."""
    server = RedisServer(tmp_path / "redis", appendonly=True)
    server.start()
    yield server
    server.stop()
