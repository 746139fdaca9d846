"""A gateway that goes away, lies or goes mute: the worker stays, data and gap entries come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.depth_keys import Gap, now_ms
from tests.support.depth_rig import THREE, DepthPlan, DepthRig, running_depth

# Rows per second of each symbol: half a second without one is an interruption.
RATE: Final = 50
SILENCE_MS: Final = 500

Step = tuple[str, dict[str, Any]]
LOST: Final[Step] = ("connectivity", {"state": "lost"})
BROKEN: Final[Step] = ("farm", {"state": "broken"})


@pytest.fixture(scope="module")
def shared_rig(
    module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DepthRig]:
    """Three symbols on three slots, so that nothing is ever rotated."""
    # Shipped staleness: what must be noticed sooner is noticed by other means. The worker looks at
    # its health four times a second, so half a second of being disconnected is published.
    waits = {"depth_stale_s": 10.0, "base_delay_s": 0.6, "max_delay_s": 1.0}
    plan = DepthPlan(ibkr=waits, gateway=("--rate", str(RATE)))
    with running_depth(tmp_path_factory.mktemp("gateway"), module_redis_url, plan) as started:
        started.wait_fresh(15)
        yield started


@pytest.fixture
def rig(shared_rig: DepthRig) -> Iterator[DepthRig]:
    """After every interruption the same process runs and has broken no rule of the gateway."""
    pid = shared_rig.worker.pid
    shared_rig.wait_fresh(10)
    yield shared_rig
    assert (shared_rig.worker.pid, shared_rig.worker.exit_code) == (pid, None)
    assert shared_rig.gateway.mistakes() == {}


def perform(rig: DepthRig, *steps: Step) -> None:
    for command, fields in steps:
        rig.gateway.call(command, **fields)


def wait_disconnected(rig: DepthRig) -> None:
    rig.wait_until(lambda: rig.keys.connected() == "0", 5, "ibkr:connected at 0")


def recovered_gaps(rig: DepthRig, seen: int, timeout_s: float) -> list[Gap]:
    """Wait for fresh rows everywhere; the gap entries behind the first `seen` ones."""
    rig.wait_fresh(timeout_s)
    rig.wait_until(
        lambda: {gap.symbol for gap in rig.keys.gaps()[seen:]} == set(THREE), 3, "gap entries"
    )
    rig.wait_until(lambda: rig.keys.connected() == "1", 3, "ibkr:connected back at 1")
    return rig.keys.gaps()[seen:]


def silences(rig: DepthRig, symbol: str, since_ms: int) -> list[tuple[int, int]]:
    """(last row before, first row after) of each time in which no row of the symbol came."""
    times = [entry.ts for entry in rig.keys.entries(symbol) if entry.ts >= since_ms - SILENCE_MS]
    pairs = zip(times, times[1:], strict=False)
    return [(last, first) for last, first in pairs if first - last > SILENCE_MS]


def uncovered(rig: DepthRig, gaps: list[Gap], since_ms: int) -> list[tuple[str, int, int]]:
    """Silences that no gap entry of their pair covers."""
    return [
        (symbol, last, first)
        for symbol in rig.symbols
        for last, first in silences(rig, symbol, since_ms)
        if not any(g.symbol == symbol and g.from_ts <= last and g.to_ts >= first for g in gaps)
    ]


def rows_inside(rig: DepthRig, gaps: list[Gap]) -> list[tuple[Gap, int]]:
    """Rows that came in the middle of what is said to be a gap."""
    return [
        (gap, entry.ts)
        for gap in gaps
        for entry in rig.keys.entries(gap.symbol)
        if gap.from_ts < entry.ts < gap.to_ts
    ]


def check_interruption(rig: DepthRig, *steps: Step, within_s: float) -> list[Gap]:
    """Perform the steps; fresh rows and an exact gap entry for each pair must follow."""
    seen, began_ms = len(rig.keys.gaps()), now_ms()
    perform(rig, *steps)
    gaps = recovered_gaps(rig, seen, within_s)
    assert uncovered(rig, gaps, began_ms) == []
    assert rows_inside(rig, gaps) == []
    return gaps


def check_long_interruption(rig: DepthRig, begin: Step, *end: Step, within_s: float) -> list[Gap]:
    """As `check_interruption`, and `ibkr:connected` is 0 in between."""
    seen, began_ms = len(rig.keys.gaps()), now_ms()
    perform(rig, begin)
    wait_disconnected(rig)
    perform(rig, *end)
    gaps = recovered_gaps(rig, seen, within_s)
    assert uncovered(rig, gaps, began_ms) == []
    assert rows_inside(rig, gaps) == []
    return gaps


def test_after_1101_every_subscription_is_asked_for_again(rig: DepthRig) -> None:
    opened = rig.gateway.stats()["opened"]
    back: Step = ("connectivity", {"state": "restored_lost"})
    gaps = check_long_interruption(rig, LOST, back, within_s=3)
    assert {gap.reason[:5] for gap in gaps} == {"1100:"}
    assert rig.gateway.stats()["opened"] == opened + len(THREE)


def test_after_1102_with_data_the_subscriptions_are_kept(rig: DepthRig) -> None:
    before = rig.gateway.live_ids()
    back: Step = ("connectivity", {"state": "restored_kept", "data": True})
    check_long_interruption(rig, LOST, back, within_s=3)
    assert rig.gateway.live_ids() == before


def test_after_1102_without_data_the_mute_subscriptions_are_renewed(rig: DepthRig) -> None:
    before = rig.gateway.live_ids()
    back: Step = ("connectivity", {"state": "restored_kept", "data": False})
    check_long_interruption(rig, LOST, back, within_s=8)
    assert not set(before.items()) & set(rig.gateway.live_ids().items())


def test_a_farm_that_comes_back_with_silent_data_is_resubscribed(rig: DepthRig) -> None:
    before = rig.gateway.live_ids()
    back: Step = ("farm", {"state": "ok", "resume": False})
    check_interruption(rig, BROKEN, back, within_s=4)
    assert not set(before.items()) & set(rig.gateway.live_ids().items())


def test_a_farm_that_comes_back_with_data_costs_one_gap_at_most_per_pair(rig: DepthRig) -> None:
    seen = len(rig.keys.gaps())
    perform(rig, BROKEN, ("farm", {"state": "ok", "resume": True}))
    rig.wait_fresh(4)
    symbols = [gap.symbol for gap in rig.keys.gaps()[seen:]]
    assert len(symbols) == len(set(symbols))


def test_a_half_open_gateway_is_found_out_and_left(rig: DepthRig) -> None:
    check_long_interruption(rig, ("half_open", {}), within_s=8)


def test_a_client_id_that_a_dead_connection_still_holds_is_passed_over(rig: DepthRig) -> None:
    check_long_interruption(rig, ("half_open", {"release": False}), within_s=8)
    assert [client["client_id"] for client in rig.gateway.call("clients")["clients"]][-1] == 778


@pytest.mark.parametrize("then", ["close", "rst", "silence"])
def test_a_frame_cut_in_the_middle_ends_in_a_new_connection(rig: DepthRig, then: str) -> None:
    check_interruption(rig, ("cut_frame", {"then": then}), within_s=8)


@pytest.mark.parametrize("command", ["rst", "kick", "port_reset"])
def test_a_dropped_connection_is_opened_again(rig: DepthRig, command: str) -> None:
    check_interruption(rig, (command, {}), within_s=5)


def test_a_gateway_restart_is_waited_out(rig: DepthRig) -> None:
    restart = ("restart_for_s", {"for_s": 2.0, "silent_connects": 1})
    gaps = check_long_interruption(rig, restart, within_s=12)
    assert min(gap.to_ts - gap.from_ts for gap in gaps) >= 2000


def test_one_byte_writes_change_nothing(rig: DepthRig) -> None:
    seen, before = len(rig.keys.gaps()), rig.gateway.live_ids()
    perform(rig, ("chunk", {"bytes": 1}))
    rig.wait_fresh(5)
    perform(rig, ("chunk", {"bytes": 0}))
    rig.wait_fresh(5)
    assert rig.gateway.live_ids() == before
    assert rig.keys.gaps()[seen:] == []
