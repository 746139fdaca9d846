"""Restarts, kills, late and corrected bars: no bar and no candle is lost, no print comes twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Final

import pytest

from tests.support.market_rig import MarketPlan, MarketRig
from tests.support.market_truth import (
    candle_is_right,
    published,
    wait_candles,
    wait_whole,
)
from tests.support.redis_server import RedisServer
from tests.support.scenarios import Scenario, scenario, side_by_side
from tests.support.worker_process import WorkerProcess

SCENARIOS: Final[dict[str, Scenario]] = {}
FAST: Final = ("--trade-rate", "20", "--sample-ms", "50", "--history-pacing", "off")
PLAN: Final = MarketPlan(gateway=FAST)
RECALL: Final = MarketPlan(gateway=FAST, ibkr={"backfill_trades": True})
STARTED_S: Final = 15.0


def begin(rig: MarketRig) -> int:
    """Everything flows; returns the start of the first bar that all symbols have."""
    rig.wait_trades(STARTED_S, 5)
    rig.wait_until(lambda: all(rig.keys.bars(s) for s in rig.symbols), 20, "first bars")
    return int(max(rig.keys.bars(symbol)[0]["t"] for symbol in rig.symbols))


def into_minute(from_s: float, to_s: float) -> int:
    """Wait for a time of the minute; returns the minute's start."""
    while not from_s <= time.time() % 60 <= to_s:
        time.sleep(0.05)
    return int(time.time()) // 60 * 60


@scenario(SCENARIOS, PLAN)
def a_restart_in_the_middle_of_a_minute(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    minute = into_minute(20, 40)
    rig.worker.terminate()
    assert rig.worker.wait(10) == 0
    partial = [c for c in rig.keys.candles("SPY") if c["t"] == minute]
    assert partial and partial[0]["complete"] is False
    assert (rig.keys.trades_heartbeat()["state"], rig.keys.connected()) == ("stopped", "0")
    assert "bid" not in rig.keys.ticker("SPY")
    open_after_stop = [r for r in rig.streams()["records"] if r["state"] == "live"]
    assert open_after_stop == []
    rig.worker.start()
    rig.wait_trades(STARTED_S, 5)
    wait_candles(rig, minute, 70)
    wait_whole(rig, began_s)
    reasons = {gap["reason"].partition(":")[0] for gap in rig.keys.feed_gaps("bars")}
    assert reasons == {"restart"}
    assert {gap["symbol"] for gap in rig.keys.feed_gaps("trades")} == set(rig.symbols)


@scenario(SCENARIOS, PLAN)
def a_kill_in_the_middle_of_a_minute(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    minute = into_minute(20, 40)
    before = {symbol: rig.keys.traded(symbol) for symbol in rig.symbols}
    rig.worker.kill()
    rig.worker.start()
    rig.wait_trades(STARTED_S, 5)
    # What stands of the minute in Redis and what history gives make its candle.
    wait_candles(rig, minute, 70)
    wait_whole(rig, began_s)
    for symbol in rig.symbols:
        seqs = [trade["seq"] for trade in rig.keys.trades(symbol)]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) and seqs[-1] > before[symbol]


@scenario(SCENARIOS, RECALL)
def an_outage_whose_trades_are_fetched_back(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.wait_streams(10, len(rig.symbols))
    rig.gateway.call("refuse_for_s", for_s=4)
    rig.gateway.call("kick")
    rig.wait_until(
        lambda: len([g for g in rig.keys.feed_gaps("trades") if "filled" in g["reason"]]) == 3,
        60, "the trades filled",
    )  # fmt: skip
    rig.gateway.call("pause")
    tapes = {s: sorted((p["price"], p["size"]) for p in rig.tape(s)) for s in rig.symbols}
    # They come behind newer prints; none is missing, none is there twice.
    rig.wait_until(
        lambda: {s: sorted(published(rig, s)) for s in rig.symbols} == tapes, 10, "the tapes"
    )
    for symbol in rig.symbols:
        trades = rig.keys.trades(symbol)
        assert sum(trade["feed"] == "history" for trade in trades) > 20
        newest = max(t["ts"] for t in trades if not t["unreported"])
        assert int(rig.keys.ticker(symbol)["last_ts"]) // 1000 == newest // 1000
    rig.gateway.call("resume")
    wait_whole(rig, began_s)


@scenario(SCENARIOS, RECALL)
def a_restart_whose_trades_are_fetched_back(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    rig.worker.terminate()
    assert rig.worker.wait(10) == 0
    time.sleep(4)
    rig.worker.start()
    rig.wait_until(
        lambda: len([g for g in rig.keys.feed_gaps("trades") if "filled" in g["reason"]]) == 3,
        60, "the trades filled",
    )  # fmt: skip
    rig.gateway.call("pause")
    tapes = {s: sorted((p["price"], p["size"]) for p in rig.tape(s)) for s in rig.symbols}
    rig.wait_until(
        lambda: {s: sorted(published(rig, s)) for s in rig.symbols} == tapes, 10, "the tapes"
    )


@scenario(SCENARIOS, PLAN)
def a_bar_that_comes_late_and_one_that_is_corrected(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    minute = into_minute(53, 54.5)
    rig.gateway.call("late_bar", symbol="SPY", delay_s=8)
    rig.wait_until(lambda: candle_of(rig, "SPY", minute), 15, "the candle without the late bar")
    assert candle_of(rig, "SPY", minute)["complete"] is True
    wait_candles(rig, minute, 15)
    changed = rig.gateway.call("correct_bar", symbol="QQQ", t=minute + 50, high=999.0)
    rig.wait_until(lambda: candle_of(rig, "QQQ", minute)["high"] == 999.0, 5, "a corrected candle")
    assert candle_is_right(rig, "QQQ", minute)
    stored = [bar for bar in rig.keys.bars("QQQ") if bar["t"] == minute + 50]
    assert [bar["high"] for bar in stored] == [changed["bar"]["high"]] == [999.0]


def candle_of(rig: MarketRig, symbol: str, minute: int) -> dict[str, Any]:
    found = [c for c in rig.keys.candles(symbol) if c["t"] == minute]
    return found[0] if found else {}


@scenario(SCENARIOS, PLAN)
def a_minute_that_ends_while_the_gateway_is_away(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    minute = into_minute(45, 55)
    rig.gateway.call("refuse_for_s", for_s=30)
    rig.gateway.call("kick")
    rig.wait_until(lambda: candle_of(rig, "SPY", minute), 20, "the candle as far as it goes")
    assert candle_of(rig, "SPY", minute)["complete"] is False
    assert rig.keys.trades_heartbeat()["connected"] is False
    wait_candles(rig, minute, 60)


@scenario(SCENARIOS, PLAN)
def a_second_instance(rig: MarketRig, server: RedisServer) -> None:
    rig.wait_trades(STARTED_S, 5)
    home = rig.home / "second"
    home.mkdir()
    second = WorkerProcess(home, rig.environment(), "ibkr_trades").start()
    assert second.wait(15) == 3
    assert f"already runs as pid {rig.worker.pid}" in second.log_text()
    rig.wait_trades(5)


@scenario(SCENARIOS, PLAN)
def what_cannot_be_filled_is_told(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    rig.gateway.call("data_entitle", code=162, kind="history")
    rig.gateway.call("refuse_for_s", for_s=6)
    rig.gateway.call("kick")
    rig.wait_until(
        lambda: len([g for g in rig.keys.feed_gaps("bars") if "not filled" in g["reason"]]) == 3,
        40, "the unfilled windows in the ledger",
    )  # fmt: skip
    gap = rig.keys.feed_gaps("bars", "SPY")[0]
    assert "permissions" in gap["reason"] and gap["count"] == ""
    minute = int(gap["from_ts"]) // 60_000 * 60
    rig.wait_until(lambda: candle_of(rig, "SPY", minute), 70, "its candle")
    assert candle_of(rig, "SPY", minute)["complete"] is False


@scenario(SCENARIOS, MarketPlan(gateway=FAST, depth=True))
def the_flag_of_both_workers(rig: MarketRig, server: RedisServer) -> None:
    assert rig.depth is not None
    flag = rig.keys.connected
    rig.wait_until(lambda: flag() == "1", STARTED_S, "both are connected")
    rig.depth.terminate()
    rig.wait_until(lambda: flag() == "0", 5, "depth was stopped")
    assert rig.depth.wait(10) == 0
    rig.depth.start()
    rig.wait_until(lambda: flag() == "1", STARTED_S, "both again")
    rig.depth.kill()
    rig.wait_until(lambda: flag() == "0", 9, "depth was killed")
    rig.depth.start()
    rig.wait_until(lambda: flag() == "1", STARTED_S, "both again")
    rig.worker.pause()
    rig.wait_until(lambda: flag() == "0", 9, "trades hang")
    rig.worker.resume()
    rig.wait_until(lambda: flag() == "1", STARTED_S, "both again")
    family = {k: json.loads(v) for k, v in rig.keys.hash("heartbeat:ibkr_ingestion").items()}
    assert {name: beat["worker"] for name, beat in family.items()} == {
        "ibkr_depth": "ibkr_depth",
        "ibkr_trades": "ibkr_trades",
    }


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with side_by_side(tmp_path_factory.mktemp("lifecycle"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_or_doubled_by(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
