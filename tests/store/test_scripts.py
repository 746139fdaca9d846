"""Scripts of heartbeats, shared hashes, ledgers and leases, called with literal arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from tests.store.lua_calls import call, read

NOW = 1_000_000
WORKERS = ("ibkr_depth", "ibkr_trades")


# heartbeat

OWN, FAMILY, FLAG = "heartbeat:ibkr_depth", "heartbeat:ibkr_ingestion", "ibkr:connected"


def beat(client: redis.Redis, worker: str, now: int, connected: bool, own_ttl: int = 30) -> Any:
    text = json.dumps({"worker": worker, "ts": now, "connected": connected})
    keys = [f"heartbeat:{worker}", FAMILY, FLAG]
    return call(client, "heartbeat", keys, worker, text, now, own_ttl, 30, 6000, *WORKERS)


@pytest.mark.parametrize(
    ("depth", "trades", "flag"),
    [(True, True, "1"), (True, False, "0"), (False, True, "0"), (False, False, "0")],
)
def test_the_flag_is_1_only_when_every_worker_is_connected(
    client: redis.Redis, depth: bool, trades: bool, flag: str
) -> None:
    beat(client, "ibkr_depth", NOW, depth)
    assert beat(client, "ibkr_trades", NOW, trades) == flag
    assert client.get(FLAG) == flag


def test_the_flag_is_0_while_one_worker_has_never_written(client: redis.Redis) -> None:
    assert beat(client, "ibkr_depth", NOW, True) == "0"


@pytest.mark.parametrize(("age_ms", "flag"), [(6000, "1"), (6001, "0")])
def test_a_worker_counts_for_six_seconds(client: redis.Redis, age_ms: int, flag: str) -> None:
    beat(client, "ibkr_trades", NOW - age_ms, True)
    assert beat(client, "ibkr_depth", NOW, True) == flag


def test_a_worker_that_was_not_asked_for_does_not_count(client: redis.Redis) -> None:
    beat(client, "ibkr_trades", NOW, True)
    beat(client, "another", NOW, False)
    assert beat(client, "ibkr_depth", NOW, True) == "1"


@pytest.mark.parametrize(("age_ms", "stays"), [(30_000, True), (30_001, False)])
def test_the_field_of_a_dead_worker_is_removed_after_the_expiry(
    client: redis.Redis, age_ms: int, stays: bool
) -> None:
    beat(client, "ibkr_trades", NOW - age_ms, True)
    beat(client, "ibkr_depth", NOW, True)
    assert ("ibkr_trades" in read(client, FAMILY)) is stays


@pytest.mark.parametrize(("ahead_ms", "flag"), [(2000, "1"), (2001, "0")])
def test_a_field_from_the_future_is_a_clock_that_stepped_back(
    client: redis.Redis, ahead_ms: int, flag: str
) -> None:
    beat(client, "ibkr_trades", NOW + ahead_ms, True)
    assert beat(client, "ibkr_depth", NOW, True) == flag
    assert ("ibkr_trades" in read(client, FAMILY)) is (flag == "1")


@pytest.mark.parametrize("text", ["no json", "7", '{"connected":true}', '{"ts":"x"}'])
def test_an_unreadable_field_is_removed(client: redis.Redis, text: str) -> None:
    client.hset(FAMILY, "ibkr_trades", text)
    assert beat(client, "ibkr_depth", NOW, True) == "0"
    assert list(read(client, FAMILY)) == ["ibkr_depth"]


def test_all_heartbeat_keys_expire(client: redis.Redis) -> None:
    beat(client, "ibkr_depth", NOW, True, own_ttl=86_400)
    ttls = [int(str(client.ttl(key))) for key in (OWN, FAMILY, FLAG)]
    assert 86_395 <= ttls[0] <= 86_400
    assert [28 <= ttl <= 30 for ttl in ttls[1:]] == [True, True]


def test_a_family_without_a_flag_writes_none(client: redis.Redis) -> None:
    text = json.dumps({"ts": NOW, "connected": True})
    keys = ["heartbeat:av_options", "heartbeat:alpha_vantage"]
    assert call(client, "heartbeat", keys, "av_options", text, NOW, 30, 30, 6000) == ""
    names: Any = client.keys("*")
    assert sorted(names) == ["heartbeat:alpha_vantage", "heartbeat:av_options"]


# worker_field

METRICS = "monitoring:ibkr:metrics"


def field(client: redis.Redis, worker: str, ts: int) -> Any:
    return call(client, "worker_field", [METRICS], worker, json.dumps({"ts": ts}), ts, 120)


def test_workers_share_the_hash_and_renew_its_expiry(client: redis.Redis) -> None:
    assert field(client, "ibkr_depth", NOW) == 0
    client.expire(METRICS, 5)
    assert field(client, "ibkr_trades", NOW) == 0
    assert sorted(read(client, METRICS)) == ["ibkr_depth", "ibkr_trades"]
    assert 118 <= int(str(client.ttl(METRICS))) <= 120


@pytest.mark.parametrize(
    ("age_ms", "removed"), [(120_000, 0), (120_001, 1), (-2000, 0), (-2001, 1)]
)
def test_a_field_that_was_not_renewed_or_is_from_the_future_is_removed(
    client: redis.Redis, age_ms: int, removed: int
) -> None:
    field(client, "ibkr_trades", NOW - age_ms)
    assert field(client, "ibkr_depth", NOW) == removed
    assert len(read(client, METRICS)) == 2 - removed


def test_a_field_without_a_time_is_removed(client: redis.Redis) -> None:
    client.hset(METRICS, mapping={"a": "{}", "b": "no json"})
    assert field(client, "ibkr_depth", NOW) == 2


# append_once

GAPS = "monitoring:gaps"


def append(client: redis.Redis, repeat: int, *pairs: str, look_back: int = 64) -> Any:
    return call(client, "append_once", [GAPS], 10_000, repeat, look_back, *pairs)


def lines(client: redis.Redis) -> list[dict[str, str]]:
    found: Any = client.xrange(GAPS)
    return [fields for _, fields in found]


def test_a_line_is_appended_and_its_id_told(client: redis.Redis) -> None:
    assert "-" in append(client, 0, "feed", "depth", "count", "3")
    assert lines(client) == [{"feed": "depth", "count": "3"}]


def test_the_same_line_twice_is_two_lines_when_both_were_meant(client: redis.Redis) -> None:
    append(client, 0, "count", "3")
    append(client, 0, "count", "3")
    assert len(lines(client)) == 2


def test_a_repeated_line_that_is_there_already_is_not_appended(client: redis.Redis) -> None:
    append(client, 0, "count", "3")
    append(client, 0, "count", "4")
    assert append(client, 1, "count", "3") == ""
    assert [line["count"] for line in lines(client)] == ["3", "4"]


def test_a_repeated_line_that_is_not_there_is_appended(client: redis.Redis) -> None:
    append(client, 0, "count", "3")
    for pairs in (["count", "5"], ["count", "3", "feed", "depth"], ["feed", "3"]):
        assert append(client, 1, *pairs) != ""
    assert len(lines(client)) == 4


def test_only_the_newest_lines_are_looked_at(client: redis.Redis) -> None:
    append(client, 0, "count", "3")
    append(client, 0, "count", "4")
    assert append(client, 1, "count", "3", look_back=1) != ""


# lease_acquire, lease_renew, lease_release

LEASE = "coord:lease:ibkr_depth"


def test_a_free_lease_is_taken_with_its_expiry(client: redis.Redis) -> None:
    assert call(client, "lease_acquire", [LEASE], "A", 10_000, "") == "A"
    assert 9_900 <= int(str(client.pttl(LEASE))) <= 10_000


def test_a_held_lease_names_its_holder_and_is_left_alone(client: redis.Redis) -> None:
    client.set(LEASE, "B", px=5_000)
    assert call(client, "lease_acquire", [LEASE], "A", 10_000, "") == "B"
    assert int(str(client.pttl(LEASE))) <= 5_000


def test_a_lease_is_taken_from_the_holder_known_to_be_dead(client: redis.Redis) -> None:
    client.set(LEASE, "B")
    assert call(client, "lease_acquire", [LEASE], "A", 10_000, "B") == "A"
    assert client.get(LEASE) == "A"


def test_a_lease_that_went_to_a_third_meanwhile_is_not_taken(client: redis.Redis) -> None:
    client.set(LEASE, "C")
    assert call(client, "lease_acquire", [LEASE], "A", 10_000, "B") == "C"


@pytest.mark.parametrize(("held", "kept"), [("A", 1), (None, 1), ("B", 0)])
def test_a_lease_is_renewed_unless_another_holds_it(
    client: redis.Redis, held: str | None, kept: int
) -> None:
    if held:
        client.set(LEASE, held, px=500)
    assert call(client, "lease_renew", [LEASE], "A", 10_000) == kept
    assert client.get(LEASE) == ("A" if kept else "B")
    assert (int(str(client.pttl(LEASE))) > 5_000) is bool(kept)


@pytest.mark.parametrize(("held", "released"), [("A", 1), (None, 0), ("B", 0)])
def test_only_the_holder_releases_a_lease(
    client: redis.Redis, held: str | None, released: int
) -> None:
    if held:
        client.set(LEASE, held)
    assert call(client, "lease_release", [LEASE], "A") == released
    assert client.get(LEASE) == ("B" if held == "B" else None)
