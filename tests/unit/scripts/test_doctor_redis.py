from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from scripts import doctor_redis
from scripts.doctor_finding import Finding
from shared.settings import RedisSettings, Settings, load_settings, repository_root
from shared.store.redis_health import RedisHealth, health

MB = 1_048_576
GOOD = RedisHealth("7.2.4", "master", "noeviction", 10 * MB, 100 * MB, True, source="sim")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "sim", "REDIS_URL": ""}
    found = load_settings(env, repository_root())
    url = "redis://user:hunter2@10.0.0.1:6379/0"
    return msgspec.structs.replace(found, redis=RedisSettings(url=url))


def changed(**fields: object) -> RedisHealth:
    values = {name: getattr(GOOD, name) for name in GOOD.__dataclass_fields__}
    return RedisHealth(**{**values, **fields})


def judged(settings: Settings, found: RedisHealth, check: str) -> Finding:
    by_check = {one.check: one for one in doctor_redis.judge(settings, found)}
    return by_check[check]


def test_a_good_one_passes_every_check(settings: Settings) -> None:
    assert {one.state for one in doctor_redis.judge(settings, GOOD)} == {"ok"}


@pytest.mark.parametrize(
    ("fields", "check", "state"),
    [
        ({"version": "6.0.16"}, "redis", "fail"),
        ({"version": "6.2.0"}, "redis", "ok"),
        ({"version": "10.0.1"}, "redis", "ok"),
        ({"cluster": True}, "redis", "fail"),
        ({"role": "slave"}, "redis-role", "fail"),
        ({"policy": "volatile-lru"}, "redis-eviction", "fail"),
        ({"policy": "allkeys-lru", "maxmemory": 0}, "redis-eviction", "warn"),
        ({"appendonly": False}, "redis-saving", "warn"),
        ({"write_fault": "saving a snapshot"}, "redis-saving", "fail"),
        ({"used_bytes": 79 * MB}, "redis-memory", "ok"),
        ({"used_bytes": 80 * MB}, "redis-memory", "warn"),
        ({"used_bytes": 95 * MB}, "redis-memory", "fail"),
        ({"used_bytes": 95 * MB, "maxmemory": 0}, "redis-memory", "ok"),
        ({"ping_ms": 20.0}, "redis-latency", "ok"),
        ({"ping_ms": 20.1}, "redis-latency", "warn"),
        ({"source": ""}, "source", "ok"),
        ({"source": "live"}, "source", "fail"),
    ],
)
def test_each_fault_has_its_verdict(
    settings: Settings, fields: dict[str, object], check: str, state: str
) -> None:
    assert judged(settings, changed(**fields), check).state == state


def test_without_info_the_rest_is_unknown_and_said_to_be(settings: Settings) -> None:
    findings = doctor_redis.judge(settings, changed(refused="NOPERM no info", version=""))
    assert [one.check for one in findings] == ["redis", "redis-latency", "source"]
    assert findings[0].state == "warn"
    assert "NOPERM no info" in findings[0].text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Error 111 connecting. Connect call failed", "nothing listens at redis://user:***@"),
        ("AuthenticationError: invalid username-password pair", "no use of redis://user:***@"),
        ("TimeoutError: ", "no answer at redis://user:***@"),
    ],
)
def test_why_it_is_out_of_reach_is_told_apart_and_no_password_shown(
    settings: Settings, reason: str, words: str
) -> None:
    found = doctor_redis.unreachable(settings, reason)
    assert found.state == "fail"
    assert found.text.startswith(words)
    assert "hunter2" not in found.text + found.remedy


def test_the_embedded_one_that_does_not_run_is_a_warning(settings: Settings) -> None:
    assert doctor_redis.absent(settings).state == "warn"


@pytest.mark.parametrize(("text", "pair"), [("7.2.4", (7, 2)), ("6.0", (6, 0)), ("?", (6, 2))])
def test_versions_are_compared_as_numbers(text: str, pair: tuple[int, int]) -> None:
    assert doctor_redis.version_of(text) == pair


def test_the_failed_ways_to_the_disk_are_named() -> None:
    found = health({"aof_last_write_status": "err", "rdb_last_bgsave_status": "err"})
    assert found.write_fault == "writing the append-only file and saving a snapshot"
    assert health({"aof_last_write_status": "ok"}).write_fault == ""


def test_depth_streams_that_will_fill_it_are_told_before_they_do(settings: Settings) -> None:
    roomy = doctor_redis.judge(settings, GOOD)
    assert "redis-streams" not in {one.check for one in roomy}
    small = judged(settings, changed(maxmemory=59 * MB, used_bytes=MB), "redis-streams")
    assert small.state == "warn"
    assert small.text == ("10 depth streams of 10000 entries need about 48 MB, maxmemory is 59 MB")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("AuthenticationError: invalid username-password pair or user is disabled.",
         "another REDIS_PASSWORD than at its start"),
        ("redis refused the login: WRONGPASS invalid", "another REDIS_PASSWORD"),
        ("AuthenticationError: Authentication required.", "this Redis wants a login"),
        ("User ibkr_depth has no permissions to run the 'config' command", "`tickvisor acl` has"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'db'",
         "the certificate is of another host"),
        ("certificate verify failed: IP address mismatch", "the certificate is of another host"),
        ("certificate verify failed: certificate has expired", "renew it"),
        ("certificate verify failed: unable to get local issuer", "in redis.ssl_ca_certs"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "the port does not speak TLS"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure", "the port does not speak TLS"),
        ("TimeoutError: ", "start it, or correct REDIS_URL"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(settings: Settings, reason: str, remedy: str) -> None:
    found = doctor_redis.unreachable(settings, reason)
    assert found.state == "fail"
    assert remedy in found.remedy
