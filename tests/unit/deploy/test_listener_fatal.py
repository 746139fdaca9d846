from __future__ import annotations

from deploy.listeners.fatal import FatalRule
from deploy.listeners.seen import Action, Incident, Seen, Start

NAME = "av_options"


def played(*states: tuple[int, str]) -> list[tuple[int, Action]]:
    """What is done when, looking once a second; each state lasts up to its moment."""
    rule, now_s, found = FatalRule(), 0, []
    for until_s, state in states:
        while now_s < until_s:
            now_s += 1
            seen = Seen(NAME, state, 7 if state == "RUNNING" else 0)
            found += [(now_s, action) for action in rule.decide([seen], float(now_s))]
    return found


def starts(found: list[tuple[int, Action]]) -> list[int]:
    return [at_s for at_s, action in found if isinstance(action, Start)]


def texts(found: list[tuple[int, Action]]) -> list[tuple[int, str, str]]:
    return [(at, one.kind, one.text) for at, one in found if isinstance(one, Incident)]


def test_what_was_given_up_is_started_after_5_10_20_and_then_every_30_s_for_ever() -> None:
    # Each start fails within ten seconds.
    rule, now_s, due = FatalRule(), 0, []
    busy_until_s = 0
    while now_s < 400:
        now_s += 1
        state = "BACKOFF" if now_s < busy_until_s else "FATAL"
        for action in rule.decide([Seen(NAME, state)], float(now_s)):
            if isinstance(action, Start):
                due.append(now_s - max(1, busy_until_s))
                busy_until_s = now_s + 10
    assert due == [5, 10, 20, *[30] * 8]


def test_a_start_that_shows_nothing_is_tried_again_after_its_wait() -> None:
    assert starts(played((60, "FATAL"))) == [6, 18, 40]


def test_the_first_failure_and_the_return_are_told_once() -> None:
    found = played((8, "FATAL"), (10, "STARTING"), (12, "FATAL"), (25, "BACKOFF"), (60, "RUNNING"))
    assert texts(found) == [
        (
            1,
            "fatal",
            "av_options: supervisord gave up, started again in 5 s, then ever more seldom",
        ),
        (
            26,
            "recovered",
            "av_options: runs again 25.0 s after supervisord gave up, 1 start, pid 7",
        ),
    ]


def test_what_fails_again_soon_goes_on_where_it_was() -> None:
    found = played((8, "FATAL"), (12, "RUNNING"), (40, "FATAL"))
    assert starts(found) == [6, 23]
    assert [(at, kind) for at, kind, _ in texts(found)] == [
        (1, "fatal"), (9, "recovered"), (13, "fatal"),
    ]  # fmt: skip


def test_what_ran_for_long_begins_anew() -> None:
    assert starts(played((8, "FATAL"), (60, "RUNNING"), (70, "FATAL"))) == [6, 66]


def test_what_somebody_stops_is_left_alone() -> None:
    assert starts(played((8, "FATAL"), (10, "STARTING"), (300, "STOPPED"))) == [6]
    assert played((300, "STOPPED")) == []


def test_what_ended_by_itself_or_is_supervisords_is_left_alone() -> None:
    for state in ("EXITED", "BACKOFF", "STARTING", "RUNNING", "UNKNOWN"):
        assert played((300, state)) == []
