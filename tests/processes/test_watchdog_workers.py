"""What the watchdog says of workers that hang, were stopped, or never came."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.stale_reader import now_ms
from tests.support.watch_plan import FIVE, GATEWAY, NO_NEWS, VENDOR, WatchPlan, names_of
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side

SCENARIOS: Final[Table] = {}
OWNED: Final = {
    "ibkr_depth": names_of("depth", FIVE),
    "ibkr_trades": names_of("quotes", FIVE) | names_of("trades", FIVE) | names_of("bars", FIVE),
    "av_options": names_of("options", FIVE),
    "av_sentiment": names_of("technicals", FIVE)
    | names_of("sentiment", (one for one in FIVE if one != NO_NEWS)),
}
# What is late within the eight seconds for which a worker hangs.
SOON_LATE: Final = {
    "ibkr_depth": OWNED["ibkr_depth"],
    "ibkr_trades": names_of("trades", FIVE),
    "av_options": OWNED["av_options"],
    "av_sentiment": set[str](),
}


def hang(rig: WatchRig, worker: str) -> None:
    """Stopped for eight seconds: listed with what it owns, and nothing else; then all is well."""
    since_ms = now_ms()
    beat = f"heartbeat:{worker}"
    rig.workers[worker].pause()
    try:
        rig.observe(8)
    finally:
        rig.workers[worker].resume()
    late = rig.reader.listed(since_ms)
    print(f"{beat} after {rig.found_in_time(beat, since_ms):.1f} s")
    assert {beat, *SOON_LATE[worker]} <= late <= {beat, *OWNED[worker]}
    for name in SOON_LATE[worker]:
        rig.found_in_time(name, since_ms)
    for _, name, row in rig.reader.rows(since_ms):
        said = f"{worker} has had no heartbeat for " if name != beat else "no heartbeat"
        assert row["reason"].removeprefix("after: ").startswith(said), (name, row)
    fresh_ms = rig.wait_fresh(20)
    rig.observe(3)
    assert rig.reader.listed(fresh_ms) == set()
    assert rig.actions(since_ms) == []
    told = rig.incidents(since_ms, "stale", "fresh")
    beats = [one["kind"] for one in told if one["symbol"] == worker]
    assert beats == ["stale", "fresh"]


@watch_scenario(SCENARIOS)
def workers_of_the_gateway_that_hang(rig: WatchRig, server: RedisServer) -> None:
    rig.begin()
    for worker in GATEWAY:
        hang(rig, worker)


@watch_scenario(SCENARIOS, WatchPlan(VENDOR))
def workers_of_the_vendor_that_hang(rig: WatchRig, server: RedisServer) -> None:
    rig.begin()
    for worker in VENDOR:
        hang(rig, worker)


@watch_scenario(SCENARIOS, WatchPlan(("ibkr_depth", "ibkr_trades", "av_options"),
                                     (*GATEWAY, *VENDOR)))  # fmt: skip
def one_that_never_ran_and_those_that_were_stopped(rig: WatchRig, server: RedisServer) -> None:
    rig.wait_until(rig.has_data, 60, "all data")
    never = "heartbeat:av_sentiment"
    rig.wait_stale([never], 15)
    rig.wait_until(lambda: rig.reader.now().keys() == {never}, 30, "nothing else is stale")
    since_ms = now_ms()
    rig.observe(12)
    assert rig.reader.listed(since_ms) == {never}
    assert rig.reader.now()[never]["reason"] == "no heartbeat"
    for worker in ("av_options", "ibkr_trades"):
        rig.workers[worker].terminate()
        assert rig.workers[worker].wait(10) == 0
    # Longer than any budget of theirs.
    rig.observe(17)
    assert rig.reader.listed(since_ms) == {never}
    rig.workers["av_options"].start()
    rig.wait_until(lambda: rig.beat("av_options").get("state") == "running", 20, "it runs again")
    rig.observe(6)
    assert rig.reader.listed(since_ms) == {never}
    assert rig.actions(since_ms) == []


@watch_scenario(SCENARIOS)
def one_that_was_killed_and_one_that_follows_it(rig: WatchRig, server: RedisServer) -> None:
    since_ms = rig.begin()
    rig.workers["ibkr_depth"].kill()
    rig.wait_stale({"heartbeat:ibkr_depth", *OWNED["ibkr_depth"]}, 10)
    rig.workers["ibkr_depth"].start()
    rig.wait_fresh(30)
    listed = rig.reader.listed(since_ms)
    assert listed == {"heartbeat:ibkr_depth", *OWNED["ibkr_depth"]}
    assert rig.actions(since_ms) == []


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("workers")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_watchdog_over(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
