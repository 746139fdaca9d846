"""A Redis that restarts, is away, forgets or refuses: every row is stored or stands in a gap."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.depth_keys import holes
from tests.support.depth_rig import THREE, DepthPlan, DepthRig, running_depth
from tests.support.redis_server import RedisServer

# 200 rows per second over the three symbols.
RATE: Final = 67
OUTAGE_S: Final = 20.0
SMALL_QUEUE: Final = 1000

Start = Callable[..., tuple[DepthRig, RedisServer]]


@contextmanager
def worker_and_redis(
    home: Path, appendonly: bool = True, queue_max_entries: int = 50_000
) -> Iterator[tuple[DepthRig, RedisServer]]:
    """A worker on a Redis of its own; nothing is ever rotated or renewed."""
    server = RedisServer(home / "redis", appendonly=appendonly).start()
    plan = DepthPlan(
        ibkr={"depth_stale_s": 60.0},
        redis={"queue_max_entries": queue_max_entries},
        gateway=("--rate", str(RATE)),
    )
    try:
        with running_depth(home, server.url, plan) as rig:
            rig.wait_fresh(10)
            yield rig, server
    finally:
        server.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:
        yield lambda **options: running.enter_context(worker_and_redis(tmp_path, **options))


@dataclass(frozen=True, slots=True)
class Outage:
    """Two workers whose Redis is away since `began_s`; one has little room to wait in."""

    roomy: DepthRig
    tight: DepthRig
    servers: tuple[RedisServer, RedisServer]
    began_s: float


@pytest.fixture(scope="module", autouse=True)
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """Goes on in the background while the module's other tests run."""
    home = tmp_path_factory.mktemp("outage")
    with (
        worker_and_redis(home / "roomy") as (roomy, roomy_server),
        worker_and_redis(home / "tight", queue_max_entries=SMALL_QUEUE) as (tight, tight_server),
    ):
        roomy_server.stop()
        tight_server.stop()
        yield Outage(roomy, tight, (roomy_server, tight_server), time.monotonic())


def lost(rig: DepthRig, symbol: str) -> set[int]:
    """Numbers that the gap ledger gives as lost."""
    return {number for gap in rig.keys.gaps(symbol) for number in gap.numbers()}


def unexplained(rig: DepthRig) -> dict[str, list[int]]:
    """Numbers that are missing without a gap entry, or stored in spite of one."""
    differing = {s: holes(rig.keys.seqs(s)) ^ lost(rig, s) for s in THREE}
    return {symbol: sorted(numbers) for symbol, numbers in differing.items() if numbers}


def check_accounts(rig: DepthRig, pid: int) -> int:
    """Each row the gateway sent is stored once or in a gap, by number; how many were lost."""
    rig.wait_fresh(10)
    rig.gateway.call("pause")
    sent = {symbol: rig.gateway.rows_sent(symbol) for symbol in THREE}
    rig.wait_until(
        lambda: {symbol: rig.keys.last_seq(symbol) for symbol in THREE} == sent,
        10, f"the last of {sent} rows stored",
    )  # fmt: skip
    until = time.monotonic() + 5
    while unexplained(rig) and time.monotonic() < until:
        time.sleep(0.05)
    assert unexplained(rig) == {}, rig.worker.log_tail()
    for symbol in THREE:
        seqs = rig.keys.seqs(symbol)
        assert len(seqs) == len(set(seqs)) and seqs == sorted(seqs)
        counted = sum(gap.count or 0 for gap in rig.keys.gaps(symbol))
        assert len(seqs) + counted == sent[symbol]
    assert (rig.worker.pid, rig.worker.exit_code) == (pid, None)
    rig.gateway.call("resume")
    return sum(len(lost(rig, symbol)) for symbol in THREE)


def wait_state(rig: DepthRig, state: str) -> None:
    rig.wait_until(lambda: rig.keys.heartbeat().get("state") == state, 5, f"state {state}")


def test_a_killed_redis_that_comes_back_with_its_log_has_every_row(start: Start) -> None:
    rig, server = start()
    for _ in range(3):
        server.kill()
        server.start()
        rig.wait_fresh(5)
    assert check_accounts(rig, rig.worker.pid) == 0
    assert rig.keys.gaps() == []


def test_a_redis_that_comes_back_empty_gets_the_last_seconds_again(start: Start) -> None:
    rig, server = start(appendonly=False)
    rig.wait_until(lambda: rig.keys.last_seq("SPY") > 8 * RATE, 15, "eight seconds of rows")
    server.kill()
    server.start()
    missing = check_accounts(rig, rig.worker.pid)
    # The ring holds five seconds; what is older stands in a gap.
    assert 0 < missing < 3 * 6 * RATE
    assert {gap.reason for gap in rig.keys.gaps()} == {"redis restart"}
    rig.wait_until(lambda: rig.keys.json("coord:lease:ibkr_depth"), 5, "the lease back")
    rig.wait_until(lambda: rig.keys.text("coord:source") == "sim", 5, "the source marked again")


def test_a_connection_that_redis_drops_doubles_nothing(start: Start) -> None:
    rig, server = start()
    for _ in range(5):
        rig.keys.redis.client_kill_filter(_type="normal", skipme=True)
        rig.wait_fresh(3)
    assert check_accounts(rig, rig.worker.pid) == 0
    assert rig.keys.gaps() == []


def test_forgotten_scripts_are_loaded_again(start: Start) -> None:
    rig, _ = start()
    rig.keys.redis.script_flush()
    forgotten_ms = rig.keys.received_ms("SPY")
    rig.wait_until(
        lambda: int(rig.keys.hash("market:SPY:ticker").get("quote_ts", 0)) > forgotten_ms,
        5, "the ticker written by script",
    )  # fmt: skip
    assert check_accounts(rig, rig.worker.pid) == 0


def test_a_redis_out_of_memory_is_waited_for(start: Start) -> None:
    rig, _ = start()
    rig.keys.redis.config_set("maxmemory", 1)
    rig.wait_until(lambda: "OOM" in rig.worker.log_text(), 5, "a write refused for memory")
    rig.keys.redis.config_set("maxmemory", 0)
    assert check_accounts(rig, rig.worker.pid) == 0
    assert rig.keys.gaps() == []


@pytest.mark.parametrize("reconnect", [False, True])
def test_a_stream_key_of_the_wrong_type_costs_that_symbol_alone(
    start: Start, reconnect: bool
) -> None:
    rig, _ = start()
    key, others = "raw:ibkr:depth:stream:QQQ", [symbol for symbol in THREE if symbol != "QQQ"]
    before = rig.keys.last_seq("QQQ")
    # At once: entries of a stream that is begun in between would be overwritten.
    with rig.keys.redis.pipeline(transaction=True) as both:
        both.rename(key, "aside")
        both.set(key, "not a stream")
        both.execute()
    rig.wait_until(lambda: lost(rig, "QQQ"), 3, "the loss in the gap ledger")
    if reconnect:
        rig.keys.redis.client_kill_filter(_type="normal", skipme=True)
    rig.wait_fresh(3, others)
    rig.keys.redis.rename("aside", key)
    rig.wait_until(lambda: rig.keys.last_seq("QQQ") > before, 5, "QQQ stored again")
    assert check_accounts(rig, rig.worker.pid) > 0
    assert {gap.symbol for gap in rig.keys.gaps()} == {"QQQ"}
    assert "redis_write_failed" in rig.worker.log_text()


def test_an_emptied_redis_that_another_source_took_is_left_to_it(start: Start) -> None:
    rig, _ = start()
    rig.keys.redis.set("coord:source", "live")
    assert rig.worker.wait(6) == 78
    assert "this redis holds live data" in rig.worker.log_text()
    assert rig.keys.heartbeat()["state"] != "stopped"


def test_an_outage_of_twenty_seconds_loses_nothing_or_says_what(outage: Outage) -> None:
    roomy, tight = outage.roomy, outage.tight
    time.sleep(max(0.0, outage.began_s + OUTAGE_S - time.monotonic()))
    for server in outage.servers:
        server.start()
    assert check_accounts(roomy, roomy.worker.pid) == 0
    assert roomy.keys.gaps() == []
    # 4,000 rows came, 1,000 fitted: the oldest went, and all of them are named.
    assert check_accounts(tight, tight.worker.pid) > 2 * SMALL_QUEUE
    gaps = tight.keys.gaps()
    assert [gap.reason for gap in gaps] == ["queue full"] * len(THREE)
    assert all(gap.to_ts > gap.from_ts > 0 and gap.venue for gap in gaps)
    for rig in (roomy, tight):
        wait_state(rig, "running")
        assert rig.keys.connected() == "1"
