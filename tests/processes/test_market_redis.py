"""A Redis that is away, restarts, forgets or refuses: every trade and bar is there afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Final

import pytest

from tests.support.market_rig import MarketPlan, MarketRig
from tests.support.market_truth import pause_and_settle, wait_whole
from tests.support.redis_server import RedisServer
from tests.support.scenarios import Scenario, scenario, side_by_side

SCENARIOS: Final[dict[str, Scenario]] = {}
# 20 s of an outage fit into the thousand trades that a list keeps.
FAST: Final = ("--trade-rate", "15", "--sample-ms", "50", "--history-pacing", "off")
PLAN: Final = MarketPlan(gateway=FAST)
OUTAGE_S: Final = 20.0


def begin(rig: MarketRig) -> int:
    rig.wait_trades(15, 5)
    rig.wait_until(lambda: all(rig.keys.bars(s) for s in rig.symbols), 20, "first bars")
    return int(max(rig.keys.bars(symbol)[0]["t"] for symbol in rig.symbols))


def check_trades(rig: MarketRig, numbered_from: int = 1) -> None:
    """Every print of the tape once and in order, as far as the list reaches; no loss was told."""
    rig.wait_until(lambda: rig.keys.trades_heartbeat().get("state") == "running", 15, "running")
    for symbol in rig.symbols:
        tape = pause_and_settle(rig, symbol)
        trades = rig.keys.trades(symbol)
        seqs = [trade["seq"] for trade in trades]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        told = [(t["price"], t["size"]) for t in trades]
        assert told == [(p["price"], p["size"]) for p in tape][-len(told) :]
        assert len(told) == len(tape) or len(told) == 1000
        rig.gateway.call("resume")
    assert rig.keys.feed_gaps("trades") == []
    assert rig.worker.exit_code is None


@scenario(SCENARIOS, PLAN)
def an_outage_of_twenty_seconds(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    server.stop()
    time.sleep(OUTAGE_S)
    server.start()
    rig.wait_trades(15, 5)
    check_trades(rig)
    wait_whole(rig, began_s)
    assert rig.keys.feed_gaps("bars") == []
    minutes = [candle["t"] for candle in rig.keys.candles("SPY")]
    assert minutes == sorted(set(minutes))


@scenario(SCENARIOS, PLAN)
def kills_of_a_redis_that_keeps_its_log(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    for _ in range(3):
        server.kill()
        server.start()
        rig.wait_trades(10, 5)
    check_trades(rig)
    wait_whole(rig, began_s)
    assert rig.keys.feed_gaps("bars") == []


@scenario(SCENARIOS, PLAN)
def connections_that_redis_drops(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    for _ in range(10):
        rig.keys.redis.client_kill_filter(_type="normal", skipme=True)
        rig.wait_trades(5, 2)
    check_trades(rig)
    wait_whole(rig, began_s)


@scenario(SCENARIOS, PLAN)
def scripts_that_redis_forgets(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    for _ in range(3):
        rig.keys.redis.script_flush()
        rig.wait_trades(5, 5)
    check_trades(rig)
    wait_whole(rig, began_s)


@scenario(SCENARIOS, PLAN)
def a_redis_out_of_memory(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.keys.redis.config_set("maxmemory", 1)
    rig.wait_until(lambda: "OOM" in rig.worker.log_text(), 5, "a write refused for memory")
    time.sleep(3)
    rig.keys.redis.config_set("maxmemory", 0)
    rig.wait_trades(10, 5)
    check_trades(rig)
    wait_whole(rig, began_s)


@scenario(SCENARIOS, MarketPlan(gateway=FAST, settings={"redis": {"queue_max_entries": 1000}}))
def an_outage_with_little_room(rig: MarketRig, server: RedisServer) -> None:
    """The oldest trades go, each in a gap; bars have a queue of their own and lose nothing."""
    began_s = begin(rig)
    for symbol in rig.symbols:
        rig.gateway.call("set", symbol=symbol, trade_rate=100)
    server.stop()
    time.sleep(10)
    server.start()
    rig.wait_trades(15, 5)
    rig.wait_until(lambda: rig.keys.feed_gaps("trades"), 5, "the losses in the ledger")
    for symbol in rig.symbols:
        pause_and_settle(rig, symbol)
        lost = numbers(rig.keys.feed_gaps("trades", symbol))
        stored = {trade["seq"] for trade in rig.keys.trades(symbol)}
        newest = rig.keys.traded(symbol)
        assert lost and lost & stored == set()
        assert set(range(max(lost) + 1, newest + 1)) <= stored
        rig.gateway.call("resume")
    wait_whole(rig, began_s)
    assert rig.keys.feed_gaps("bars") == []


def numbers(gaps: list[dict[str, str]]) -> set[int]:
    found: set[int] = set()
    for gap in gaps:
        assert gap["reason"] == "queue full"
        span = range(int(gap["from_seq"]), int(gap["to_seq"]) + 1)
        assert int(gap["count"]) == len(span)
        found |= set(span)
    return found


@scenario(SCENARIOS, PLAN)
def a_trades_key_of_the_wrong_type(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    key, before = "market:QQQ:trades", rig.keys.traded("QQQ")
    rig.keys.redis.rename(key, "aside")
    rig.keys.redis.set(key, "no list")
    rig.wait_until(lambda: rig.keys.feed_gaps("trades", "QQQ"), 5, "the loss in the ledger")
    rig.wait_trades(5, 5, ["SPY", "TSLA"])
    rig.keys.redis.rename("aside", key)
    rig.wait_until(lambda: rig.keys.traded("QQQ") > before, 5, "QQQ again")
    gaps: list[dict[str, Any]] = rig.keys.feed_gaps("trades")
    assert {gap["symbol"] for gap in gaps} == {"QQQ"}
    assert all(gap["reason"].startswith("redis refused: WRONGTYPE") for gap in gaps)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with side_by_side(tmp_path_factory.mktemp("redis"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_trade_and_bar_is_there_after(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
