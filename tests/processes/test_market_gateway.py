"""A gateway that drops, stalls, forgets or falls silent: data comes back, no bar is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Final

import pytest

from tests.support.market_rig import MarketPlan, MarketRig
from tests.support.market_truth import wait_whole
from tests.support.redis_server import RedisServer
from tests.support.scenarios import Scenario, scenario, side_by_side

SCENARIOS: Final[dict[str, Scenario]] = {}
FAST: Final = ("--trade-rate", "20", "--sample-ms", "50", "--history-pacing", "off")
PLAN: Final = MarketPlan(gateway=FAST)


def begin(rig: MarketRig) -> float:
    """Everything flows; from the returned moment on every bar must be there at the end."""
    rig.wait_trades(15, 5)
    rig.wait_until(lambda: all(rig.keys.bars(s) for s in rig.symbols), 20, "first bars")
    rig.wait_streams(10, len(rig.symbols))
    return float(max(rig.keys.bars(symbol)[0]["t"] for symbol in rig.symbols))


def flows_again(rig: MarketRig, since_s: float, timeout_s: float = 25) -> None:
    """Trades, quotes and bars of every symbol, received behind this moment."""
    rig.wait_trades(timeout_s, 3)
    rig.wait_until(
        lambda: all(
            int(rig.keys.ticker(s).get("quote_received_ts", 0)) > since_s * 1000
            and rig.keys.bars(s)[-1]["t"] >= since_s
            for s in rig.symbols
        ),
        timeout_s, f"quotes and bars since {since_s}",
    )  # fmt: skip


def end(rig: MarketRig, began_s: float, reason: str) -> None:
    """Data flows, all bars are there, and the ledger tells the outage of trades and bars."""
    flows_again(rig, time.time())
    wait_whole(rig, began_s)
    rig.wait_until(lambda: told(rig, "bars", reason, "filled"), 20, f"bars gaps of {reason}")
    rig.wait_until(lambda: told(rig, "trades", reason), 10, f"trades gaps of {reason}")
    assert in_order(rig)
    assert rig.keys.connected() == "1" and rig.worker.exit_code is None


def told(rig: MarketRig, feed: str, reason: str, outcome: str = "") -> bool:
    """One entry at least per symbol, with its window and reason."""
    found = {
        gap["symbol"]
        for gap in rig.keys.feed_gaps(feed)
        if gap["reason"].startswith(reason)
        and outcome in gap["reason"]
        and int(gap["from_ts"]) < int(gap["to_ts"])
    }
    return found == set(rig.symbols)


def in_order(rig: MarketRig) -> bool:
    """Numbers without a hole, and within a feed no time that goes back."""
    for symbol in rig.symbols:
        trades = rig.keys.trades(symbol)
        seqs = [trade["seq"] for trade in trades]
        times = [trade["received_ts"] for trade in trades]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs))) or times != sorted(times):
            return False
    return True


@scenario(SCENARIOS, PLAN)
def a_connection_that_is_closed(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("kick")
    end(rig, began_s, "disconnect")


@scenario(SCENARIOS, PLAN)
def a_connection_that_ends_in_the_middle_of_a_frame(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("cut_frame", then="rst")
    end(rig, began_s, "disconnect")


# The worker looks at its health four times a second: it is away for long enough to say so.
AWAY: Final = MarketPlan(gateway=FAST, ibkr={"base_delay_s": 0.6, "max_delay_s": 1.0})


@scenario(SCENARIOS, AWAY)
def a_connection_that_stays_open_and_mute(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("half_open")
    rig.wait_until(lambda: rig.keys.connected() == "0", 10, "the flag says so")
    end(rig, began_s, "disconnect")


@scenario(SCENARIOS, PLAN)
def a_gateway_that_restarts(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("restart_for_s", for_s=6)
    rig.wait_until(lambda: not rig.keys.trades_heartbeat()["connected"], 5, "disconnected")
    quotes: list[Any] = [rig.keys.ticker(symbol).get("bid") for symbol in rig.symbols]
    assert quotes == [None] * len(rig.symbols)
    end(rig, began_s, "disconnect")


@scenario(SCENARIOS, PLAN)
def connectivity_that_comes_back_without_the_data(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("connectivity", state="lost")
    rig.wait_until(lambda: rig.keys.connected() == "0", 5, "the flag says so")
    time.sleep(6)
    rig.gateway.call("connectivity", state="restored_lost")
    end(rig, began_s, "1100")


@scenario(SCENARIOS, PLAN)
def connectivity_that_comes_back_with_the_data(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    before = rig.streams()["opened"]["lines"]
    rig.gateway.call("connectivity", state="lost")
    time.sleep(6)
    rig.gateway.call("connectivity", state="restored_kept")
    end(rig, began_s, "1100")
    assert rig.streams()["opened"]["lines"] == before


@scenario(SCENARIOS, PLAN)
def connectivity_that_promises_data_and_gives_none(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("connectivity", state="lost")
    time.sleep(1)
    rig.gateway.call("connectivity", state="restored_kept", data=False)
    end(rig, began_s, "1100")
    assert rig.keys.incidents("mute")


@scenario(SCENARIOS, PLAN)
def a_market_data_farm_that_breaks(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("farm", state="broken", farm="usfarm")
    rig.wait_until(
        lambda: "usfarm" in rig.keys.trades_heartbeat()["detail"], 5, "the farm in the heartbeat"
    )
    time.sleep(6)
    rig.gateway.call("farm", state="ok", farm="usfarm", resume=False)
    end(rig, began_s, "2103")


@scenario(SCENARIOS, PLAN)
def a_history_farm_that_breaks(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("farm", state="broken", farm="ushmds")
    rig.wait_until(
        lambda: "ushmds" in rig.keys.trades_heartbeat()["detail"], 5, "the farm in the heartbeat"
    )
    time.sleep(11)
    rig.gateway.call("farm", state="ok", farm="ushmds", resume=False)
    flows_again(rig, time.time())
    wait_whole(rig, began_s)
    rig.wait_until(lambda: told(rig, "bars", "2105", "filled"), 20, "bars gaps")
    # Trades do not depend on that farm.
    assert rig.keys.feed_gaps("trades") == []


@scenario(SCENARIOS, PLAN)
def bars_that_fail_with_10182(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("data_error", code=10182, kind="bars")
    flows_again(rig, time.time())
    wait_whole(rig, began_s)
    rig.wait_until(lambda: told(rig, "bars", "error 10182", "filled"), 20, "gaps")


@scenario(SCENARIOS, PLAN)
def bars_that_end_with_a_bust(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("data_error", code=10225, kind="bars")
    flows_again(rig, time.time())
    wait_whole(rig, began_s)
    rig.wait_until(lambda: told(rig, "bars", "error 10225", "filled"), 20, "gaps")


@scenario(SCENARIOS, PLAN)
def another_session_that_takes_the_data(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("compete", on=True)
    rig.wait_until(lambda: rig.keys.incidents("refused"), 5, "an incident")
    rig.wait_until(lambda: "bid" not in rig.keys.ticker("SPY"), 5, "no quote any more")
    rig.gateway.call("compete", on=False)
    flows_again(rig, time.time(), 60)
    wait_whole(rig, began_s)
    # Thirty requests failed; each symbol's three parts are told of once.
    assert len(rig.keys.incidents("refused")) <= 3 * len(rig.symbols)


@scenario(SCENARIOS, MarketPlan(venues={"SPY": ("ARCA",)}, gateway=FAST))
def trades_that_fall_silent_while_bars_come(rig: MarketRig, server: RedisServer) -> None:
    began_s = begin(rig)
    rig.gateway.call("mute_trades", symbol="SPY")
    rig.wait_until(lambda: rig.keys.incidents("mute", "SPY"), 60, "the silence noticed")
    rig.gateway.call("mute_trades", symbol="SPY", on=False)
    flows_again(rig, time.time())
    rig.wait_until(lambda: told(rig, "trades", "mute trades"), 10, "the gap of the trades")
    wait_whole(rig, began_s)


@scenario(SCENARIOS, PLAN)
def bars_refused_for_pacing(rig: MarketRig, server: RedisServer) -> None:
    begin(rig)
    text = "Invalid Real-time Query:Historical data request pacing violation"
    opened = rig.streams()["opened"]["bars"]
    rig.gateway.call("data_error", code=420, kind="bars", text=text)
    rig.wait_until(
        lambda: "pacing" in rig.keys.trades_heartbeat()["detail"], 5, "the heartbeat says why"
    )
    rig.wait_trades(5, 20)
    assert rig.streams()["opened"]["bars"] == opened


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with side_by_side(tmp_path_factory.mktemp("gateway"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_data_comes_back_and_no_bar_is_missing_after(
    outcomes: dict[str, Future[None]], name: str
) -> None:
    assert outcomes[name].result() is None
