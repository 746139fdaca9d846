"""Commands to the IBKR workers: obeyed on the wire, acknowledged, and refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import DepthKeys, now_ms
from tests.support.depth_rig import DepthPlan, DepthRig
from tests.support.market_rig import MarketPlan, MarketRig, running_market

DEPTH = "ibkr_depth"
TRADES = "ibkr_trades"
FOUR = {"SPY": ("ARCA",), "QQQ": ("ISLAND",), "TSLA": ("ISLAND",), "NVDA": ("ISLAND",)}


def tell(keys: DepthKeys, worker: str, **fields: Any) -> None:
    keys.redis.rpush(f"coord:control:{worker}", json.dumps({"by": "test", **fields}))


def answer(rig: DepthRig | MarketRig, worker: str, **fields: Any) -> str:
    """What the worker says to a command."""
    before = len(rig.keys.incidents("control"))
    tell(rig.keys, worker, **fields)
    rig.wait_until(lambda: len(rig.keys.incidents("control")) > before, 3, f"answer to {fields}")
    told = rig.keys.incidents("control")[-1]
    assert told["worker"] == worker
    return told["text"]


def ids_of(rig: DepthRig, symbol: str) -> list[int]:
    return [record["req_id"] for record in rig.gateway.records(symbol)]


def test_depth_of_a_symbol_is_asked_for_again_and_the_others_go_on(
    start_depth: StartDepth,
) -> None:
    rig = start_depth(DepthPlan(ibkr={"rotation_s": 60.0}))
    rig.wait_fresh(15)
    before = {symbol: ids_of(rig, symbol) for symbol in rig.symbols}
    told = answer(rig, DEPTH, command="resubscribe", symbol="SPY")
    assert told == "resubscribe SPY, asked by test: done"
    rig.wait_until(lambda: len(ids_of(rig, "SPY")) == 2, 5, "asked for again")
    rig.wait_fresh(5)
    (gap,) = rig.wait_until(lambda: rig.keys.gaps("SPY"), 3, "gap")
    assert gap.reason == "asked for by command"
    assert {s: ids_of(rig, s) for s in ("QQQ", "TSLA")} == {s: before[s] for s in ("QQQ", "TSLA")}
    refused = answer(rig, DEPTH, command="resubscribe", symbol="XYZ")
    assert refused == (
        "resubscribe XYZ, asked by test: refused: symbol was XYZ, must be one of SPY, QQQ, TSLA"
    )
    told = answer(rig, DEPTH, command="format")
    assert "must be one of resubscribe, reconnect, clear_fallback" in told
    assert rig.gateway.mistakes() == {}


def test_a_parked_symbol_is_told_that_its_turn_comes(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan(FOUR, ibkr={"rotation_s": 60.0}))
    rig.wait_fresh(15, ("SPY", "QQQ", "TSLA"))
    told = answer(rig, DEPTH, command="resubscribe", symbol="NVDA")
    assert told == "resubscribe NVDA, asked by test: refused: parked, its turn comes"
    assert ids_of(rig, "NVDA") == []


def test_the_depth_worker_connects_afresh(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan())
    rig.wait_fresh(15)
    pid = rig.worker.pid
    assert answer(rig, DEPTH, command="reconnect") == "reconnect, asked by test: done"
    rig.wait_until(lambda: len(rig.keys.incidents("connected")) == 2, 10, "a second login")
    assert rig.keys.incidents("disconnected")[0]["text"] == "reconnect asked for by command"
    rig.wait_fresh(10)
    assert (rig.worker.pid, rig.worker.exit_code) == (pid, None)
    assert rig.gateway.mistakes() == {}


def test_a_refused_pair_is_tried_again_at_once_when_fallback_is_cleared(
    start_depth: StartDepth,
) -> None:
    rig = start_depth(
        DepthPlan(
            ibkr={"fallback_retry_s": 600.0},
            before=(("entitle", {"symbol": "TSLA", "code": 354}),),
        )
    )
    rig.wait_until(rig.keys.fallback, 15, "a fallback entry")
    told = answer(rig, DEPTH, command="resubscribe", symbol="TSLA")
    assert "refused: in fallback for" in told and "clear_fallback ends that" in told
    told = answer(rig, DEPTH, command="clear_fallback", symbol="SPY")
    assert told == "clear_fallback SPY, asked by test: refused: nothing is in fallback"
    rig.gateway.call("entitle", symbol="TSLA", code=None)
    assert answer(rig, DEPTH, command="clear_fallback").endswith(": done")
    since_ms = now_ms()
    rig.wait_until(lambda: rig.keys.received_ms("TSLA") > since_ms, 5, "depth of TSLA")
    assert rig.keys.fallback() == {}


def test_the_trades_worker_renews_a_symbol_and_connects_afresh(
    tmp_path: Path, redis_url: str
) -> None:
    with running_market(tmp_path, redis_url, MarketPlan()) as rig:
        rig.wait_trades(15)
        rig.wait_streams(10, len(rig.symbols))
        rig.wait_until(lambda: rig.streams()["open"].get("bars", 0) == 3, 10, "bars")
        before = requested(rig)
        told = answer(rig, TRADES, command="resubscribe", symbol="SPY")
        assert told == "resubscribe SPY, asked by test: done"
        rig.wait_until(lambda: requested(rig)["SPY"] == before["SPY"] + 3, 10, "all three again")
        rig.wait_trades(10)
        after = requested(rig)
        assert {s: after[s] for s in ("QQQ", "TSLA")} == {s: before[s] for s in ("QQQ", "TSLA")}
        told = answer(rig, TRADES, command="clear_fallback")
        assert told.endswith("must be one of resubscribe, reconnect")
        assert answer(rig, TRADES, command="reconnect").endswith(": done")
        rig.wait_until(lambda: len(rig.keys.incidents("connected")) == 2, 10, "a second login")
        rig.wait_trades(15)
        assert rig.gateway.mistakes() == {}


def requested(rig: MarketRig) -> dict[str, int]:
    """How many lines, streams and bars were granted, by symbol."""
    records = rig.streams()["records"]
    return {s: len([r for r in records if r["symbol"] == s]) for s in rig.symbols}
