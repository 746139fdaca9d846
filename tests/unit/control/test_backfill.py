from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.control.backfill import Backfill, BackfillPolicy, Hole
from shared.control.pacing import Pacing
from tests.unit.control.filling import T, asked, backfill, hole, shown


def test_a_window_is_asked_for_once_it_has_settled() -> None:
    filling = backfill(hole("SPY", 70, 90))
    assert [asked(filling, at_s=at_s) for at_s in (89.0, 92.9, 93.0)] == [
        [], [], [("SPY", 70, 90)],
    ]  # fmt: skip


def test_an_open_window_is_not_asked_for_again() -> None:
    filling = backfill(hole("SPY", 70, 90))
    asked(filling)
    assert (asked(filling, 1000.0), shown(filling.open)) == ([], [("SPY", 70, 90)])


def test_an_answered_window_is_gone() -> None:
    filling = backfill(hole("SPY", 70, 90))
    filling.done(filling.decide(T + 200, 0.0)[0])
    assert (filling.open, filling.pending("SPY"), asked(filling, 1000.0)) == ([], [], [])


def test_a_window_answered_twice_is_harmless() -> None:
    filling = backfill(hole("SPY", 70, 90), hole("QQQ", 70, 90))
    first, second = filling.decide(T + 200, 0.0)
    filling.done(first)
    filling.done(first)
    assert filling.open == [second]


def test_a_long_window_is_asked_for_in_spans_one_after_the_other() -> None:
    filling = backfill(hole("SPY", 0, 130))
    assert shown(filling.pending("SPY")) == [("SPY", 0, 60), ("SPY", 60, 120), ("SPY", 120, 130)]
    assert asked(filling) == [("SPY", 0, 60)]
    filling.done(filling.open[0])
    assert asked(filling) == [("SPY", 60, 120)]


def test_windows_of_several_symbols_are_open_side_by_side_up_to_the_limit() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("AAPL", 0, 10))
    assert asked(filling) == [("SPY", 0, 10), ("QQQ", 0, 10)]
    filling.done(filling.open[0])
    assert asked(filling) == [("AAPL", 0, 10)]


def test_a_symbol_that_waits_for_its_answer_lets_the_next_one_pass() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("SPY", 20, 30), hole("QQQ", 0, 10))
    assert asked(filling) == [("SPY", 0, 10), ("QQQ", 0, 10)]


def test_a_window_that_has_not_settled_lets_the_next_one_pass() -> None:
    filling = backfill(hole("SPY", 70, 90), hole("QQQ", 60, 80))
    assert asked(filling, at_s=90.0) == [("QQQ", 60, 80)]


def test_requests_keep_to_the_pacing() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), pacing=Pacing(1, 100.0))
    assert asked(filling, 5.0) == [("SPY", 0, 10)]
    filling.done(filling.open[0])
    assert [asked(filling, now_s) for now_s in (104.9, 105.0)] == [[], [("QQQ", 0, 10)]]


def test_ten_of_the_accounts_sixty_requests_are_left_to_others() -> None:
    filling = Backfill(BackfillPolicy(open_at_once=100))
    for n in range(70):
        filling.add(hole(f"S{n}", 0, 10), T + 100)
    assert [len(asked(filling, now_s)) for now_s in (0.0, 599.9, 600.0)] == [50, 0, 20]


def test_a_window_without_an_answer_is_asked_for_again_after_sixteen_seconds() -> None:
    filling = backfill(hole("SPY", 0, 10))
    assert filling.again(filling.decide(T + 200, 5.0)[0], 8.0, paced=False) is True
    assert [asked(filling, now_s) for now_s in (23.9, 24.0)] == [[], [("SPY", 0, 10)]]


def test_a_window_that_waits_lets_the_symbols_other_windows_pass() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("SPY", 20, 30))
    filling.again(filling.decide(T + 200, 5.0)[0], 8.0, paced=False)
    assert asked(filling, 8.0) == [("SPY", 20, 30)]


def test_the_fifth_failure_is_the_last() -> None:
    filling = backfill(hole("SPY", 0, 10))
    kept = [filling.again(filling.decide(T + 200, n * 20.0)[0], n * 20.0, False) for n in range(5)]
    assert kept == [True, True, True, True, False]
    assert (filling.pending("SPY"), asked(filling, 1000.0)) == ([], [])


def test_too_many_requests_hold_back_all_symbols_for_a_minute() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("AAPL", 0, 10))
    filling.again(filling.decide(T + 200, 5.0)[0], 8.0, paced=True)
    assert [asked(filling, now_s) for now_s in (8.0, 67.9)] == [[], []]
    assert asked(filling, 68.0) == [("AAPL", 0, 10)]


def test_too_many_requests_are_no_failure_of_the_window() -> None:
    filling = backfill(hole("SPY", 0, 10))
    kept = [
        filling.again(filling.decide(T + 200, n * 100.0)[0], n * 100.0, paced=True)
        for n in range(7)
    ]
    assert (kept, [each.tries for each in filling.pending("SPY")]) == ([True] * 7, [0])


def test_requests_that_were_open_at_a_disconnect_come_first_and_in_order() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("AAPL", 0, 10))
    asked(filling)
    filling.disconnected(0.0)
    assert filling.open == []
    # Identical requests must be 15 s apart, also over two connections.
    assert asked(filling, 15.9) == [("AAPL", 0, 10)]
    assert asked(filling, 16.0) == [("SPY", 0, 10)]


def test_a_disconnect_is_no_failure_of_the_window() -> None:
    filling = backfill(hole("SPY", 0, 10))
    for n in range(7):
        asked(filling, n * 20.0)
        filling.disconnected(n * 20.0)
    assert [each.tries for each in filling.pending("SPY")] == [0]


def test_pending_windows_are_those_of_the_symbol_open_or_not() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("SPY", 20, 30))
    asked(filling)
    assert shown(filling.pending("SPY")) == [("SPY", 0, 10), ("SPY", 20, 30)]
    assert filling.pending("TSLA") == []


def test_windows_that_are_not_filled_yet_are_counted_open_or_not() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("SPY", 20, 30))
    filling.decide(T + 200, 0.0)
    assert (len(filling.open), filling.count()) == (2, 3)
    filling.done(filling.open[0])
    assert filling.count() == 2


def test_windows_of_trades_and_of_bars_are_pending_apart_and_open_one_by_one() -> None:
    trades = Hole("SPY", T, T + 10, "disconnect", "trades")
    filling = backfill(trades, hole("SPY", 0, 10))
    assert (filling.pending("SPY", "trades"), shown(filling.pending("SPY"))) == (
        [trades], [("SPY", 0, 10)],
    )  # fmt: skip
    assert [filling.decide(T + 200, 0.0), filling.decide(T + 200, 1.0)] == [[trades], []]


def test_the_rest_of_a_window_comes_before_all_others() -> None:
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 0, 10), hole("AAPL", 0, 10))
    first = filling.decide(T + 200, 0.0)[0]
    filling.more(hole("SPY", 5, 10), 0.0)
    filling.done(first)
    assert asked(filling, 0.5)[0] == ("SPY", 5, 10)


def test_the_pages_of_a_window_are_half_a_second_apart() -> None:
    filling = backfill(hole("SPY", 0, 10))
    filling.done(filling.decide(T + 200, 0.0)[0])
    filling.more(hole("SPY", 5, 10), 1.0)
    assert (asked(filling, 1.4), asked(filling, 1.5)) == ([], [("SPY", 5, 10)])


class Desk:
    """Windows on their way, second by second; monotonic time runs with the wall clock."""

    def __init__(self) -> None:
        self.filling = Backfill(BackfillPolicy(30.0, 6, 3.0, 2), Pacing(4, 30.0))
        self.now_s = 1000.0
        self.sent_s: list[float] = []
        self.added: Counter[tuple[str, int]] = Counter()
        self.ended: Counter[tuple[str, int]] = Counter()

    def add(self, symbol: str, age_s: int, length_s: int, tries: int) -> None:
        end = int(T + self.now_s) - age_s
        window = Hole(symbol, end - length_s, end, "disconnect", tries=tries)
        self.added.update(seconds(window))
        beyond = self.filling.add(window, T + self.now_s)
        if beyond is not None:
            self.ended.update(seconds(beyond))

    def decide(self) -> None:
        for window in self.filling.decide(T + self.now_s, self.now_s):
            self.sent_s.append(self.now_s)
            assert T + self.now_s >= window.to_s + 3.0
            assert window.to_s - window.from_s <= 6
        recent = [at_s for at_s in self.sent_s if at_s > self.now_s - 30.0]
        assert len(recent) <= 4

    def answer(self, place: int, outcome: str) -> None:
        if not self.filling.open:
            return
        window = self.filling.open[place % len(self.filling.open)]
        if outcome == "done":
            self.filling.done(window)
        elif self.filling.again(window, self.now_s, outcome == "paced"):
            return
        self.ended.update(seconds(window))

    def check(self) -> None:
        symbols = [window.symbol for window in self.filling.open]
        assert len(symbols) == len(set(symbols)) <= 2
        pending: Counter[tuple[str, int]] = Counter()
        for symbol in "ABC":
            for window in self.filling.pending(symbol):
                pending.update(seconds(window))
        assert self.ended + pending == self.added


def seconds(window: Hole) -> list[tuple[str, int]]:
    return [(window.symbol, second) for second in range(window.from_s, window.to_s)]


# Windows that failed before, so that one is given up now and then.
TRIES = st.sampled_from([0, 3, 4])
ADD = st.tuples(st.sampled_from("ABC"), st.integers(-5, 40), st.integers(1, 15), TRIES)
ANSWER = st.tuples(st.integers(0, 1), st.sampled_from(["failed", "done", "paced"]))
WAIT_S = st.sampled_from([20.0, 5.0, 0.5, 61.0])
STEPS = st.lists(
    st.one_of(ADD, ANSWER, ANSWER, WAIT_S, WAIT_S, st.none()), min_size=40, max_size=80
)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(STEPS)
def test_whatever_happens_every_second_ends_once_and_no_limit_is_passed(
    steps: list[tuple[str, int, int, int] | tuple[int, str] | float | None],
) -> None:
    desk = Desk()
    for step in steps:
        if step is None:
            desk.filling.disconnected(desk.now_s)
        elif isinstance(step, float):
            desk.now_s += step
            desk.decide()
        elif len(step) == 4:
            desk.add(*step)
        else:
            desk.answer(*step)
        desk.check()
