from __future__ import annotations

import pytest

from shared.alerts.digest import MAX_CAUSES, MAX_LINES, MAX_TEXT, Digest, Message

DEPTH = "depth:SPY"
TRADES = "trades:SPY"


def digest() -> Digest:
    """At most one message per cause in 900 s; what happens within 10 s is told together."""
    return Digest(interval_s=900.0, group_s=10.0)


def told(made: Digest, until_s: int, from_s: int = 0) -> list[tuple[int, Message]]:
    """What comes out when it is asked each second."""
    return [(now_s, message) for now_s in range(from_s, until_s + 1) for message in made.due(now_s)]


def lines(made: Digest, until_s: int, from_s: int = 0) -> list[tuple[int, tuple[str, ...]]]:
    return [(now_s, message.lines) for now_s, message in told(made, until_s, from_s)]


def depth_told_at_10() -> Digest:
    made = digest()
    made.raised(DEPTH, "depth of SPY is stale", 0)
    assert lines(made, 10) == [(10, ("depth of SPY is stale",))]
    return made


def test_a_problem_is_told_once_when_its_group_is_full() -> None:
    made = digest()
    made.raised(DEPTH, "depth of SPY is stale", 0)
    assert told(made, 5_000) == [
        (10, Message("tickvisor: 1 problem", ("depth of SPY is stale",), "problem"))
    ]


def test_nothing_happened_and_nothing_is_told() -> None:
    made = digest()
    made.cleared(DEPTH, "depth of SPY is fresh", 0)
    assert told(made, 2_000) == []


def test_what_happens_within_the_group_time_is_told_together() -> None:
    made = digest()
    made.raised(DEPTH, "depth of SPY is stale", 0)
    made.raised(TRADES, "trades of SPY are stale", 9)
    assert told(made, 100) == [
        (
            10,
            Message(
                "tickvisor: 2 problems",
                ("depth of SPY is stale", "trades of SPY are stale"),
                "problem",
            ),
        )
    ]


def test_what_comes_after_the_group_is_told_by_itself() -> None:
    made = depth_told_at_10()
    made.raised(TRADES, "trades of SPY are stale", 11)
    assert lines(made, 100, from_s=11) == [(21, ("trades of SPY are stale",))]


def test_the_newest_text_is_told() -> None:
    made = digest()
    made.raised(DEPTH, "stale for 15 s", 0)
    made.raised(DEPTH, "stale for 20 s", 5)
    assert lines(made, 100) == [(10, ("stale for 20 s",))]


def test_a_cause_that_stays_raised_and_is_raised_at_every_look_is_told_once() -> None:
    made = digest()
    found = []
    for now_s in range(3_000):
        made.raised(DEPTH, "stale", now_s)
        found += made.due(now_s)
    assert len(found) == 1


def test_the_recovery_of_what_was_told_is_told() -> None:
    made = depth_told_at_10()
    made.cleared(DEPTH, "depth of SPY is fresh after 50 s", 50)
    assert told(made, 2_000, from_s=50) == [
        (
            60,
            Message(
                "tickvisor: 1 recovered", ("over: depth of SPY is fresh after 50 s",), "recovery"
            ),
        )
    ]


def test_recoveries_within_the_group_time_are_told_together() -> None:
    made = digest()
    made.raised(DEPTH, "d", 0)
    made.raised(TRADES, "t", 0)
    assert len(made.due(10)) == 1
    made.cleared(DEPTH, "d", 50)
    made.cleared(TRADES, "t", 55)
    assert lines(made, 2_000, from_s=50) == [(60, ("over: d", "over: t"))]


def test_recoveries_are_told_together_whatever_waited_before_them() -> None:
    """Both were raised again before their recovery could be told, which nobody was told yet."""
    made = digest()
    for cause in ("d", "t"):
        made.raised(cause, cause, 0)
    assert len(made.due(10)) == 1
    for cause in ("d", "t"):
        made.cleared(cause, cause, 50)
        made.raised(cause, cause, 52)
    made.cleared("d", "d", 100)
    assert made.due(100) == []
    made.cleared("t", "t", 102)
    assert lines(made, 850, from_s=101) == [
        (110, ("over: d (again 1 time)", "over: t (again 1 time)"))
    ]


def test_what_came_and_went_within_the_group_time_is_not_told() -> None:
    made = digest()
    made.raised(DEPTH, "stale", 0)
    made.cleared(DEPTH, "fresh", 9)
    assert told(made, 5_000) == []


def test_not_even_beside_something_else() -> None:
    made = digest()
    made.raised(DEPTH, "stale", 0)
    made.cleared(DEPTH, "fresh", 4)
    made.raised(TRADES, "t", 5)
    assert lines(made, 5_000) == [(15, ("t",))]


def test_what_keeps_coming_and_going_is_told_though_each_time_is_brief() -> None:
    made = digest()
    for start_s in (0, 20):
        made.raised(DEPTH, "stale", start_s)
        made.cleared(DEPTH, "fresh", start_s + 2)
        assert told(made, start_s + 9, from_s=start_s + 2) == []
    assert told(made, 2_000, from_s=30) == [
        (30, Message("tickvisor: 1 passed", ("stale (again 1 time, brief)",), "notice"))
    ]


def test_two_brief_ones_far_apart_are_not_told() -> None:
    made = digest()
    for start_s in (0, 901):
        made.raised(DEPTH, "stale", start_s)
        made.cleared(DEPTH, "fresh", start_s + 2)
        assert told(made, start_s + 900, from_s=start_s + 2) == []


def test_what_was_over_before_anyone_asked_is_told_as_over() -> None:
    made = digest()
    made.raised(DEPTH, "stale", 0)
    made.cleared(DEPTH, "fresh", 60)
    assert told(made, 2_000, from_s=60) == [
        (60, Message("tickvisor: 1 passed", ("stale (over now)",), "notice"))
    ]


def test_a_cause_that_flaps_is_told_again_at_the_next_allowed_moment() -> None:
    made = depth_told_at_10()
    found = []
    for now_s in range(50, 1_000):
        # Thirty seconds well, thirty seconds stale, and stale from 860 on.
        if now_s % 60 == 50 and now_s < 860:
            made.cleared(DEPTH, "fresh", now_s)
        elif now_s % 60 == 20:
            made.raised(DEPTH, "stale", now_s)
        found += [(now_s, message.lines) for message in made.due(now_s)]
    assert found == [(60, ("over: fresh",)), (910, ("stale (again 14 times)",))]


def test_what_flapped_and_is_over_at_the_allowed_moment_is_told_as_over() -> None:
    made = depth_told_at_10()
    made.cleared(DEPTH, "fresh", 50)
    assert len(made.due(60)) == 1
    for start_s in (100, 200):
        made.raised(DEPTH, "stale", start_s)
        made.cleared(DEPTH, "fresh", start_s + 30)
    assert told(made, 5_000, from_s=230) == [
        (910, Message("tickvisor: 1 passed", ("stale (again 2 times, over now)",), "notice"))
    ]


def test_a_recovery_that_does_not_last_is_not_told() -> None:
    made = depth_told_at_10()
    made.cleared(DEPTH, "fresh", 50)
    made.raised(DEPTH, "stale", 55)
    assert lines(made, 5_000, from_s=50) == [(910, ("stale (again 1 time)",))]


def test_problems_stand_before_what_passed_and_what_recovered() -> None:
    made = depth_told_at_10()
    made.cleared(DEPTH, "fresh", 50)
    made.raised("heartbeat:av_options", "h", 52)
    made.cleared("heartbeat:av_options", "h", 53)
    made.raised("heartbeat:av_options", "h", 54)
    made.cleared("heartbeat:av_options", "h", 55)
    made.raised(TRADES, "t", 56)
    assert told(made, 800, from_s=56) == [
        (
            60,
            Message(
                "tickvisor: 1 problem, 1 passed, 1 recovered",
                ("t", "h (again 1 time, brief)", "over: fresh"),
                "problem",
            ),
        )
    ]


def test_of_many_lines_the_rest_is_a_number() -> None:
    made = digest()
    for number in range(MAX_LINES + 7):
        made.raised(f"depth:S{number}", f"S{number} is stale", 0)
    (message,) = made.due(10)
    assert message.title == "tickvisor: 27 problems"
    assert message.lines[-2:] == ("S19 is stale", "and 7 more")
    assert told(made, 5_000, from_s=11) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines\tand\x0b  more ", "two lines and more"),
        ("half \ud83d of it", "half ? of it"),
        ("x" * 100_000, "x" * (MAX_TEXT - 3) + "..."),
        ("y" * MAX_TEXT, "y" * MAX_TEXT),
    ],
)
def test_a_text_becomes_one_line_of_a_bounded_length(text: str, line: str) -> None:
    made = digest()
    made.raised(DEPTH, text, 0)
    assert lines(made, 10) == [(10, (line,))]


def test_the_oldest_of_too_many_causes_that_are_over_is_forgotten() -> None:
    made = digest()
    made.raised("first", "f", 0)
    made.raised("second", "s", 0)
    assert len(made.due(10)) == 1
    made.cleared("second", "s", 20)
    for number in range(MAX_CAUSES - 1):
        made.raised(f"S{number}", "x", 21)
    assert made.forgotten == 1
    made.cleared("first", "f", 22)
    (message,) = made.due(32)
    # 499 problems and the recovery of the first; that of the second has no line any more.
    assert message.title == "tickvisor: 499 problems, 1 recovered"
    assert message.lines[-1] == f"and {500 - MAX_LINES + 1} more"


def test_while_all_are_raised_more_of_them_are_counted_and_do_not_push_others_out() -> None:
    made = digest()
    found = []
    for now_s in range(0, 2_000, 10):
        for number in range(MAX_CAUSES + 3):
            made.raised(f"S{number}", f"S{number}", now_s)
        found += made.due(now_s)
    assert [message.lines[-1] for message in found] == [f"and {503 - MAX_LINES} more"]


def test_a_left_out_cause_that_is_well_again_is_not_counted() -> None:
    made = digest()
    for number in range(MAX_CAUSES + 3):
        made.raised(f"S{number}", f"S{number}", 0)
    made.cleared("S501", "well", 5)
    (message,) = made.due(10)
    assert (message.lines[-1], made.forgotten) == (f"and {502 - MAX_LINES} more", 3)
