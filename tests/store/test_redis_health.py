from __future__ import annotations

import asyncio
import json
import os
import socket
import time

import pytest
import redis

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.keys import Keys
from shared.store.lease import process_start
from shared.store.redis_health import RedisHealth, examine, holder_of
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

KEYS = Keys("p:")
WORKERS = ("ibkr_depth", "ibkr_trades", "av_options")


def seen(url: str) -> RedisHealth:
    return asyncio.run(examine(url, KEYS, WORKERS, 1.0))


def holder(pid: int, host: str = "") -> str:
    fields = {"token": "t", "host": host or socket.gethostname(), "pid": pid}
    return json.dumps({**fields, "pid_start": process_start(pid) or 0})


def test_what_a_server_says_of_itself(redis_server: RedisServer) -> None:
    found = seen(redis_server.url)
    assert (found.role, found.policy, found.appendonly) == ("master", "noeviction", True)
    assert (found.write_fault, found.refused, found.cluster) == ("", "", False)
    assert found.directory.endswith("/redis")
    assert 0 < found.ping_ms < 1_000
    assert abs(found.skew_s) < 1
    assert found.used_bytes > 0


def test_looking_writes_nothing(client: redis.Redis, redis_url: str) -> None:
    client.config_resetstat()
    seen(redis_url)
    used = client.info("commandstats")
    commands = {name.removeprefix("cmdstat_").split("|")[0] for name in used}
    allowed = {"ping", "info", "mget", "time", "config", "client", "select", "hello"}
    assert commands <= allowed
    assert client.dbsize() == 0


def test_whose_data_it_holds_and_who_lives(client: redis.Redis, redis_url: str) -> None:
    client.set(KEYS.source(), "live")
    client.set(KEYS.lease("ibkr_depth"), holder(os.getpid()))
    client.set(KEYS.lease("ibkr_trades"), holder(2**22 + 1))
    found = seen(redis_url)
    assert found.source == "live"
    assert found.holders == {"ibkr_depth": f"pid {os.getpid()} on {socket.gethostname()}"}


def test_a_holder_elsewhere_counts_as_alive_and_an_unreadable_one_too() -> None:
    assert holder_of(holder(1, "elsewhere")) == "pid 1 on elsewhere"
    assert holder_of(b"\xff") == "somebody, its lease is unreadable"


def test_a_user_who_may_not_see_info_still_gets_the_rest(
    client: redis.Redis, redis_url: str
) -> None:
    commands = ["+ping", "+mget", "+time"]
    client.acl_setuser("narrow", True, passwords="+pw", keys=["*"], commands=commands)
    try:
        found = seen(redis_url.replace("//", "//narrow:pw@"))
    finally:
        client.acl_deluser("narrow")
    assert "permission" in found.refused
    assert (found.version, found.directory) == ("", "")
    assert found.ping_ms > 0


def test_nobody_there_is_said_at_once() -> None:
    began_s = time.monotonic()
    with pytest.raises(StoreUnavailable, match="Connect call failed"):
        seen(f"redis://127.0.0.1:{free_port()}/0")
    assert time.monotonic() - began_s < 1


def test_an_unusable_address_gives_no_password_away() -> None:
    with pytest.raises(StoreRefused) as caught:
        seen("redis://:pass/word@host:1/0")
    assert "pass" not in str(caught.value)
