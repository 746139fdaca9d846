"""Long runs: against a gateway that counts as TWS does, and through events in any order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.control.rotation import Command, Rotation, RotationPolicy, Subscribe
from shared.market.depth import Pair
from tests.unit.control.scripted import pair, rotation

TEN = "ABCDEFGHIJ"
STEP_S = 0.5


@dataclass
class Gateway:
    """Counts a cancelled request for a while longer, and refuses beyond its cap."""

    cap: int
    lag_s: float = 0.5
    open: dict[Pair, float] = field(default_factory=dict)
    closing: list[float] = field(default_factory=list)
    most: int = 0
    refused: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    live_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    parked_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _ended_s: dict[Pair, float] = field(default_factory=dict)

    def take(self, rotating: Rotation, commands: list[Command], now_s: float) -> None:
        self.closing = [end_s for end_s in self.closing if end_s > now_s]
        for command in commands:
            if not isinstance(command, Subscribe):
                self._cancel(command.pair, now_s)
            elif len(self.open) + len(self.closing) >= self.cap:
                self.refused += 1
                rotating.refused(command.pair, self.cap, now_s)
            else:
                self._subscribe(command.pair, now_s)

    def _cancel(self, one: Pair, now_s: float) -> None:
        self.live_s[one.symbol] += now_s - self.open.pop(one)
        self._ended_s[one] = now_s
        self.closing.append(now_s + self.lag_s)

    def _subscribe(self, one: Pair, now_s: float) -> None:
        assert one not in self.open
        self.open[one] = now_s
        self.turns[one.symbol] += 1
        parked_s = now_s - self._ended_s.get(one, now_s)
        self.parked_s[one.symbol] = max(self.parked_s[one.symbol], parked_s)
        self.most = max(self.most, len(self.open))


def served(rotating: Rotation, gateway: Gateway, batches: int, from_s: float = 0.0) -> float:
    """Run until `batches` more have begun; the time it got to."""
    now_s, until = from_s, rotating.batches + batches
    while rotating.batches < until:
        gateway.take(rotating, rotating.decide(now_s), now_s)
        now_s += STEP_S
        assert now_s < from_s + batches * 100.0, "the rotation stands still"
    return now_s


def test_two_hundred_batches_are_shared_fairly_without_a_refusal() -> None:
    rotating, gateway = rotation(TEN), Gateway(cap=3)
    served(rotating, gateway, 200)
    assert (gateway.refused, gateway.most, sum(gateway.turns.values())) == (0, 3, 600)
    assert set(gateway.turns.values()) == {60}
    assert max(gateway.live_s.values()) - min(gateway.live_s.values()) <= 15.0


def test_no_pair_is_parked_longer_than_the_window() -> None:
    for names, pinned, slots in ((TEN, "", 3), (TEN, "A", 3), (TEN, "AB", 3), (TEN, "", 2)):
        rotating = rotation(names, pinned, RotationPolicy(slots=slots))
        gateway = Gateway(cap=slots)
        served(rotating, gateway, 100)
        assert set(gateway.turns) == set(TEN)
        assert max(gateway.parked_s.values()) <= rotating.window_s()


def test_a_cap_that_falls_and_rises_is_followed_and_nobody_starves() -> None:
    rotating, gateway = rotation(TEN), Gateway(cap=3)
    now_s = served(rotating, gateway, 20)
    for cap in (2, 1):
        gateway.cap = cap
        now_s = served(rotating, gateway, 1, now_s)
        gateway.most = 0
        now_s = served(rotating, gateway, 60, now_s)
        assert gateway.most == cap
    gateway.cap, before = 3, gateway.refused
    served(rotating, gateway, 60, now_s)
    assert (rotating.slots, gateway.most, gateway.refused) == (3, 3, before)
    assert max(gateway.turns.values()) - min(gateway.turns.values()) <= 2


def test_a_lasting_lower_cap_costs_one_refusal_per_try_to_grow() -> None:
    rotating, gateway = rotation(TEN), Gateway(cap=2)
    served(rotating, gateway, 100)
    assert gateway.most == 2
    # One refusal at the start, then one each time four quiet dwells have passed.
    assert 15 <= gateway.refused <= 25
    assert max(gateway.turns.values()) - min(gateway.turns.values()) <= 2


EVENTS = (
    "decide", "decide", "decide", "refused", "ended", "exclude", "include", "resubscribe",
    "lost", "disconnected", "connected", "connected",
)  # fmt: skip


@dataclass
class Walk:
    """Follows what the commands did, and checks what must hold after each of them."""

    rotating: Rotation
    now_s: float = 0.0
    live: set[Pair] = field(default_factory=set)
    served: set[Pair] = field(default_factory=set)

    def step(self, event: str, name: str, pause_s: float) -> None:
        self.now_s += pause_s
        one, rotating = pair(name), self.rotating
        if event == "decide":
            self.perform(rotating.decide(self.now_s))
        elif event == "refused" and one in self.live:
            self.live.discard(one)
            rotating.refused(one, None if pause_s < 1.0 else int(pause_s) % 4, self.now_s)
        elif event == "resubscribe":
            self.perform(rotating.resubscribe(one, self.now_s))
        elif event == "include":
            rotating.include(one)
        elif event in ("ended", "exclude"):
            self.live.discard(one)
            (rotating.ended if event == "ended" else rotating.exclude)(one)
        elif event in ("lost", "disconnected"):
            self.live.clear()
            (rotating.subscriptions_lost if event == "lost" else rotating.disconnected)()
        elif event == "connected":
            rotating.connected()
        self.check()

    def perform(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Subscribe):
                assert command.pair not in self.live, f"{command.pair} is live already"
                assert command.pair not in self.rotating.excluded
                self.live.add(command.pair)
                self.served.add(command.pair)
            else:
                assert command.pair in self.live, f"{command.pair} was not live"
                self.live.discard(command.pair)

    def check(self) -> None:
        rotating = self.rotating
        taken = [turn.slot for turn in rotating.live.values()] + list(rotating.cooling)
        assert set(rotating.live) == self.live
        assert len(taken) <= rotating.policy.slots
        assert len(set(taken)) == len(taken)
        assert set(taken) <= set(range(rotating.policy.slots))
        assert 1 <= rotating.slots <= rotating.policy.slots

    def settle(self) -> None:
        """Left alone, every pair that is not excluded gets a turn."""
        self.step("connected", "A", 0.0)
        self.served = set(self.live)
        for _ in range(1200):
            self.step("decide", "A", 0.5)
        assert self.served >= set(self.rotating.pairs) - self.rotating.excluded
        assert self.rotating.slots == self.rotating.policy.slots


events = st.lists(
    st.tuples(
        st.sampled_from(EVENTS),
        st.sampled_from("ABCDEFG"),
        st.sampled_from([0.0, 0.1, 0.9, 1.0, 2.0, 3.0, 8.0, 15.0, 16.0, 40.0]),
    ),
    max_size=60,
)
PLAIN = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@PLAIN
@given(events, st.sampled_from(["", "A", "AB"]), st.sampled_from([1, 2, 3]))
def test_events_in_any_order_keep_the_account_of_slots(
    steps: list[tuple[str, str, float]], pinned: str, slots: int
) -> None:
    walk = Walk(rotation("ABCDEF", pinned[: slots - 1], RotationPolicy(slots=slots)))
    for event, name, pause_s in steps:
        walk.step(event, name, pause_s)
    walk.settle()


def test_a_long_walk_keeps_the_account_of_slots() -> None:
    chance = random.Random(309)
    walk = Walk(rotation(TEN, "A"))
    for _ in range(20_000):
        pause_s = chance.choice([0.0, 0.1, 0.5, 1.0, 4.0, 15.0])
        walk.step(chance.choice(EVENTS), chance.choice(TEN), pause_s)
    walk.settle()
