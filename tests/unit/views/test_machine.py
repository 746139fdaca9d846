from __future__ import annotations

from typing import Any

from shared.store.ops_reader import StatusSeen
from shared.views.machine import Lives, processes
from shared.views.status import Expected, board


def seen(started_ms: int = 1_000, cpu_s: float = 1.0, ts: int = 2_000, **beat: Any) -> StatusSeen:
    told = {"ts": 9_000, "started_ts": started_ms, "state": "running", "connected": True, "pid": 7}
    figures = {"ts": ts, "cpu_s": cpu_s, "rss_bytes": 50, "latency_p50_ms": 1, "latency_p99_ms": 4}
    return StatusSeen(
        10_000, beats={"ibkr_depth": {**told, **beat}}, figures={"ibkr_depth": figures}
    )


def shown(found: StatusSeen, lives: Lives) -> dict[str, Any]:
    [one] = processes(board(found, None, {}, Expected(("ibkr_depth",))), found, lives)
    return one


def test_a_process_is_told_with_what_it_costs_and_how_fast_it_is() -> None:
    lives = Lives()
    lives.observe(seen())
    found = shown(seen(), lives)
    assert (found["name"], found["state"], found["connected"]) == ("ibkr_depth", "running", True)
    assert (found["started_ms"], found["beat_ms"], found["pid"]) == (1_000, 9_000, 7)
    assert (found["p50_ms"], found["p99_ms"], found["rss_bytes"]) == (1.0, 4.0, 50.0)
    assert (found["restarts"], found["cpu_share"]) == (0, None)


def test_a_later_start_is_a_restart() -> None:
    lives = Lives()
    for started_ms in (1_000, 1_000, 5_000, 1_000):
        lives.observe(seen(started_ms))
    assert lives.of("ibkr_depth") == (1, None)
    assert lives.anew() == {"ibkr_depth": 5_000}


def test_what_was_never_seen_to_restart_is_not_anew() -> None:
    lives = Lives()
    lives.observe(seen())
    assert lives.anew() == {}


def test_the_share_of_a_core_is_that_between_two_figures() -> None:
    lives = Lives()
    for at_ms, used_s in ((2_000, 1.0), (2_000, 1.0), (12_000, 1.5)):
        lives.observe(seen(cpu_s=used_s, ts=at_ms))
    assert lives.of("ibkr_depth")[1] == 0.05


def test_a_new_process_has_no_share_before_its_second_figure() -> None:
    lives = Lives()
    for at_ms, used_s in ((2_000, 1.0), (12_000, 1.5), (22_000, 0.1)):
        lives.observe(seen(cpu_s=used_s, ts=at_ms))
    assert lives.of("ibkr_depth")[1] is None


def test_a_worker_without_heartbeat_has_no_state() -> None:
    found = StatusSeen(10_000)
    told = shown(found, Lives())
    assert (told["state"], told["started_ms"], told["restarts"]) == (None, None, None)
