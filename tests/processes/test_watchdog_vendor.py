"""What the watchdog says of the vendor's data: whose fault it is, and that orders do not help."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.watch_plan import FIVE, NO_NEWS, VENDOR, WatchPlan, names_of
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side

SCENARIOS: Final[Table] = {}
PLAN: Final = WatchPlan(VENDOR)
NEWS: Final = tuple(symbol for symbol in FIVE if symbol != NO_NEWS)


def explained(rig: WatchRig, since_ms: int, *starts: str) -> None:
    """Every reason begins in one of these ways, and nobody was asked for anything."""
    reasons = {(name, row["reason"]) for _, name, row in rig.reader.rows(since_ms)}
    print(sorted(reasons))
    assert reasons and [one for one in reasons if not one[1].startswith(starts)] == []
    assert rig.actions(since_ms) == []


@watch_scenario(SCENARIOS, PLAN)
def one_symbol_has_an_outage(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.vendor.fault("outage", symbol="TSLA")
    own = {"options:TSLA", "sentiment:TSLA", "technicals:TSLA"}
    rig.wait_stale(own, 30)
    for name in own:
        took_s = rig.found_in_time(name, since_ms)
        print(f"{name} after {took_s:.1f} s")
    assert rig.reader.listed(since_ms) == own
    explained(rig, since_ms, "error: ", "suspended: ", "after: ")
    rig.vendor.clear()
    fresh_ms = rig.wait_fresh(40)
    rig.observe(3)
    assert rig.reader.listed(fresh_ms) == set()
    assert {name: kinds[:2] for name, kinds in rig.told_in_order(since_ms).items()} == {
        name: ["stale", "fresh"] for name in own
    }


@watch_scenario(SCENARIOS, PLAN)
def nothing_answers(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.vendor.fault("hang")
    everything = names_of("options", FIVE) | names_of("technicals", FIVE)
    everything |= names_of("sentiment", NEWS)
    rig.wait_stale(everything, 40)
    assert rig.reader.listed(since_ms) == everything
    explained(
        rig, since_ms, "error: ", "suspended: ", "av_options is not connected: ",
        "av_sentiment is not connected: ", "av_options: ", "av_sentiment: ", "after: ",
    )  # fmt: skip
    rig.vendor.clear()
    rig.wait_fresh(60)
    assert rig.actions(since_ms) == []


@watch_scenario(SCENARIOS, PLAN)
def chains_without_rows_are_no_silence(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.vendor.fault("empty_chain", symbol="QQQ")
    rig.wait_until(
        lambda: rig.keys.hash("monitoring:options:QQQ").get("status") == "empty", 10, "empty"
    )
    rig.observe(12)
    assert rig.reader.listed(since_ms) == set()


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("vendor")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_watchdog_over(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
