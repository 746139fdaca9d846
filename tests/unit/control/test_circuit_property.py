"""Whatever happens: one probe at a time, nothing suspended for ever, what is kept is the state."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from shared.control.circuit import Attempt, Breakers, Change, CircuitPolicy, Outcome

POLICY = CircuitPolicy(threshold=2, backoff_s=1.0, backoff_max_s=5.0, entitlement_retry_s=8.0)
SYMBOLS = ("SPY", "QQQ", "IWM")
OUTCOMES: tuple[Outcome, ...] = ("ok", "empty", "limited", "failed", "not_entitled")
T = 1_790_000_000_000


class Step(NamedTuple):
    """One symbol's turn: it asks when it may, and what it asked for ends."""

    wait_ms: int
    symbol: str
    ends: bool
    outcome: Outcome


STEPS = st.lists(
    st.builds(
        Step,
        wait_ms=st.sampled_from([0, 1, 400, 1_000, 5_000]),
        symbol=st.sampled_from(SYMBOLS),
        ends=st.booleans(),
        outcome=st.sampled_from(OUTCOMES),
    ),
    max_size=60,
)


class Run:
    """Asks as a worker does: never twice for one symbol, and only where it is allowed."""

    def __init__(self) -> None:
        self.breakers = Breakers(POLICY)
        self.now_ms = T
        self.asked: set[str] = set()
        # Who asked when the data type was suspended already.
        self.probes: set[str] = set()
        self.fields: dict[str, str] = {}

    def take(self, step: Step) -> None:
        self.now_ms += step.wait_ms
        if step.symbol not in self.asked:
            self.ask(step.symbol)
        elif step.ends:
            attempt = Attempt(step.symbol, "options", step.outcome, "why")
            self.asked.discard(step.symbol)
            self.probes.discard(step.symbol)
            self.keep(self.breakers.record(attempt, self.now_ms))
            if step.outcome == "not_entitled":
                # Suspended anew, whoever was refused: what is under way decides nothing any more.
                self.probes.clear()

    def ask(self, symbol: str) -> None:
        if not self.breakers.allows(symbol, "options", self.now_ms):
            return
        suspension = self.breakers.suspension(symbol, "options", self.now_ms)
        if suspension is not None and suspension.entitlement:
            self.probes.add(symbol)
        self.asked.add(symbol)
        self.keep(self.breakers.begin(symbol, "options", self.now_ms))

    def keep(self, changes: list[Change]) -> None:
        for change in changes:
            assert self.fields.get(change.field, "") != change.value
            self.fields[change.field] = change.value

    def kept(self) -> dict[str, str]:
        return {field: value for field, value in self.fields.items() if value}


def run(steps: list[Step]) -> Run:
    made = Run()
    for step in steps:
        made.take(step)
        if not any(row["entitlement"] for row in made.breakers.suspended(made.now_ms)):
            # An answer that came late ended the suspension: what is under way probes nothing.
            made.probes.clear()
        assert len(made.probes) <= 1
    return made


@given(STEPS)
def test_never_two_probes_of_a_data_type_are_under_way(steps: list[Step]) -> None:
    run(steps)


@given(STEPS)
def test_nothing_is_suspended_for_longer_than_the_longest(steps: list[Step]) -> None:
    made = run(steps)
    for row in made.breakers.suspended(made.now_ms):
        longest_ms = 8_000 if row["entitlement"] else 5_000
        assert row["until_ts"] <= made.now_ms + longest_ms


@given(STEPS)
def test_a_restart_finds_the_same_suspensions_and_loses_no_failure(steps: list[Step]) -> None:
    made = run(steps)
    again = Breakers(POLICY)
    assert again.restore(made.kept(), made.now_ms) == []
    assert again.suspended(made.now_ms) == made.breakers.suspended(made.now_ms)


@given(STEPS)
def test_after_a_restart_all_comes_back_once_the_vendor_answers(steps: list[Step]) -> None:
    made = run(steps)
    again = Breakers(POLICY)
    again.restore(made.kept(), made.now_ms)
    now_ms, fields = made.now_ms, made.kept()
    while (moment_ms := again.next_ms(now_ms)) is not None:
        now_ms = moment_ms
        allowed = [name for name in SYMBOLS if again.allows(name, "options", now_ms)]
        assert allowed
        for symbol in allowed:
            again.begin(symbol, "options", now_ms)
            for change in again.record(Attempt(symbol, "options", "ok", ""), now_ms):
                del fields[change.field]
    assert now_ms <= made.now_ms + 8_000
    assert all('"closed"' in value for value in fields.values())
