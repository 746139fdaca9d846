"""Where the tests' Redis comes from: TEST_REDIS=docker, local or a URL; unset decides itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import redis

from tests.support.redis_server import RedisServer

IMAGE = "redis:7-alpine"


@contextmanager
def running_redis(directory: Path) -> Iterator[str]:
    wanted = os.environ.get("TEST_REDIS", "")
    if wanted.startswith(("redis://", "rediss://", "unix://")):
        yield _checked_empty(wanted)
    elif wanted == "docker" or (wanted == "" and docker_answers()):
        with _container() as url:
            yield url
    elif wanted in ("", "local"):
        server = RedisServer(directory)
        server.start()
        try:
            yield server.url
        finally:
            server.stop()
    else:
        raise AssertionError(f"TEST_REDIS: was {wanted!r}, must be docker, local or a Redis URL")


def docker_answers() -> bool:
    """Ask the engine itself: a socket file stays behind when an engine has ended."""
    host = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    try:
        with _connection(host) as link:
            link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in link.recv(64)
    except OSError:
        return False


def _connection(host: SplitResult) -> socket.socket:
    if host.scheme != "unix":
        return socket.create_connection((host.hostname or "127.0.0.1", host.port or 2375), 2)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(2)
    try:
        link.connect(host.path)
    except OSError:
        link.close()
        raise
    return link


@contextmanager
def _container() -> Iterator[str]:
    # Ryuk is a second image that only cleans up after a crashed run; without it the tests need
    # no image but Redis itself. The variable is read when testcontainers is imported.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    container = DockerContainer(IMAGE).with_exposed_ports(6379)
    container.waiting_for(LogMessageWaitStrategy("Ready to accept connections"))
    with container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(6379)
        yield f"redis://{host}:{port}/0"


def _checked_empty(url: str) -> str:
    """A Redis we did not start is flushed by the tests, so it must hold nothing to lose."""
    with redis.Redis.from_url(url) as client:
        size = client.dbsize()
    if size:
        raise AssertionError(f"TEST_REDIS: was a database of {size} keys, must be empty")
    return url
