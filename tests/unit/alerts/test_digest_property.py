from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from shared.alerts.digest import MAX_LINES, MAX_TEXT, Digest, Kind, Message

# Half a second between two looks; all times are exact in binary.
TICK_S = 0.5
INTERVALS_S = st.sampled_from([1.0, 30.0, 120.0])
GROUPS_S = st.sampled_from([0.5, 5.0, 10.0])
# Ticks to wait, the cause, and whether it is raised then.
EVENTS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from("abcde"), st.booleans()), max_size=25
)


@dataclass
class Played:
    """What was told of each cause and when, how often each was raised, and which are so now."""

    told: dict[str, list[tuple[float, Kind, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    messages: list[Message] = field(default_factory=list)
    raises: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    active: set[str] = field(default_factory=set)
    now_s: float = 0.0

    def event(self, made: Digest, cause: str, raise_it: bool) -> None:
        if raise_it:
            self.raises[cause] += cause not in self.active
            self.active.add(cause)
            made.raised(cause, cause, self.now_s)
        else:
            self.active.discard(cause)
            made.cleared(cause, cause, self.now_s)

    def look(self, made: Digest) -> None:
        for message in made.due(self.now_s):
            self.messages.append(message)
            for line in message.lines:
                cause = line.removeprefix("over: ")[0]
                self.told[cause].append((self.now_s, kind_of(line), line))
        self.now_s += TICK_S


def kind_of(line: str) -> Kind:
    if line.startswith("over: "):
        return "recovery"
    return "notice" if line.endswith(("brief)", "over now)")) else "problem"


def played(events: list[tuple[int, str, bool]], made: Digest, rest_s: float) -> Played:
    """The events, then every cause is well again and left alone for `rest_s`."""
    seen = Played()
    for ticks, cause, raise_it in [*events, *((60, cause, False) for cause in "abcde")]:
        for _ in range(ticks):
            seen.look(made)
        seen.event(made, cause, raise_it)
    for _ in range(int(rest_s / TICK_S)):
        seen.look(made)
    return seen


def again(line: str) -> int:
    return int(line.split("again ")[1].split()[0]) if "again " in line else 0


@given(EVENTS, INTERVALS_S, GROUPS_S)
def test_no_cause_is_told_more_than_once_an_interval_as_a_problem(
    events: list[tuple[int, str, bool]], interval_s: float, group_s: float
) -> None:
    seen = played(events, Digest(interval_s, group_s), 150.0)
    for told in seen.told.values():
        times = [now_s for now_s, kind, _ in told if kind != "recovery"]
        assert all(
            later - earlier >= interval_s for earlier, later in zip(times, times[1:], strict=False)
        )


@given(EVENTS, INTERVALS_S, GROUPS_S)
def test_every_problem_told_has_its_recovery_and_no_other_has_one(
    events: list[tuple[int, str, bool]], interval_s: float, group_s: float
) -> None:
    seen = played(events, Digest(interval_s, group_s), 150.0)
    for told in seen.told.values():
        open_problem = False
        for _, kind, _ in told:
            assert kind != "recovery" or open_problem
            open_problem = kind == "problem" or (open_problem and kind != "recovery")
        assert not open_problem


@given(EVENTS, INTERVALS_S, GROUPS_S)
def test_what_stays_raised_is_told_in_time(
    events: list[tuple[int, str, bool]], interval_s: float, group_s: float
) -> None:
    made, seen = Digest(interval_s, group_s), Played()
    for ticks, cause, raise_it in events:
        for _ in range(ticks):
            seen.look(made)
        seen.event(made, cause, raise_it)
    for _ in range(int((interval_s + group_s) / TICK_S) + 2):
        seen.look(made)
    assert all(seen.told[cause][-1][1] == "problem" for cause in seen.active)


@given(EVENTS, INTERVALS_S, GROUPS_S)
def test_no_raising_is_counted_twice(
    events: list[tuple[int, str, bool]], interval_s: float, group_s: float
) -> None:
    seen = played(events, Digest(interval_s, group_s), 150.0)
    for cause, told in seen.told.items():
        first = [line for _, kind, line in told if kind != "recovery" and not again(line)]
        assert sum(again(line) for *_, line in told) + len(first) <= seen.raises[cause]


@given(EVENTS, INTERVALS_S, GROUPS_S)
def test_a_message_is_bounded_and_its_kind_is_that_of_its_gravest_line(
    events: list[tuple[int, str, bool]], interval_s: float, group_s: float
) -> None:
    seen = played(events, Digest(interval_s, group_s), 150.0)
    for message in seen.messages:
        assert 1 <= len(message.lines) <= MAX_LINES + 1
        assert all(len(line) <= MAX_TEXT + 60 for line in (message.title, *message.lines))
        kinds = [kind_of(line) for line in message.lines]
        assert message.kind == kinds[0]
        assert kinds == sorted(kinds, key=["problem", "notice", "recovery"].index)
