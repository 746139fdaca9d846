"""A program that asks and does not read must not cost the feeds their room in Redis."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Final

import redis

from tests.support.redis_server import RedisServer
from tests.support.worker_process import REPOSITORY

DIRECTIVE: Final = "client-output-buffer-limit"
DOCUMENT_BYTES: Final = 8_000_000


def shipped_limit() -> list[str]:
    lines = (REPOSITORY / "deploy/redis.conf").read_text(encoding="utf-8").splitlines()
    found = [line.split() for line in lines if line.startswith(DIRECTIVE)]
    # Without one, Redis's own: no limit.
    return [f"--{DIRECTIVE}", *found[0][1:]] if found else []


def readers(client: redis.Redis) -> int:
    return sum(one["name"] == "greedy" for one in client.client_list())


def wait_for_readers(client: redis.Redis, number: int) -> None:
    until_s = time.monotonic() + 30.0
    while readers(client) != number:
        assert time.monotonic() < until_s, f"not {number} readers after 30 s"
        time.sleep(0.02)


def test_who_asks_for_a_gigabyte_and_reads_none_of_it_is_sent_away(tmp_path: Path) -> None:
    limit = ("--maxmemory", "600mb", *shipped_limit())
    server = RedisServer(tmp_path / "redis", options=limit)
    server.start()
    try:
        with server.client() as client, socket.create_connection(("127.0.0.1", server.port)) as one:
            client.set("options:SPY:chain", "x" * DOCUMENT_BYTES)
            one.sendall(b"CLIENT SETNAME greedy\r\n")
            wait_for_readers(client, 1)
            one.sendall(b"GET options:SPY:chain\r\n" * 125)
            wait_for_readers(client, 0)
            assert client.set("market:SPY:last", "1") is True
    finally:
        server.stop()
