from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.control.schedule import Poll, Schedule

RANDOMS = st.integers(0, 2**32).map(Random)
JITTERS = st.sampled_from([0.0, 0.1, 0.5])
INTERVALS_S = st.sampled_from([1.0, 10.0, 60.0])
KINDS = ("options", "RSI", "MACD")


def polls_of(intervals_s: list[float]) -> list[Poll]:
    """Three data types a symbol, each with an interval of its own."""
    return [
        Poll(f"S{number // 3}", KINDS[number % 3], interval_s)
        for number, interval_s in enumerate(intervals_s)
    ]


POLLS = st.lists(INTERVALS_S, min_size=1, max_size=12).map(polls_of)


def equal(number: int, interval_s: float = 10.0) -> list[Poll]:
    return [Poll(f"S{index}", "options", interval_s) for index in range(number)]


def anyone(poll: Poll) -> bool:
    return True


def at_once(made: Schedule, turns: int, now_s: float = 0.0) -> Iterator[tuple[float, Poll]]:
    """Each served the very moment it is due, `turns` in all."""
    for _ in range(turns):
        now_s += made.wait_s(now_s)
        while (poll := made.due(now_s, anyone)) is None:
            now_s += 1e-9
        made.start(poll, now_s)
        made.finish(poll)
        yield now_s, poll


def rationed(made: Schedule, every_s: float, calls: int) -> Iterator[tuple[float, Poll]]:
    """One call each `every_s` seconds, for whoever is the most overdue then."""
    for number in range(calls):
        now_s = number * every_s
        poll = made.due(now_s, anyone)
        if poll is not None:
            made.start(poll, now_s)
            made.finish(poll)
            yield now_s, poll


def by_poll(starts: Iterator[tuple[float, Poll]]) -> dict[Poll, list[float]]:
    found: dict[Poll, list[float]] = defaultdict(list)
    for now_s, poll in starts:
        found[poll].append(now_s)
    return found


def gaps(moments: list[float]) -> list[float]:
    return [later - sooner for sooner, later in zip(moments, moments[1:], strict=False)]


class Event(NamedTuple):
    wait_s: float
    what: str
    which: int


EVENTS = st.lists(
    st.builds(
        Event,
        wait_s=st.sampled_from([0.0, 0.1, 1.0, 7.0, 45.0]),
        what=st.sampled_from(["start", "start", "finish", "finish", "skip", "retry", "slow", "on"]),
        which=st.integers(0, 11),
    ),
    max_size=80,
)


class Worker:
    """Does to a schedule what a worker may, and knows who is in flight."""

    def __init__(self, polls: list[Poll], jitter: float, random: Callable[[], float]) -> None:
        self.made = Schedule(polls, jitter, random, 0.0)
        self.polls = polls
        self.now_s = 0.0
        self.flying: list[Poll] = []

    def take(self, event: Event) -> None:
        self.now_s += event.wait_s
        if event.what in ("start", "skip"):
            self.next(event.what)
        elif event.what == "slow":
            self.made.slow_down(6.0, self.now_s)
        elif event.what == "on":
            self.made.slow_down(1.0, self.now_s)
        elif self.flying:
            self.end(event.what, self.flying.pop(event.which % len(self.flying)))

    def next(self, what: str) -> None:
        poll = self.made.due(self.now_s, anyone)
        if poll is not None and what == "skip":
            self.made.skip(poll, self.now_s)
        elif poll is not None:
            assert poll not in self.flying
            self.made.start(poll, self.now_s)
            self.flying.append(poll)

    def end(self, what: str, poll: Poll) -> None:
        if what == "retry":
            self.made.retry(poll, self.now_s, 2.0)
        else:
            self.made.finish(poll)


@given(POLLS, JITTERS, EVENTS, RANDOMS)
def test_no_two_of_one_poll_are_in_flight_and_nothing_waits_too_long(
    polls: list[Poll], jitter: float, events: list[Event], random: Random
) -> None:
    worker = Worker(polls, jitter, random.random)
    for event in events:
        worker.take(event)
        assert worker.made.in_flight == len(worker.flying)
        wait_s, due = worker.made.wait_s(worker.now_s), worker.made.due(worker.now_s, anyone)
        assert (wait_s == 0.0) == (due is not None)
        if len(worker.flying) < len(polls):
            longest_s = max(poll.interval_s for poll in polls)
            assert wait_s <= 6.0 * longest_s * 1.75
        assert worker.made.overdue_s(worker.now_s) == 0.0 or wait_s == 0.0


@settings(max_examples=20)
@given(st.integers(1, 6), JITTERS, RANDOMS)
def test_served_at_once_the_average_cadence_is_the_interval(
    number: int, jitter: float, random: Random
) -> None:
    made = Schedule(equal(number), jitter, random.random, 0.0)
    for moments in by_poll(at_once(made, number * 1_001)).values():
        # From the second start on: the first one is the fetch that fills up.
        cadence_s = (moments[-1] - moments[1]) / (len(moments) - 2)
        assert cadence_s == pytest.approx(10.0, rel=0.01)


@settings(max_examples=20)
@given(POLLS, JITTERS, RANDOMS)
def test_served_at_once_half_an_interval_or_more_lies_between_two_starts(
    polls: list[Poll], jitter: float, random: Random
) -> None:
    made = Schedule(polls, jitter, random.random, 0.0)
    for poll, moments in by_poll(at_once(made, 600)).items():
        assert all(
            0.5 * poll.interval_s - 1e-6 <= gap_s <= 1.75 * poll.interval_s
            for gap_s in gaps(moments)
        )


@given(st.integers(1, 12), st.floats(0.0, 1.0))
def test_starts_are_evenly_spread_though_the_first_fetch_was_not(
    number: int, every_s: float
) -> None:
    made = Schedule(equal(number), 0.0, lambda: 0.5, 0.0)
    for position, poll in enumerate(equal(number)):
        made.start(poll, position * every_s)
        made.finish(poll)
    starts = [now_s for now_s, _ in at_once(made, number * 6)]
    assert gaps(starts[number * 3 :]) == pytest.approx([10.0 / number] * (number * 3 - 1), abs=1e-5)


@settings(max_examples=20)
@given(st.integers(2, 12), JITTERS, RANDOMS)
def test_with_half_the_calls_all_are_served_alike(
    number: int, jitter: float, random: Random
) -> None:
    made = Schedule(equal(number), jitter, random.random, 0.0)
    served = by_poll(rationed(made, 20.0 / number, number * 100))
    counts = [len(moments) for moments in served.values()]
    assert len(counts) == number
    assert max(counts) - min(counts) <= 2
    assert max(max(gaps(moments)) for moments in served.values()) <= 35.0


@settings(max_examples=20)
@given(POLLS, JITTERS, RANDOMS)
def test_with_half_the_calls_nobody_starves_whatever_the_intervals(
    polls: list[Poll], jitter: float, random: Random
) -> None:
    every_s = 2.0 / sum(1.0 / poll.interval_s for poll in polls)
    made = Schedule(polls, jitter, random.random, 0.0)
    served = by_poll(rationed(made, every_s, 400))
    assert set(served) == set(polls)
    for poll, moments in served.items():
        # Its own turn, and everyone else's before it, some of them twice.
        assert max(gaps([0.0, *moments])) <= 1.75 * poll.interval_s + 2 * len(polls) * every_s


@settings(max_examples=20)
@given(st.integers(2, 12), st.floats(5.0, 14.0), JITTERS, RANDOMS)
def test_back_at_full_speed_all_come_within_an_interval_and_few_at_once(
    number: int, at_s: float, jitter: float, random: Random
) -> None:
    made = Schedule(equal(number), jitter, random.random, 0.0)
    for poll in equal(number):
        made.start(poll, 0.0)
        made.finish(poll)
    made.slow_down(6.0, 0.0)
    made.slow_down(1.0, at_s)
    starts = [now_s - at_s for now_s, _ in at_once(made, number, at_s)]
    # A turn is moved forward by a quarter of the interval at most, and not before now.
    assert max(starts) <= 12.5
    assert sum(start_s < 1e-6 for start_s in starts) <= 1 + number * jitter / 2
    assert all(
        sum(begin <= start_s < begin + 1.0 for start_s in starts) <= 2 + number * (0.1 + jitter)
        for begin in range(12)
    )
