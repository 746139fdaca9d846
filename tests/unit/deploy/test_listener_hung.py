"""Whom the guardian takes for hung, and what becomes of him; times are literal seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from deploy.listeners.hung import HungRule
from deploy.listeners.seen import Action, Incident, Kill, Seen, Start

LATE_S = 6.0
TRADES = Seen("ibkr_trades", "RUNNING", 43, worker=True)
DEPTH = Seen("ibkr_depth", "RUNNING", 42, worker=True)
OPTIONS = Seen("av_options", "RUNNING", 44, worker=True)
REDIS = Seen("redis", "RUNNING", 41)
ALL = (DEPTH, TRADES, OPTIONS, REDIS)


class Watch:
    """Looks once a second; a worker beats at every look until it is named in `silent`."""

    def __init__(self, programs: Iterable[Seen] = ALL) -> None:
        self.rule = HungRule(LATE_S)
        self.programs = {one.name: one for one in programs}
        self.silent: set[str] = set()
        self.redis_since_s: float | None = 0.0
        self.now_s = 0

    def change(self, name: str, **changes: object) -> None:
        self.programs[name] = replace(self.programs[name], **changes)  # type: ignore[arg-type]

    def look(self) -> list[Action]:
        self.now_s += 1
        for one in self.programs.values():
            if one.worker and one.name not in self.silent:
                self.change(one.name, beat=1000 + self.now_s)
        return self.rule.decide(list(self.programs.values()), self.redis_since_s, self.now_s)

    def until(self, at_s: int) -> list[tuple[int, Action]]:
        """What was done when, up to this moment."""
        return [(self.now_s, action) for _ in range(at_s - self.now_s) for action in self.look()]

    def kills(self, at_s: int) -> list[tuple[int, str, bool]]:
        found = self.until(at_s)
        return [(t, a.name, a.force) for t, a in found if isinstance(a, Kill)]


def begun(*silent: str, at_s: int = 30, programs: Iterable[Seen] = ALL) -> Watch:
    """All have beaten for a while, then some fall silent."""
    watch = Watch(programs)
    assert watch.until(at_s) == []
    watch.silent.update(silent)
    return watch


def test_a_silent_worker_is_asked_to_end_then_killed_and_nobody_else() -> None:
    watch = begun("ibkr_trades")
    assert watch.until(36) == []
    assert watch.until(38) == [
        (
            37,
            Incident(
                "hung",
                "ibkr_trades: last heartbeat 7.0 s ago, limit 6 s; pid 43 is asked to end",
            ),
        ),
        (37, Kill("ibkr_trades", 43, force=False)),
    ]
    assert watch.until(45) == [(39, Kill("ibkr_trades", 43, force=True))]


def test_a_process_that_is_stopped_is_not_asked() -> None:
    watch = begun("ibkr_trades")
    watch.change("ibkr_trades", frozen=True)
    assert watch.kills(45) == [(37, "ibkr_trades", True)]


def test_what_ends_with_code_0_when_asked_is_started_again_and_told_when_it_beats() -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    watch.change("ibkr_trades", state="EXITED", pid=0)
    assert watch.until(40) == [(39, Start("ibkr_trades"))]
    watch.change("ibkr_trades", state="STARTING", pid=77, beat=0)
    assert watch.until(41) == [
        (41, Incident("restart", "ibkr_trades: started again, pid 77 follows pid 43"))
    ]
    watch.change("ibkr_trades", state="RUNNING")
    watch.silent.clear()
    assert watch.until(60) == [
        (42, Incident("recovered", "ibkr_trades: beats again 5.0 s after the kill"))
    ]


def test_a_successor_that_does_not_look_like_a_worker_yet_has_not_beaten() -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    watch.change("ibkr_trades", state="STARTING", pid=77, beat=0, worker=False)
    assert watch.until(39) == [
        (38, Incident("restart", "ibkr_trades: started again, pid 77 follows pid 43"))
    ]
    watch.change("ibkr_trades", worker=True, beat=5)
    assert [at for at, _ in watch.until(50)] == [40]


def test_a_start_that_had_no_effect_is_repeated_but_not_at_once() -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    watch.change("ibkr_trades", state="EXITED", pid=0)
    assert watch.until(50) == [(at, Start("ibkr_trades")) for at in (39, 44, 49)]


def test_what_supervisord_starts_again_itself_is_left_to_it() -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    watch.change("ibkr_trades", state="EXITED", pid=0)
    assert watch.until(38) == []
    watch.change("ibkr_trades", state="STARTING", pid=77, beat=0)
    assert [type(action) for _, action in watch.until(60)] == [Incident]


@pytest.mark.parametrize("state", ["STOPPED", "STOPPING"])
def test_what_somebody_stops_meanwhile_stays_stopped(state: str) -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    watch.change("ibkr_trades", state=state)
    assert watch.until(40) == []
    watch.change("ibkr_trades", state="EXITED", pid=0)
    assert watch.until(60) == []


@pytest.mark.parametrize("state", ["STARTING", "STOPPING", "STOPPED", "EXITED", "BACKOFF", "FATAL"])
def test_only_what_runs_is_judged(state: str) -> None:
    watch = begun("ibkr_trades")
    watch.change("ibkr_trades", state=state)
    assert watch.until(120) == []


def test_no_other_program_owes_a_heartbeat() -> None:
    assert Watch().until(300) == []


def test_nobody_is_killed_while_redis_is_away_or_has_just_come_back() -> None:
    watch = begun("ibkr_depth", "ibkr_trades", "av_options")
    watch.redis_since_s = None
    assert watch.until(60) == []
    watch.redis_since_s = 60.0
    assert watch.until(68) == []
    watch.silent.clear()
    assert watch.until(120) == []


def test_who_stays_silent_after_redis_came_back_is_killed() -> None:
    watch = begun("ibkr_trades")
    watch.redis_since_s = None
    watch.until(60)
    watch.redis_since_s = 60.0
    assert watch.kills(72)[0] == (70, "ibkr_trades", False)


def test_all_silent_at_once_are_given_more_time_and_then_two_at_a_time() -> None:
    watch = begun("ibkr_depth", "ibkr_trades", "av_options")
    first = [one for one in watch.kills(60) if not one[2]]
    assert first == [
        (49, "ibkr_depth", False),
        (49, "ibkr_trades", False),
        (54, "av_options", False),
    ]


def test_a_young_process_is_left_alone_and_one_that_never_beat_has_longer() -> None:
    watch = Watch()
    watch.silent = {"ibkr_trades", "ibkr_depth"}
    watch.change("ibkr_depth", beat=7)
    # One beat was seen at the first look, none of the other.
    assert watch.kills(40) == [
        (11, "ibkr_depth", False), (13, "ibkr_depth", True),
        (32, "ibkr_trades", False), (34, "ibkr_trades", True),
    ]  # fmt: skip


def test_a_successor_counts_as_young() -> None:
    watch = begun("ibkr_trades")
    watch.until(34)
    watch.change("ibkr_trades", pid=99, beat=0)
    assert watch.until(60) == []


def test_the_wait_between_kills_doubles_to_five_minutes() -> None:
    watch = begun("ibkr_trades")
    asked: list[int] = []
    while len(asked) < 7:
        for action in watch.look():
            if isinstance(action, Kill) and not action.force:
                asked.append(watch.now_s)
                watch.change("ibkr_trades", pid=100 + len(asked), beat=len(asked))
    waits = [b - a for a, b in zip(asked, asked[1:], strict=False)]
    assert waits == [30, 60, 120, 240, 300, 300]


def test_after_a_kill_that_helped_the_next_one_waits_no_longer() -> None:
    watch = begun("ibkr_trades")
    assert watch.kills(38) == [(37, "ibkr_trades", False)]
    watch.change("ibkr_trades", pid=77)
    watch.silent.clear()
    watch.until(200)
    watch.silent.add("ibkr_trades")
    assert watch.kills(208) == [(207, "ibkr_trades", False)]
    watch.change("ibkr_trades", pid=78, beat=1)
    assert watch.kills(240) == [(237, "ibkr_trades", False), (239, "ibkr_trades", True)]


def test_a_process_that_survives_even_sigkill_is_judged_anew() -> None:
    watch = begun("ibkr_trades")
    assert watch.kills(70) == [
        (37, "ibkr_trades", False), (39, "ibkr_trades", True),
        (67, "ibkr_trades", False), (69, "ibkr_trades", True),
    ]  # fmt: skip


def test_the_end_of_a_killed_process_is_known_as_ours() -> None:
    watch = begun("ibkr_trades")
    watch.until(37)
    assert watch.rule.killed("ibkr_trades", 43)
    watch.silent.clear()
    watch.change("ibkr_trades", pid=77)
    # supervisord's news may come when the successor beats already.
    assert len(watch.until(40)) == 2
    assert watch.rule.killed("ibkr_trades", 43)
    assert not watch.rule.killed("ibkr_trades", 44)
    assert not watch.rule.killed("ibkr_depth", 42)
