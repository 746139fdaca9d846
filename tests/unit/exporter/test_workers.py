from __future__ import annotations

from typing import Any

import pytest

from shared.exporter import workers
from shared.views.status import Expected
from tests.unit.exporter.samples import (
    BEGAN_MS,
    EXPECTED,
    NOW_MS,
    WORKERS,
    beat,
    exported,
    of,
    told,
)

FIGURES = {
    "ts": NOW_MS - 5_000, "rss_bytes": 56_000_000, "cpu_s": 12.5, "reconnects": 2,
    "stragglers": 7, "bad_rows": 3, "suspended": ["SPY@ARCA"], "writes": 100, "resent": 40,
    "flushes": 9, "conflated": 1, "refused": 0, "dropped": 0, "queue_depth": 5, "queue_bytes": 640,
    "slots": 3, "subscriptions": 3, "limit_refusals": 1, "resets": 0,
    "book_faults": {"crossed": 2, "made up by somebody": 5},
}  # fmt: skip


def tell(expected: Expected = EXPECTED, **changes: Any) -> dict[str, float]:
    return told(lambda sheet: workers.tell(sheet, exported(**changes), expected))


def beats(**changes: dict[str, Any]) -> dict[str, Any]:
    return {name: beat(name) for name in WORKERS} | changes


def test_all_is_up_when_every_worker_beats() -> None:
    found = tell()
    assert found["up"] == 1
    assert of(found, "worker_up") == {f'worker="{name}"': 1 for name in WORKERS}
    assert found['worker_heartbeat_age_seconds{worker="watchdog"}'] == 0.4
    assert found['worker_start_time_seconds{worker="watchdog"}'] == BEGAN_MS / 1000
    assert found['worker_state{state="running",worker="watchdog"}'] == 1
    assert found['worker_state{state="stopped",worker="watchdog"}'] == 0


def test_a_worker_that_is_left_out_is_not_missed() -> None:
    found = tell(Expected(("ibkr_depth",)), beats={"ibkr_depth": beat("ibkr_depth")})
    assert (found["up"], of(found, "worker_up")) == (1, {'worker="ibkr_depth"': 1})


def test_a_late_heartbeat_is_down_and_what_it_said_is_no_longer_told() -> None:
    found = tell(beats=beats(ibkr_depth=beat("ibkr_depth", 6_100)), figures={"ibkr_depth": FIGURES})
    assert (found["up"], found['worker_up{worker="ibkr_depth"}']) == (0, 0)
    assert [name for name in found if "ibkr_depth" in name] == [
        'worker_up{worker="ibkr_depth"}', 'worker_heartbeat_age_seconds{worker="ibkr_depth"}'
    ]  # fmt: skip


def test_without_a_heartbeat_nothing_but_that_is_told() -> None:
    found = tell(beats=beats(av_options={}), figures={"av_options": FIGURES})
    assert [name for name in found if "av_options" in name] == ['worker_up{worker="av_options"}']


def test_one_that_was_stopped_says_so_and_is_down() -> None:
    stopped = beat("ibkr_depth", 60_000, state="stopped", connected=False)
    found = tell(beats=beats(ibkr_depth=stopped))
    assert found['worker_up{worker="ibkr_depth"}'] == 0
    assert found['worker_state{state="stopped",worker="ibkr_depth"}'] == 1
    assert 'worker_connected{worker="ibkr_depth"}' not in found


def test_a_lost_connection_is_no_death() -> None:
    found = tell(beats=beats(ibkr_depth=beat("ibkr_depth", connected=False)))
    assert (found["up"], found['worker_connected{worker="ibkr_depth"}']) == (1, 0)


def test_figures_become_metrics_in_base_units() -> None:
    found = tell(figures={"ibkr_depth": FIGURES})
    worker, sink = '{worker="ibkr_depth"}', '{feed="depth",worker="ibkr_depth"}'
    assert found[f"worker_resident_memory_bytes{worker}"] == 56_000_000
    assert found[f"worker_cpu_seconds_total{worker}"] == 12.5
    assert found[f"worker_bad_items_total{worker}"] == 3
    assert found[f"worker_suspended{worker}"] == 1
    assert found[f"sink_queue_items{sink}"] == 5
    assert (found["depth_slots"], found["depth_limit_refusals_total"]) == (3, 1)


def test_writes_that_redis_lost_and_took_again_do_not_let_the_counter_fall() -> None:
    before = tell(figures={"ibkr_depth": {**FIGURES, "writes": 100, "resent": 0}})
    after = tell(figures={"ibkr_depth": {**FIGURES, "writes": 60, "resent": 40}})
    name = 'sink_writes_total{feed="depth",worker="ibkr_depth"}'
    assert (before[name], after[name]) == (100, 100)


def test_faults_are_told_from_zero_on_and_only_those_that_there_are() -> None:
    found = of(tell(figures={"ibkr_depth": FIGURES}), "depth_book_faults_total")
    assert found == {'fault="crossed"': 2, 'fault="hole"': 0, 'fault="unsorted"': 0}


def test_the_second_queue_of_a_worker_is_a_feed_of_its_own() -> None:
    figures = {"ts": NOW_MS, "queue_depth": 1, "bars_queue": {"queue_depth": 2}}
    found = tell(figures={"ibkr_trades": figures})
    assert of(found, "sink_queue_items") == {
        'feed="trades",worker="ibkr_trades"': 1,
        'feed="bars",worker="ibkr_trades"': 2,
    }


@pytest.mark.parametrize("ts", [BEGAN_MS - 1, None, "soon"])
def test_what_an_earlier_process_left_is_not_this_ones(ts: Any) -> None:
    assert of(tell(figures={"ibkr_depth": {**FIGURES, "ts": ts}}), "depth_slots") == {}


def test_the_watchdog_tells_of_its_looks_and_messages() -> None:
    figures = {
        "ts": NOW_MS, "ticks": 90, "actions": 1, "longest_tick_ms": 120.0, "alerts_sent": 4,
        "alerts_failed": 0, "alerts_dropped": 0,
    }  # fmt: skip
    found = tell(figures={"watchdog": figures})
    assert (found["watchdog_checks_total"], found["watchdog_longest_check_seconds"]) == (90, 0.12)
    assert found['alerts_total{result="sent"}'] == 4


@pytest.mark.parametrize(
    "damage", ["book_faults", "suspended", "bars_queue", "writes", "rss_bytes"]
)
def test_figures_of_another_shape_are_left_out_alone(damage: str) -> None:
    found = tell(figures={"ibkr_depth": {**FIGURES, damage: "x"}})
    assert (found["up"], found["depth_slots"]) == (1, 3)
