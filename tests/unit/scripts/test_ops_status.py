from __future__ import annotations

from typing import Any

import pytest

from scripts.ops.status_table import picture
from shared.store.ops_reader import StaleSeen
from shared.views.programs import ProgramSeen
from shared.views.rates import Rate
from shared.views.status import Board, Expected, board, document
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import (
    NOW_MS,
    WORKERS,
    beat,
    beats,
    program,
    programs,
    seen,
    session,
)

RATES = {"ibkr_depth": Rate(61.3, "10 s"), "av_options": Rate(1.0, "since start")}
NOBODY = "nobody checks: the watchdog does not run"
STALE = {"age_s": 45.2, "budget_s": 15.0, "since_ts": NOW_MS - 30_200, "reason": "mute: nothing"}


def judged(
    expected: Expected | None = None,
    started: list[ProgramSeen] | None = None,
    **changes: Any,
) -> Board:
    return board(seen(**changes), started or programs(), RATES, expected or Expected(WORKERS))


def troubled() -> Board:
    """Something of everything that may be wrong."""
    late = beat("ibkr_trades", 45_000)
    lost = beat("av_options", connected=False, detail="no answer from the vendor: timeout")
    held = beat("av_sentiment", state="degraded", detail="suspended: AAPL:sentiment")
    stale = StaleSeen({"trades:SPY": STALE, "heartbeat:ibkr_trades": STALE}, NOW_MS - 400)
    return judged(
        started=programs(program("ibkr_depth", "FATAL", 4), program("redis", starts=None)),
        beats=beats(ibkr_trades=late, av_options=lost, av_sentiment=held),
        stale=stale,
    )


def test_all_is_well_when_everything_runs_and_is_fresh() -> None:
    found = judged()
    assert (found.ok, found.wrong, found.notes) == (True, (), ())
    assert drawn(picture(found, 80), 80)[-1] == "all is well"


@pytest.mark.parametrize(
    ("name", "view"), [("status_well", judged()), ("status_troubled", troubled())]
)
def test_the_status_fits_narrow_and_wide_terminals(name: str, view: Board) -> None:
    compare(name, picture, view)


def test_a_program_that_does_not_run_is_one_line_and_its_heartbeat_no_other() -> None:
    found = judged(
        started=programs(program("ibkr_depth", "FATAL")),
        beats={name: one for name, one in beats().items() if name != "ibkr_depth"},
    )
    assert found.wrong == ("ibkr_depth is FATAL: Exited too quickly",)


def test_simulators_and_redis_must_run_too() -> None:
    found = judged(started=programs(program("tws_simulator", "BACKOFF")))
    assert found.wrong == ("tws_simulator is BACKOFF: Exited too quickly",)


@pytest.mark.parametrize(
    ("state", "wrong"),
    [("STARTING", ()), ("FATAL", ("exporter is FATAL: Exited too quickly",))],
)
def test_the_exporter_may_come_later_but_not_never(state: str, wrong: tuple[str, ...]) -> None:
    assert judged(started=programs(program("exporter", state))).wrong == wrong


def test_a_worker_that_supervisord_does_not_know_is_named() -> None:
    known = [one for one in programs() if one.name != "av_options"]
    found = judged(started=known)
    assert found.wrong == ("av_options is none of supervisord's programs",)


def test_a_worker_that_is_left_out_is_no_fault() -> None:
    expected = Expected(("ibkr_depth",), ("ibkr_trades", "av_options", "av_sentiment"))
    stopped = [program(name, "STOPPED") for name in expected.left_out]
    found = judged(expected, programs(*stopped), beats={
        name: one for name, one in beats().items() if name in ("ibkr_depth", "watchdog")
    })  # fmt: skip
    assert found.wrong == ()
    assert found.notes[0] == "ibkr_trades is left out by the settings"
    assert [one.state for one in found.processes[:2]] == ["RUNNING", "left out"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (beat("ibkr_depth", 45_000), "is late: heartbeat 45s old, limit 6s"),
        (beat("ibkr_depth", state="stopped"), "is stopped, since 0.4s"),
        (beat("ibkr_depth", connected=False), "is not connected"),
        (beat("ibkr_depth", connected=False, detail="no\nlogin"), "is not connected: no login"),
        ({}, "has no heartbeat"),
    ],
)
def test_a_heartbeat_tells_what_is_wrong(changed: dict[str, Any], fault: str) -> None:
    assert judged(beats=beats(ibkr_depth=changed)).wrong == (f"ibkr_depth {fault}",)


def test_a_degraded_worker_that_is_connected_is_a_note() -> None:
    found = judged(beats=beats(ibkr_depth=beat("ibkr_depth", state="degraded", detail="309")))
    assert (found.ok, found.notes) == (True, ("ibkr_depth is degraded: 309",))
    assert drawn(picture(found, 80), 80)[-2:] == [
        "nothing is wrong",
        "note: ibkr_depth is degraded: 309",
    ]


def test_what_is_stale_in_session_is_wrong() -> None:
    found = judged(stale=StaleSeen({"trades:SPY": STALE}, NOW_MS))
    assert found.wrong == ("trades:SPY is stale: 45s old, budget 15s, mute: nothing",)


def test_what_one_cause_made_stale_is_one_line_with_the_most_overdue() -> None:
    rows = {f"trades:S{n}": {**STALE, "age_s": 40.0 + n} for n in range(8)}
    found = judged(stale=StaleSeen(rows, NOW_MS))
    assert found.wrong == (
        "trades of S0, S1, S2, S3, S4, S5 and 2 more are stale: up to 47s, budget 15s,"
        " mute: nothing",
    )


def test_of_many_causes_the_rest_is_counted() -> None:
    rows = {f"options:S{n}": {**STALE, "reason": f"error {n}"} for n in range(7)}
    found = judged(stale=StaleSeen(rows, NOW_MS))
    assert (len(found.wrong), found.wrong[-1]) == (6, "2 more are stale, see tickvisor stale")


def test_what_a_late_worker_said_of_its_connection_is_not_shown() -> None:
    found = judged(beats=beats(ibkr_depth=beat("ibkr_depth", 45_000)))
    assert (found.processes[0].late, found.processes[0].connected) == (True, None)
    assert (found.processes[1].late, found.processes[1].connected) == (False, True)


def test_what_is_wrong_goes_on_under_its_text_and_is_not_cut() -> None:
    lost = beat("av_options", connected=False, detail=" ".join(["no answer"] * 9))
    lines = drawn(picture(judged(beats=beats(av_options=lost)), 80), 80)[-2:]
    assert lines[0].startswith("wrong: av_options is not connected: no answer")
    assert " ".join(" ".join(lines).split()).endswith(" ".join(["no answer"] * 9))
    assert (lines[1][:7].strip(), lines[1][7:8].strip() != "") == ("", True)


def test_a_program_that_failed_names_its_log() -> None:
    failed = ProgramSeen("redis", "FATAL", None, "Exited (process log may have details)", 4)
    assert judged(started=programs(failed)).wrong == (
        "redis is FATAL: Exited, see var/log/redis.log",
    )


def test_outside_the_session_only_heartbeats_are_owed() -> None:
    stale = StaleSeen({"trades:SPY": STALE, "heartbeat:av_options": STALE}, NOW_MS)
    closed = judged(session=session("closed"), stale=stale)
    assert [one.partition(" ")[0] for one in closed.wrong] == ["heartbeat:av_options"]
    asked = Expected(WORKERS, after_hours=True)
    assert len(judged(asked, session=session("closed"), stale=stale).wrong) == 2


def test_stale_surfaces_count_with_the_worker_that_owes_them() -> None:
    stale = StaleSeen({"trades:SPY": STALE, "bars:SPY": STALE, "heartbeat:av_options": STALE})
    counts = {one.name: one.stale for one in judged(stale=stale).processes}
    assert (counts["ibkr_trades"], counts["av_options"], counts["ibkr_depth"]) == (2, 1, 0)
    assert counts["redis"] is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"beats": {name: beat(name) for name in WORKERS}}, NOBODY),
        ({"beats": beats(watchdog=beat("watchdog", state="stopped"))}, NOBODY),
        (
            {"beats": beats(watchdog=beat("watchdog", 9_000))},
            "nobody checks: the watchdog is late: heartbeat 9.0s old, limit 6s",
        ),
        ({"stale": StaleSeen()}, NOBODY),
        (
            {"stale": StaleSeen({}, NOW_MS - 45_000)},
            "nobody checks: the watchdog last looked 45s ago",
        ),
    ],
)
def test_without_a_watchdog_nobody_checks(changes: dict[str, Any], fault: str) -> None:
    known = [one for one in programs() if one.name != "watchdog"]
    assert judged(started=known, **changes).wrong == (fault,)


def test_a_watchdog_that_supervisord_stopped_says_its_state() -> None:
    found = judged(started=programs(program("watchdog", "FATAL")))
    assert found.wrong == (f"{NOBODY}, it is FATAL",)


def test_a_watchdog_that_is_left_out_is_no_fault() -> None:
    found = judged(Expected(WORKERS, ("watchdog",)), beats={n: beat(n) for n in WORKERS})
    assert (found.wrong, found.notes) == ((), ("watchdog is left out by the settings",))


def test_without_supervisord_heartbeats_are_judged_all_the_same() -> None:
    found = board(seen(), None, RATES, Expected(WORKERS), ["supervisord does not answer"])
    assert found.wrong == ("supervisord does not answer",)
    assert [one.state for one in found.processes] == ["-"] * 5


def test_without_redis_supervisord_still_tells_what_runs() -> None:
    down = programs(program("redis", "FATAL"))
    found = board(None, down, {}, Expected(WORKERS), ["redis at x: away"])
    assert found.wrong == ("redis at x: away", "redis is FATAL: Exited too quickly")
    assert drawn(picture(found, 80), 80)[0] == (
        "source unknown   market unknown, nobody says   redis unknown"
    )


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (session(), "regular, closes in 3h12m"),
        (session("closed"), "closed, opens in 14h05m"),
        (session("pre"), "pre, opens in 14h05m"),
        ({"state": "post"}, "post"),
        ({}, "unknown, nobody says"),
    ],
)
def test_the_header_says_what_the_market_does(told: dict[str, str], shown: str) -> None:
    found = judged(session=told)
    assert drawn(picture(found, 160), 160)[0] == (
        f"source sim   market {shown}   redis 24.4 MB of 1024.0 MB"
    )


def test_the_document_has_every_process_and_null_for_what_nobody_knows() -> None:
    found = document(judged(session={}, memory=None))
    assert (found["ok"], found["session"]) == (True, None)
    assert found["redis"] == {"ok": True, "used_bytes": None, "max_bytes": None}
    first = found["processes"][0]
    assert (first.name, first.rate_per_s, first.rate_basis, first.restarts) == (
        "ibkr_depth", 61.3, "10 s", 0,
    )  # fmt: skip
