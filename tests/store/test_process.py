"""The life of a worker process on a real Redis; its main coroutine is the test's."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any, Final

import msgspec
import pytest

from shared.process import Family, Main, Worker, run
from shared.settings import VARIABLES
from shared.store.lease import Holder
from tests.store.feeding import until
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer
from tests.support.worker_process import write_settings
from tests.unit.store.logged_lines import parsed, restored_logging

NAME: Final = "ibkr_depth"
FAMILY: Final = Family("ibkr_ingestion", (NAME,), has_flag=True)
LEASE: Final = "coord:lease:ibkr_depth"
OTHER: Final = msgspec.json.encode(Holder("t", "elsewhere", 4711, 1))

Ended = tuple[int, list[dict[str, Any]]]
Start = Callable[[Main], Ended]


@pytest.fixture
def start(
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Start]:
    """Run a worker to its end: its exit code and its log."""
    settings = {"modules": {"data_ingestion": {"heartbeat_interval_s": 0.5}}}
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("TICKVISOR_CONFIG", str(write_settings(tmp_path, settings)))
    monkeypatch.setenv("TICKVISOR_SOURCE", "live")
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    monkeypatch.setattr("shared.process.RENEW_EVERY_S", 0.05)

    def start_worker(main: Main) -> Ended:
        code = run(NAME, lambda _: FAMILY, main)
        return code, parsed(capfdbinary.readouterr().out)

    with restored_logging():
        yield start_worker


async def wait_for_ever(worker: Worker) -> None:
    await asyncio.Event().wait()


async def serve(worker: Worker) -> None:
    worker.health.set("running", True)
    await worker.stop.wait()


def events(log: list[dict[str, Any]], level: str) -> list[str]:
    return [line["event"] for line in log if line["level"] == level]


def check_farewell(keys: DepthKeys) -> None:
    assert (keys.heartbeat()["state"], keys.heartbeat()["connected"]) == ("stopped", False)
    assert 86_390 <= int(str(keys.redis.ttl("heartbeat:ibkr_depth"))) <= 86_400
    assert keys.connected() == "0"
    assert keys.text(LEASE) is None


def test_a_worker_that_ends_by_itself_says_farewell(start: Start, keys: DepthKeys) -> None:
    async def main(worker: Worker) -> None:
        worker.health.set("running", True, "all well")
        await until(lambda: keys.connected() == "1", 5)
        beat, family = keys.heartbeat(), keys.hash("heartbeat:ibkr_ingestion")
        assert (beat["state"], beat["connected"], beat["detail"]) == ("running", True, "all well")
        assert (beat["pid"], beat["host"], beat["source"]) == (
            os.getpid(),
            socket.gethostname(),
            "live",
        )
        assert list(family) == [NAME]
        assert keys.json(LEASE)["pid"] == os.getpid()
        worker.ledger.incident("test", "", "last words")

    code, log = start(main)
    assert (code, events(log, "INFO")) == (0, ["starting", "stopped"])
    check_farewell(keys)
    assert [line["text"] for line in keys.incidents("test")] == ["last words"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_in_order(
    start: Start, keys: DepthKeys, number: signal.Signals
) -> None:
    async def main(worker: Worker) -> None:
        os.kill(os.getpid(), number)
        await serve(worker)

    assert start(main)[0] == 0
    check_farewell(keys)


def test_an_unexpected_error_is_logged_with_its_traceback_and_ends_with_3(
    start: Start, keys: DepthKeys
) -> None:
    async def main(worker: Worker) -> None:
        raise ZeroDivisionError("odd")

    code, log = start(main)
    assert (code, events(log, "CRITICAL")) == (3, ["worker ended by an unexpected error"])
    assert log[-1]["traceback"].endswith("ZeroDivisionError: odd\n")
    check_farewell(keys)


def test_a_second_instance_names_the_first_and_changes_nothing(
    start: Start, keys: DepthKeys
) -> None:
    keys.redis.set(LEASE, OTHER)
    code, log = start(wait_for_ever)
    assert (code, events(log, "ERROR")) == (
        3,
        ["LeaseHeld: ibkr_depth already runs as pid 4711 on elsewhere"],
    )
    assert keys.text(LEASE) == OTHER.decode()
    assert keys.heartbeat() == {}


def test_a_worker_that_lost_its_lease_goes_without_a_farewell(
    start: Start, keys: DepthKeys
) -> None:
    async def main(worker: Worker) -> None:
        worker.health.set("running", True)
        await until(lambda: keys.connected() == "1", 5)
        keys.redis.set(LEASE, OTHER)
        await wait_for_ever(worker)

    code, log = start(main)
    assert (code, events(log, "ERROR")) == (
        3,
        ["LeaseLost: ibkr_depth: another instance took the lease"],
    )
    assert keys.text(LEASE) == OTHER.decode()
    assert keys.heartbeat()["state"] == "running"


def test_a_redis_of_another_source_is_refused_with_78(start: Start, keys: DepthKeys) -> None:
    keys.redis.set("coord:source", "sim")
    code, log = start(wait_for_ever)
    assert code == 78
    assert "holds sim data, was asked to write live" in events(log, "ERROR")[0]
    assert keys.redis.keys("*") == ["coord:source"]


def test_a_redis_that_came_back_empty_is_claimed_again(start: Start, keys: DepthKeys) -> None:
    async def main(worker: Worker) -> None:
        keys.redis.flushall()
        await until(lambda: keys.text("coord:source") == "live" and keys.json(LEASE), 5)
        assert keys.json(LEASE)["pid"] == os.getpid()

    assert start(main)[0] == 0
    check_farewell(keys)


def test_a_redis_that_another_source_took_meanwhile_is_left_with_78(
    start: Start, keys: DepthKeys
) -> None:
    async def main(worker: Worker) -> None:
        keys.redis.set("coord:source", "sim")
        await wait_for_ever(worker)

    code, log = start(main)
    assert (code, len(events(log, "ERROR"))) == (78, 1)
    assert keys.heartbeat()["state"] == "starting"


def test_a_worker_waits_for_a_redis_that_is_not_up_yet(
    start: Start, redis_server: RedisServer, keys: DepthKeys
) -> None:
    redis_server.stop()

    async def main(worker: Worker) -> None:
        await until(lambda: keys.heartbeat(), 5)

    late = Timer(0.3, redis_server.start)
    late.start()
    code, log = start(main)
    late.join(10)
    assert (code, events(log, "INFO")) == (0, ["starting", "stopped"])
    # Each reason once, however often it was asked.
    waits = events(log, "WARNING")
    assert waits and len(waits) == len(set(waits)), waits
    assert all(line.startswith("waiting for redis: ") for line in waits), waits
    assert events(log, "ERROR") == []
    check_farewell(keys)


def test_an_outage_is_one_warning_and_heartbeats_go_on_after_it(
    start: Start, redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def main(worker: Worker) -> None:
        worker.health.set("running", True)
        await until(lambda: keys.connected() == "1", 5)
        await asyncio.to_thread(redis_server.stop)
        for detail in ("a", "b", "c"):
            worker.health.set("degraded", True, detail)
            await asyncio.sleep(0.1)
        await asyncio.to_thread(redis_server.start)
        worker.health.set("running", True, "back")
        await until(lambda: keys.heartbeat().get("detail") == "back", 5)
        # The next one is written once the reply to that one is in, and told.
        worker.health.set("running", True, "once more")
        await until(lambda: keys.heartbeat().get("detail") == "once more", 5)

    code, log = start(main)
    warnings = events(log, "WARNING")
    assert (code, len(warnings)) == (0, 1)
    assert warnings[0].startswith("heartbeat not written: ConnectionError")
    again = [text for text in events(log, "INFO") if text.startswith("heartbeat written again")]
    assert len(again) == 1
    check_farewell(keys)


def test_a_farewell_that_redis_does_not_take_is_said_and_ends_cleanly(
    start: Start, redis_server: RedisServer
) -> None:
    async def main(worker: Worker) -> None:
        await asyncio.to_thread(redis_server.stop)

    code, log = start(main)
    assert code == 0
    assert any(text.startswith("no farewell to redis") for text in events(log, "WARNING"))
