"""How often the watchdog asks workers for what is mute, and what it asks them to do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.watch_plan import WatchPlan, names_of
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side

SCENARIOS: Final[Table] = {}
COOLDOWN_MS: Final = 3_000
FEW: Final = WatchPlan(policy={"actions_per_hour": 3})


@watch_scenario(SCENARIOS, FEW)
def orders_rest_and_end_at_the_limit(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    # Its prints stay away whatever is asked for.
    rig.gateway.call("mute_trades", symbol="SPY", on=True)
    rig.wait_until(lambda: len(rig.actions(since_ms)) == 3, 40, "three orders")
    rig.observe(10)
    assert rig.actions(since_ms) == ["ibkr_trades asked to resubscribe SPY: trades mute"] * 3
    ordered = rig.incidents(since_ms, "action")
    times = [int(one["ts"]) for one in ordered]
    # An order follows a look, and looks are half a second apart.
    assert all(b - a >= COOLDOWN_MS - 100 for a, b in zip(times, times[1:], strict=False)), times
    assert {(one["worker"], one["symbol"]) for one in ordered} == {("watchdog", "SPY")}
    done = [one["text"] for one in rig.incidents(since_ms, "control")]
    assert done == ["resubscribe SPY, asked by watchdog: done"] * 3
    assert rig.figures()["actions"] == 3
    assert rig.keys.redis.exists("coord:control:ibkr_trades") == 0


@watch_scenario(SCENARIOS)
def half_of_a_surface_is_the_feed(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    for symbol in ("SPY", "IWM", "MSFT"):
        rig.gateway.call("mute_trades", symbol=symbol, on=True)
    rig.wait_until(
        lambda: any("reconnect" in one for one in rig.actions(since_ms)), 30, "a reconnect"
    )
    rig.wait_until(lambda: len(rig.incidents(since_ms, "connected")) >= 1, 10, "a second login")
    for symbol in ("SPY", "IWM", "MSFT"):
        rig.gateway.call("mute_trades", symbol=symbol, on=False)
    rig.wait_fresh(30)
    reconnects = [one for one in rig.actions(since_ms) if "reconnect" in one]
    assert reconnects[0] == "ibkr_trades asked to reconnect: trades of 3 symbols mute"
    done = [one["text"] for one in rig.incidents(since_ms, "control")]
    assert "reconnect, asked by watchdog: done" in done
    connected = rig.incidents(since_ms, "connected")
    assert {one["worker"] for one in connected} == {"ibkr_trades"}
    assert len(connected) == len(reconnects)


@watch_scenario(SCENARIOS, WatchPlan(policy={"actions_per_hour": 0}))
def without_leave_nobody_is_asked(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("freeze", symbol="SPY")
    for symbol in ("IWM", "MSFT", "QQQ"):
        rig.gateway.call("mute_trades", symbol=symbol, on=True)
    mute = names_of("trades", ("SPY", "IWM", "MSFT", "QQQ"))
    rig.wait_stale({"depth:SPY", *mute}, 30)
    rig.observe(8)
    assert rig.actions(since_ms) == []
    assert rig.incidents(since_ms, "control", "disconnected") == []


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("actions")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_watchdog_when(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
