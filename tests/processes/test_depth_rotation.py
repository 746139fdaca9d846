"""Slots of the account: a limit that changes under the worker, and many turns in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.processes.conftest import StartDepth
from tests.support.depth_rig import DepthPlan, DepthRig, running_depth
from tests.support.redis_server import RedisServer

# Fourteen symbols; a slot is free at the gateway 100 ms after a cancel.
VENUES: Final = {
    symbol: ("ARCA",) for symbol in ("SPY", "IWM", *(f"QA{c}" for c in "ABCDEFGHIJKL"))
}
FAST: Final = {
    "rotation_s": 1.0,
    "slot_cooldown_s": 0.25,
    "error309_cooldown_s": 0.5,
    "error309_recovery_cycles": 1,
    "depth_stale_s": 10.0,
}
MARATHON_SLOTS: Final = 8
MARATHON_TURNS: Final = 200


@pytest.fixture(scope="module", autouse=True)
def marathon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepthRig]:
    """Rotates in the background while the module's other tests run."""
    home = tmp_path_factory.mktemp("marathon")
    flags = ("--cancel-lag-ms", "100", "--depth-cap", str(MARATHON_SLOTS))
    ibkr = {**FAST, "max_concurrent_depth": MARATHON_SLOTS}
    server = RedisServer(home / "redis").start()
    try:
        with running_depth(home, server.url, DepthPlan(VENUES, ibkr=ibkr, gateway=flags)) as rig:
            yield rig
    finally:
        server.stop()


def most_open_at_once(records: list[dict[str, Any]], since_s: float) -> int:
    """Most distinct symbols with an open subscription at any later moment."""
    ended = [r["ended_s"] if r["ended_s"] is not None else float("inf") for r in records]
    spans = [(r["opened_s"], end, r["symbol"]) for r, end in zip(records, ended, strict=True)]
    moments = [since_s, *(opened for opened, _, _ in spans if opened > since_s)]
    return max(len({s for a, b, s in spans if a <= moment < b}) for moment in moments)


def wait_open(rig: DepthRig, count: int, timeout_s: float) -> float:
    """Until so many subscriptions are open and no more; the gateway's time then."""
    rig.wait_until(lambda: len(rig.gateway.live_ids()) == count, timeout_s, f"{count} open")
    return float(rig.gateway.stats()["now_s"])


def turns_of(rig: DepthRig, count: int) -> None:
    seen = rig.gateway.stats()["cancelled"]
    rig.wait_until(
        lambda: rig.gateway.stats()["cancelled"] >= seen + count, 3 * count, f"{count} turns"
    )


def check_books_balance(rig: DepthRig) -> None:
    """Every granted request is open or was cancelled, once; refused ones were let alone."""
    stats = rig.gateway.stats()
    live = [record for record in stats["subscriptions"] if record["state"] == "live"]
    assert rig.gateway.mistakes() == {}
    assert stats["opened"] - stats["cancelled"] == len(live)


def test_a_limit_that_shrinks_and_grows_is_followed(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan(VENUES, ibkr=FAST, gateway=("--cancel-lag-ms", "100")))
    wait_open(rig, 3, 10)
    for cap in (2, 1):
        rig.gateway.call("set", depth_cap=cap)
        since_s = wait_open(rig, cap, 10)
        turns_of(rig, 3)
        assert most_open_at_once(rig.gateway.records(), since_s) == cap
        check_books_balance(rig)
    refused = rig.gateway.stats()["over_cap_309"]
    assert refused == len(rig.keys.rotation("refused")) == len(rig.keys.incidents("309")) > 0
    rig.gateway.call("set", depth_cap=3)
    refused = rig.gateway.stats()["over_cap_309"]
    # From one slot: twice a cool-down of 0.5 s and a stable cycle of 1.25 s.
    rig.wait_until(lambda: rig.keys.metrics()["slots"] == 3, 8, "slots back at 3")
    wait_open(rig, 3, 5)
    turns_of(rig, 6)
    check_books_balance(rig)
    assert rig.gateway.stats()["over_cap_309"] == refused
    assert rig.gateway.stats()["distinct_contracts_max"] == 3


def test_slots_held_by_others_are_left_to_them(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan(VENUES, ibkr=FAST, gateway=("--cancel-lag-ms", "100")))
    wait_open(rig, 3, 10)
    rig.gateway.call("hold_slots", slots=2)
    # The text says 3 all the same: only the refusals tell.
    wait_open(rig, 1, 10)
    turns_of(rig, 2)
    check_books_balance(rig)
    rig.gateway.call("hold_slots", slots=0)
    wait_open(rig, 3, 10)


def test_two_hundred_turns_leave_no_phantom_slot(marathon: DepthRig) -> None:
    marathon.wait_until(
        lambda: marathon.gateway.stats()["cancelled"] >= MARATHON_TURNS, 100, "200 turns"
    )
    wait_open(marathon, MARATHON_SLOTS, 5)
    stats = marathon.gateway.stats()
    assert (stats["over_cap_309"], stats["phantom_309"]) == (0, 0)
    assert marathon.keys.metrics()["slots"] == MARATHON_SLOTS
    assert stats["distinct_contracts_max"] == MARATHON_SLOTS
    check_books_balance(marathon)
    # Every symbol had its turns: nobody starves.
    turns = [len(marathon.gateway.records(symbol)) for symbol in VENUES]
    assert max(turns) - min(turns) <= 1
