"""Caps, refusals and delayed data: who goes without, what is told, and how it comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.market_rig import MarketPlan, MarketRig
from tests.support.market_truth import pause_and_settle, published, wait_whole
from tests.support.redis_server import RedisServer
from tests.support.scenarios import Scenario, scenario, side_by_side

SCENARIOS: Final[dict[str, Scenario]] = {}
SIX: Final = {name: ("ISLAND",) for name in ("MSFT", "AAPL", "NVDA", "TSLA", "AMZN", "META")}
FAST: Final = ("--trade-rate", "20", "--sample-ms", "50", "--history-pacing", "off")


def open_streams(rig: MarketRig) -> list[str]:
    """Symbols with an open tick-by-tick stream, as the simulator has them."""
    return sorted(
        record["symbol"]
        for record in rig.streams()["records"]
        if record["kind"] == "ticks" and record["state"] == "live"
    )


def open_lines(rig: MarketRig) -> list[str]:
    return sorted(
        record["symbol"]
        for record in rig.streams()["records"]
        if record["kind"] == "lines" and record["state"] == "live"
    )


def once_and_in_order(rig: MarketRig, symbol: str) -> None:
    """The symbol's prints are those of the tape, from the first one published on."""
    tape = pause_and_settle(rig, symbol)
    told = published(rig, symbol)
    assert told == [(p["price"], p["size"]) for p in tape][-len(told) :]
    seqs = [trade["seq"] for trade in rig.keys.trades(symbol)]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    rig.gateway.call("resume")


@scenario(SCENARIOS, MarketPlan(venues=SIX, pinned=("TSLA",), gateway=(*FAST, "--tick-cap", "3")))
def streams_go_to_the_most_important_symbols_as_far_as_they_reach(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 20)
    rig.wait_until(lambda: rig.keys.trades_metrics().get("stream_limit") == 3, 10, "the limit")
    assert open_streams(rig) == ["AAPL", "MSFT", "TSLA"]
    for symbol in SIX:
        once_and_in_order(rig, symbol)
    feeds = {s: rig.keys.newest_trade(s)["feed"] for s in SIX}
    assert feeds == {
        **dict.fromkeys(SIX, "rtvolume"), **dict.fromkeys(("TSLA", "MSFT", "AAPL"), "tbt")
    }  # fmt: skip
    assert rig.keys.incidents("refused")


@scenario(SCENARIOS, MarketPlan(venues=SIX, gateway=(*FAST, "--tick-cap", "2")))
def a_stream_more_is_found_by_itself_and_no_print_is_lost_or_doubled(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 20)
    rig.wait_streams(10, 2)
    rig.gateway.call("set", tick_cap=4)
    # One is tried every three seconds.
    rig.wait_streams(20, 4)
    rig.wait_until(
        lambda: [rig.keys.newest_trade(s)["feed"] for s in list(SIX)[:4]] == ["tbt"] * 4,
        15, "four streams in use",
    )  # fmt: skip
    for symbol in SIX:
        once_and_in_order(rig, symbol)


@scenario(SCENARIOS, MarketPlan(venues=SIX, gateway=FAST))
def a_stream_that_ends_is_replaced_by_the_line_without_losing_a_print(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 20)
    rig.wait_until(lambda: rig.keys.newest_trade("MSFT")["feed"] == "tbt", 15, "tick by tick")
    rig.gateway.call("data_entitle", code=10189, symbol="MSFT", kind="ticks")
    rig.wait_until(lambda: rig.keys.newest_trade("MSFT")["feed"] == "rtvolume", 10, "the line")
    rig.wait_trades(10, 20, ["MSFT"])
    once_and_in_order(rig, "MSFT")
    rig.wait_until(lambda: "META" in open_streams(rig), 10, "the stream given to the next one")


@scenario(SCENARIOS, MarketPlan(venues=SIX, gateway=(*FAST, "--line-cap", "8")))
def symbols_beyond_the_line_cap_are_dropped_least_important_first(
    rig: MarketRig, server: RedisServer
) -> None:
    four, two = list(SIX)[:4], list(SIX)[4:]
    rig.wait_trades(15, 5, four)
    rig.wait_until(lambda: rig.keys.trades_metrics().get("lines") == 4, 10, "four lines")
    assert open_lines(rig) == sorted(four)
    rig.wait_until(
        lambda: all(s in rig.keys.trades_heartbeat()["detail"] for s in two), 5, "the others named"
    )
    assert rig.keys.trades_heartbeat()["state"] == "degraded"
    assert {i["symbol"] for i in rig.keys.incidents("refused")} >= {two[-1]}
    rig.gateway.call("set", line_cap=100)
    rig.wait_trades(25, 5, two)
    rig.wait_until(lambda: rig.keys.trades_heartbeat()["state"] == "running", 10, "running")
    first = rig.keys.bars(two[0])
    rig.wait_until(lambda: rig.keys.bars(two[0]) != first, 15, "bars of a symbol that came back")


@scenario(SCENARIOS, MarketPlan(gateway=FAST, before=(
    ("data_entitle", {"code": 354, "symbol": "QQQ", "kind": "lines"}),
)))  # fmt: skip
def a_symbol_without_permission_costs_no_other_one_anything(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 5, ["SPY", "TSLA"])
    rig.wait_until(lambda: rig.keys.incidents("refused", "QQQ"), 5, "the refusal told")
    assert "QQQ" in rig.keys.trades_heartbeat()["detail"]
    assert "quote_source" not in rig.keys.ticker("QQQ")
    rig.wait_until(lambda: rig.keys.bars("SPY"), 15, "bars of another symbol")
    wait_whole(rig, rig.keys.bars("SPY")[0]["t"], ["SPY", "TSLA"])


@scenario(SCENARIOS, MarketPlan(gateway=FAST, before=(
    ("data_entitle", {"code": 10167, "symbol": "QQQ", "kind": "lines"}),
)))  # fmt: skip
def delayed_data_is_told_and_not_published(rig: MarketRig, server: RedisServer) -> None:
    rig.wait_trades(15, 5, ["SPY"])
    rig.wait_until(lambda: rig.keys.trades_metrics().get("delayed") == ["QQQ"], 10, "delayed")
    detail = "delayed data is not published: QQQ"
    rig.wait_until(lambda: rig.keys.trades_heartbeat()["detail"] == detail, 5, detail)
    until_s = time.monotonic() + 2
    while time.monotonic() < until_s:
        assert "bid" not in rig.keys.ticker("QQQ")


@scenario(SCENARIOS, MarketPlan(gateway=FAST, ibkr={"allow_delayed": True}, before=(
    ("data_entitle", {"code": 10167, "symbol": "QQQ", "kind": "lines"}),
)))  # fmt: skip
def delayed_data_is_published_with_its_flag_where_allowed(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_until(
        lambda: rig.keys.ticker("QQQ").get("quote_source") == "delayed", 15, "a delayed quote"
    )
    assert rig.keys.ticker("SPY")["quote_source"] == "tob"
    rig.gateway.call("data_entitle", code=None, symbol="QQQ", kind="lines")
    rig.gateway.call("kick")
    rig.wait_until(
        lambda: rig.keys.ticker("QQQ").get("quote_source") == "tob", 15, "a live quote again"
    )


@scenario(SCENARIOS, MarketPlan(gateway=FAST, before=(
    ("data_entitle", {"code": 420, "symbol": "QQQ", "kind": "bars"}),
)))  # fmt: skip
def bars_without_permission_are_told_and_asked_for_seldom(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 5)
    rig.wait_until(
        lambda: rig.keys.trades_heartbeat()["detail"] == "no bars for QQQ", 10, "the reason"
    )
    rig.wait_until(lambda: rig.keys.bars("SPY"), 15, "bars of another symbol")
    time.sleep(3)
    refused = rig.streams()["refused"]
    assert refused.get("420") == 1


@scenario(SCENARIOS, MarketPlan(gateway=FAST, before=(("delist", {"symbol": "QQQ"}),)))
def a_symbol_that_the_gateway_does_not_know_is_told_and_left_alone(
    rig: MarketRig, server: RedisServer
) -> None:
    rig.wait_trades(15, 20, ["SPY", "TSLA"])
    rig.wait_until(lambda: rig.keys.incidents("refused", "QQQ"), 5, "the refusal told")
    sent = rig.streams()["refused"].get("200", 0)
    rig.wait_trades(5, 20, ["SPY"])
    assert rig.streams()["refused"].get("200", 0) == sent


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with side_by_side(tmp_path_factory.mktemp("caps"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_caps_and_refusals(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
