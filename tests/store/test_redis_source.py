from __future__ import annotations

from pathlib import Path

import pytest
import redis

from tests.support.redis_server import RedisServer
from tests.support.redis_source import running_redis


def test_the_shared_redis_answers_and_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.set("left", "over")


def test_keys_of_another_test_are_gone(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("left") is None


def test_a_killed_server_comes_back_with_its_port_and_its_data(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.set("depth", "10")
    first_pid = redis_server.pid
    redis_server.kill()
    redis_server.start()
    with redis_server.client() as client:
        assert client.get("depth") == "10"
    assert redis_server.pid != first_pid


def test_a_foreign_redis_that_holds_keys_is_never_flushed(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server.client() as client:
        client.set("precious", "1")
    monkeypatch.setenv("TEST_REDIS", redis_server.url)
    with pytest.raises(AssertionError, match="1 keys, must be empty"), running_redis(tmp_path):
        pass


def test_an_unknown_source_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REDIS", "podman")
    with pytest.raises(AssertionError, match="was 'podman'"), running_redis(tmp_path):
        pass
