from __future__ import annotations

import pytest

from shared.control.backfill import Backfill, BackfillPolicy, Hole
from tests.unit.control.filling import POLICY, T, asked, backfill, hole, shown


@pytest.mark.parametrize(
    ("from_s", "to_s", "beyond", "kept"),
    [
        (-200, -150, None, [(-200, -150)]),
        (-250, -150, (-250, -200), [(-200, -150)]),
        (-900, -800, (-900, -800), []),
        (-900, -200, (-900, -200), []),
        (40, 40, None, []),
    ],
)
def test_what_lies_beyond_reach_is_told_and_never_asked_for(
    from_s: int, to_s: int, beyond: tuple[int, int] | None, kept: list[tuple[int, int]]
) -> None:
    filling = Backfill(POLICY)
    told = filling.add(hole("SPY", from_s, to_s), T + 100)
    assert told == (None if beyond is None else hole("SPY", *beyond))
    assert shown(filling.pending("SPY")) == [("SPY", *window) for window in kept]


@pytest.mark.parametrize(
    ("now_s", "cut_s"),
    [(100.0, -200), (100.1, -195), (101.0, -195), (104.9, -195), (105.0, -195), (105.1, -190)],
)
def test_reach_is_cut_at_the_start_of_a_bar_and_never_asks_for_an_older_one(
    now_s: float, cut_s: int
) -> None:
    filling = Backfill(POLICY)
    assert filling.add(hole("SPY", -250, -150), T + now_s) == hole("SPY", -250, cut_s)
    assert shown(filling.pending("SPY")) == [("SPY", cut_s, -150)]


@pytest.mark.parametrize(("from_s", "to_s"), [(90, 100), (-900, -800), (90, 110), (100, 110)])
def test_without_reach_nothing_is_asked_for_and_the_whole_window_is_told(
    from_s: int, to_s: int
) -> None:
    filling = Backfill(BackfillPolicy(reach_s=0.0))
    assert filling.add(hole("SPY", from_s, to_s), T + 100) == hole("SPY", from_s, to_s)
    assert (filling.pending("SPY"), asked(filling)) == ([], [])


def test_two_hours_are_in_reach_by_requests_of_an_hour_where_nothing_else_is_said() -> None:
    filling = Backfill()
    assert filling.add(hole("SPY", -7200, 100), T + 100) == hole("SPY", -7200, -7100)
    assert shown(filling.pending("SPY")) == [("SPY", -7100, -3500), ("SPY", -3500, 100)]


@pytest.mark.parametrize(("now_s", "gone"), [(100.0, []), (390.0, []), (390.1, [(70, 90)])])
def test_a_window_that_waited_until_all_of_it_is_beyond_reach_has_expired(
    now_s: float, gone: list[tuple[int, int]]
) -> None:
    filling = backfill(hole("SPY", 70, 90))
    assert shown(filling.expired(T + now_s)) == [("SPY", *window) for window in gone]


def test_a_window_that_expired_is_forgotten_and_told_once() -> None:
    filling = backfill(hole("SPY", 70, 90), hole("SPY", 110, 130))
    assert shown(filling.expired(T + 400)) == [("SPY", 70, 90)]
    assert (filling.expired(T + 400), shown(filling.pending("SPY"))) == ([], [("SPY", 110, 130)])


def test_expired_windows_of_all_symbols_and_feeds_are_told_in_their_order() -> None:
    trades = Hole("SPY", T + 20, T + 30, "disconnect", "trades")
    filling = backfill(hole("SPY", 0, 10), trades, hole("QQQ", 40, 50))
    assert filling.expired(T + 1000) == [hole("SPY", 0, 10), trades, hole("QQQ", 40, 50)]


def test_an_open_window_does_not_expire_before_its_answer() -> None:
    filling = backfill(hole("SPY", 70, 90))
    opened = filling.decide(T + 200, 0.0)[0]
    assert filling.expired(T + 1000) == []
    filling.again(opened, 800.0, paced=False)
    assert shown(filling.expired(T + 1000)) == [("SPY", 70, 90)]


def test_of_more_windows_than_can_ever_be_asked_for_the_oldest_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.control.backfill.MOST_WAITING", 2)
    filling = backfill(hole("SPY", 0, 10), hole("QQQ", 20, 30), hole("SPY", 40, 50))
    assert shown(filling.crowded_out()) == [("SPY", 0, 10)]
    assert (filling.crowded_out(), filling.count()) == ([], 2)
