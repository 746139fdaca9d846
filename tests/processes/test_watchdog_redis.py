"""Redis restarts, pauses and forgets, and the watchdog itself is stopped: no false alarm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.stale_reader import now_ms
from tests.support.watch_plan import GATEWAY, TICK_S, VENDOR, WatchPlan
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side

SCENARIOS: Final[Table] = {}
EVERYONE: Final = (*GATEWAY, *VENDOR)
THREE: Final = {"SPY": ("ARCA",), "QQQ": ("ISLAND",), "TSLA": ("ISLAND",)}
# As shipped: a worker may sit out a time-out of Redis before it beats again.
KEEPING: Final = WatchPlan(EVERYONE, venues=THREE, late_s=6.0)
FORGETTING: Final = WatchPlan(EVERYONE, venues=THREE, late_s=6.0, durable=False)


def no_false_alarm(rig: WatchRig, since_ms: int, before: int) -> None:
    """Looks go on in the same process, and what was wrongly listed was gone with the next."""
    rig.wait_until(
        lambda: len([one for one in rig.reader.checked if one > now_ms() - 3_000]) >= 3,
        20, "it looks again",
    )  # fmt: skip
    # Longer than any budget.
    rig.observe(17)
    assert (rig.watchdog.pid, rig.watchdog.exit_code) == (before, None)
    wrong: dict[str, list[int]] = {}
    for at_ms, name, _ in rig.reader.rows(since_ms):
        wrong.setdefault(name, []).append(at_ms)
    assert {n: ms for n, ms in wrong.items() if ms[-1] - ms[0] > TICK_S * 1000 + 200} == {}
    print(f"{len(wrong)} listed for a tick: {sorted(wrong)}")
    assert rig.actions(since_ms) == []


def shaken(rig: WatchRig, disturb: Callable[[], None]) -> None:
    since_ms, before = now_ms(), rig.watchdog.pid
    disturb()
    no_false_alarm(rig, since_ms, before)


@watch_scenario(SCENARIOS, KEEPING)
def redis_restarts_with_its_data_and_pauses(rig: WatchRig, server: RedisServer) -> None:
    rig.begin()

    def restart() -> None:
        server.stop()
        time.sleep(2)
        server.start()

    def pause() -> None:
        server.pause()
        time.sleep(8)
        server.resume()

    shaken(rig, restart)
    shaken(rig, pause)


@watch_scenario(SCENARIOS, FORGETTING)
def redis_restarts_empty_and_is_flushed(rig: WatchRig, server: RedisServer) -> None:
    rig.begin()
    shaken(rig, server.restart)

    def flush() -> None:
        rig.keys.redis.flushall()

    shaken(rig, flush)
    session = rig.keys.hash("market:session")
    rig.wait_until(lambda: rig.keys.hash("market:session"), 31, f"the session, was {session}")


@watch_scenario(SCENARIOS, KEEPING)
def the_watchdog_is_stopped_and_goes_on(rig: WatchRig, server: RedisServer) -> None:
    rig.begin()

    def pause() -> None:
        rig.watchdog.pause()
        time.sleep(8)
        rig.watchdog.resume()

    shaken(rig, pause)
    # What came to a standstill meanwhile is found all the same.
    since_ms = now_ms()
    rig.watchdog.pause()
    rig.gateway.call("freeze", symbol="SPY")
    time.sleep(8)
    rig.watchdog.resume()
    rig.wait_listed(["depth:SPY"], since_ms, 8)
    rig.gateway.call("thaw", symbol="SPY")


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("outages")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_watchdog_over(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
