"""What the watchdog says of gateway data: nothing while all is well, else what, why and when."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.stale_reader import now_ms
from tests.support.watch_plan import FIVE, GATEWAY, VENDOR, WatchPlan, names_of
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side

SCENARIOS: Final[Table] = {}
MUTE: Final = "mute: connected, and nothing comes"
OTHERS: Final = tuple(symbol for symbol in FIVE if symbol != "SPY")
WATCHING: Final = WatchPlan(policy={"actions_per_hour": 0})


@watch_scenario(SCENARIOS, WatchPlan((*GATEWAY, *VENDOR), venues={"SPY": ("ARCA",),
                                     "QQQ": ("ISLAND",), "TSLA": ("ISLAND",)}))  # fmt: skip
def a_quiet_run(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.observe(60)
    assert rig.reader.listed(since_ms) == set()
    checked = [one for one in rig.reader.checked if one >= since_ms]
    gaps = [later - one for one, later in zip(checked, checked[1:], strict=False)]
    print(f"{len(checked)} looks in 60 s, longest gap {max(gaps)} ms")
    assert len(checked) >= 90 and max(gaps) < 2_500
    # `ttls.monitoring`, renewed at every look.
    assert rig.reader.ttls <= {117, 118, 119, 120}
    assert rig.incidents(since_ms, "stale", "fresh", "action", "mute") == []
    session = rig.keys.hash("market:session")
    assert session["state"] == "regular"
    assert int(session["opens_ts"]) <= now_ms() < int(session["closes_ts"])
    figures = rig.figures()
    assert (figures["stale"], figures["actions"]) == ({}, 0)
    print(f"longest look {figures['longest_tick_ms']} ms, cpu {figures['cpu_s']} s")


@watch_scenario(SCENARIOS)
def one_symbol_stands_still(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("freeze", symbol="SPY")
    rig.wait_listed(["depth:SPY", "trades:SPY"], since_ms, 25)
    took = {name: rig.found_in_time(name, since_ms) for name in ("depth:SPY", "trades:SPY")}
    print(f"found after {took} s")
    rig.wait_until(lambda: len(rig.incidents(since_ms, "control")) >= 2, 10, "both obeyed")
    thawed_ms = now_ms()
    rig.gateway.call("thaw", symbol="SPY")
    fresh_ms = rig.wait_fresh(20)
    # Quotes hold while their line is healthy; a bar is owed for the last trades.
    assert rig.reader.listed(since_ms) <= {"depth:SPY", "trades:SPY", "bars:SPY"}
    assert {row["reason"] for _, _, row in rig.reader.rows(since_ms)} == {MUTE}
    rig.observe(6)
    assert rig.reader.listed(fresh_ms) == set()
    print(f"all fresh {(fresh_ms - thawed_ms) / 1000 - 2:.1f} s after the thaw")
    asked_for(rig, since_ms)
    for name, kinds in rig.told_in_order(since_ms).items():
        assert kinds[::2] == ["stale"] * len(kinds[::2]), (name, kinds)
        assert kinds[1::2] == ["fresh"] * len(kinds[::2]), (name, kinds)


def asked_for(rig: WatchRig, since_ms: int) -> None:
    """Both workers were asked for the symbol, and both did it."""
    for worker in GATEWAY:
        ordered = [one for one in rig.actions(since_ms) if one.startswith(worker)]
        assert ordered and all(f"{worker} asked to resubscribe SPY: " in one for one in ordered)
        done = [f for f in rig.incidents(since_ms, "control") if f["worker"] == worker]
        assert {(f["symbol"], f["text"]) for f in done} == {
            ("SPY", "resubscribe SPY, asked by watchdog: done")
        }
        assert len(done) == len(ordered)


@watch_scenario(SCENARIOS, WATCHING)
def depth_of_one_venue_is_mute(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    for symbol in ("QQQ", "TSLA"):
        rig.gateway.call("set", symbol=symbol, rate=0)
    alone(rig, names_of("depth", ("QQQ", "TSLA")), since_ms, 20)
    for symbol in ("QQQ", "TSLA"):
        rig.gateway.call("set", symbol=symbol, rate=10)
    began_again(rig)


@watch_scenario(SCENARIOS, WATCHING)
def bars_of_all_symbols_are_mute(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("farm", state="broken", farm="ushmds", notify=False)
    alone(rig, names_of("bars", rig.symbols), since_ms, 30)
    rig.gateway.call("farm", state="ok", farm="ushmds", notify=False)
    began_again(rig)


@watch_scenario(SCENARIOS, WATCHING)
def prints_of_one_symbol_are_mute(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("mute_trades", symbol="SPY", on=True)
    alone(rig, {"trades:SPY"}, since_ms, 20)
    # Bars go on and prove the prints: it stays stale, without an interruption.
    steady_ms = now_ms()
    rig.observe(15)
    looks = [rows for at_ms, rows in rig.reader.looks if at_ms >= steady_ms]
    assert looks and all(rows.keys() == {"trades:SPY"} for rows in looks)
    rig.gateway.call("mute_trades", symbol="SPY", on=False)
    began_again(rig)


def alone(rig: WatchRig, names: set[str], since_ms: int, timeout_s: float) -> None:
    """These become stale in time, for no known reason, and nothing else does."""
    rig.wait_stale(names, timeout_s)
    took = {name: round(rig.found_in_time(name, since_ms), 1) for name in sorted(names)}
    print(f"found after {took} s")
    rig.observe(3)
    assert rig.reader.listed(since_ms) == names
    assert {row["reason"] for _, _, row in rig.reader.rows(since_ms)} == {MUTE}
    # Watching only.
    assert rig.actions(since_ms) == []


def began_again(rig: WatchRig, timeout_s: float = 20) -> None:
    fresh_ms = rig.wait_fresh(timeout_s)
    rig.observe(3)
    assert rig.reader.listed(fresh_ms) == set()


@watch_scenario(SCENARIOS)
def a_data_farm_is_broken(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("farm", state="broken", farm="usfarm")
    rig.wait_stale(names_of("depth", rig.symbols) | names_of("trades", rig.symbols), 30)
    rig.observe(3)
    for _, name, row in rig.reader.rows(since_ms):
        worker = "ibkr_depth" if name.startswith("depth") else "ibkr_trades"
        said = f"{worker}: market data farm broken: usfarm"
        assert row["reason"] in (said, f"after: {said}"), (name, row)
    assert not {n for n in rig.reader.listed(since_ms) if n.startswith("heartbeat")}
    rig.gateway.call("farm", state="ok", farm="usfarm")
    began_again(rig)
    assert rig.actions(since_ms) == []


@watch_scenario(SCENARIOS)
def the_gateway_is_gone(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.gateway.call("refuse_for_s", for_s=20)
    rig.gateway.call("kick")
    rig.wait_stale(names_of("depth", rig.symbols) | names_of("trades", rig.symbols), 18)
    listed = rig.reader.listed(since_ms)
    for _, name, row in rig.reader.rows(since_ms):
        worker = "ibkr_depth" if name.startswith("depth") else "ibkr_trades"
        said = f"{worker} is not connected: not connected to the gateway"
        assert row["reason"] in (said, f"after: {said}"), (name, row)
    assert not {name for name in listed if name.startswith("heartbeat")}
    began_again(rig, 40)
    assert rig.actions(since_ms) == []
    # Silence of the outage has taught nothing about the symbols.
    again_ms = now_ms()
    rig.gateway.call("set", symbol="TSLA", rate=0)
    rig.wait_listed(["depth:TSLA"], again_ms, 12)
    rig.found_in_time("depth:TSLA", again_ms)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("watched")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_watchdog_over(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
