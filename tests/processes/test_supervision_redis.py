"""What the guardian reads from and writes to a Redis that may be away, full, or not itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from deploy.listeners.incidents import Incidents
from deploy.listeners.pulse import Pulse
from deploy.listeners.seen import Incident
from shared.store.keys import Keys
from tests.support.redis_server import RedisServer

PIDS = {"ibkr_depth": 42, "ibkr_trades": 43}


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as found:
        yield found


@pytest.fixture
def pulse(redis_server: RedisServer) -> Iterator[Pulse]:
    found = Pulse(redis_server.url, Keys())
    yield found
    found.client.close()


def texts(client: redis.Redis) -> list[str]:
    entries: Any = client.xrange("monitoring:incidents")
    return [fields["text"] for _, fields in entries]


def test_a_heartbeat_counts_for_the_pid_that_wrote_it(pulse: Pulse, client: redis.Redis) -> None:
    client.set("heartbeat:ibkr_depth", json.dumps({"pid": 42, "ts": 1_000}))
    client.set("heartbeat:ibkr_trades", json.dumps({"pid": 7, "ts": 2_000}))
    assert pulse.read(PIDS, 5.0) == {"ibkr_depth": 1_000}
    assert pulse.since_s == 5.0
    names: Any = client.keys("*")
    assert sorted(names) == ["heartbeat:ibkr_depth", "heartbeat:ibkr_trades"]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "7", '{"pid": 42}', '{"ts": 5}'])
def test_what_is_no_heartbeat_counts_as_none(pulse: Pulse, client: redis.Redis, text: str) -> None:
    client.set("heartbeat:ibkr_depth", text)
    assert pulse.read(PIDS, 5.0) == {}
    assert pulse.since_s == 5.0


def test_it_is_known_since_when_redis_answers(
    pulse: Pulse, redis_server: RedisServer, client: redis.Redis
) -> None:
    assert (pulse.read(PIDS, 5.0), pulse.since_s) == ({}, 5.0)
    assert (pulse.read({}, 6.0), pulse.since_s) == ({}, 5.0)
    redis_server.stop()
    assert (pulse.read(PIDS, 7.0), pulse.since_s) == ({}, None)
    redis_server.start()
    assert (pulse.read(PIDS, 8.0), pulse.since_s) == ({}, 8.0)
    pulse.forget(9.0)
    assert pulse.since_s == 9.0


def test_a_redis_that_takes_no_write_stops_every_heartbeat_and_counts_as_away(
    pulse: Pulse, client: redis.Redis
) -> None:
    assert (pulse.read(PIDS, 5.0), pulse.since_s) == ({}, 5.0)
    client.config_set("maxmemory", "1")
    assert (pulse.read(PIDS, 6.0), pulse.since_s) == ({}, None)
    client.config_set("maxmemory", "0")
    assert (pulse.read(PIDS, 7.0), pulse.since_s) == ({}, 7.0)


def test_a_frozen_redis_holds_the_guardian_up_for_a_second_or_two(
    pulse: Pulse, redis_server: RedisServer
) -> None:
    pulse.read(PIDS, 5.0)
    redis_server.pause()
    began_s = time.monotonic()
    try:
        assert (pulse.read(PIDS, 6.0), pulse.since_s) == ({}, None)
    finally:
        redis_server.resume()
    assert time.monotonic() - began_s < 3.0


def test_incidents_wait_for_redis_in_order_and_none_is_doubled(
    pulse: Pulse, redis_server: RedisServer, client: redis.Redis
) -> None:
    incidents, keys = Incidents(), Keys()
    redis_server.stop()
    for number in range(3):
        incidents.add(Incident("hung", f"number {number}"))
        incidents.write(pulse.client, keys)
    redis_server.start()
    # As if the first one had been carried out and its reply lost.
    first = incidents._waiting[0]
    client.xadd("monitoring:incidents", dict(zip(first[::2], first[1::2], strict=True)))
    incidents.write(pulse.client, keys)
    incidents.write(pulse.client, keys)
    assert texts(client) == ["number 0", "number 1", "number 2"]
    entries: Any = client.xrange("monitoring:incidents")
    assert {(f["worker"], f["kind"], f["symbol"]) for _, f in entries} == {("guardian", "hung", "")}
    assert all(f["ts"].isdigit() for _, f in entries)


def test_of_too_many_incidents_the_newest_are_kept(
    pulse: Pulse, redis_server: RedisServer, client: redis.Redis
) -> None:
    incidents = Incidents()
    for number in range(1_005):
        incidents.add(Incident("hung", f"number {number}"))
    incidents.write(pulse.client, Keys())
    assert texts(client) == [f"number {number}" for number in range(5, 1_005)]
