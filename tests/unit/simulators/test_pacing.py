from __future__ import annotations

from simulators.tws.pacing import HistoryPacing, Pace


def test_a_pace_is_full_at_its_limit_and_free_after_its_window() -> None:
    pace = Pace(2, 600.0)
    pace.count(0.0)
    pace.count(10.0)
    assert pace.full(599.0)
    assert not pace.full(600.0)


def test_sixty_small_requests_in_ten_minutes_are_allowed() -> None:
    pacing = HistoryPacing()
    asked = [pacing.violated((n,), (n,), n * 1.0) for n in range(61)]
    assert asked == [False] * 60 + [True]
    assert not pacing.violated((61,), (61,), 600.0)


def test_larger_bars_are_not_counted_in_the_sixty() -> None:
    pacing = HistoryPacing()
    assert not any(pacing.violated((n,), (n,), n * 1.0, small=False) for n in range(100))


def test_the_same_request_within_fifteen_seconds_is_too_early() -> None:
    pacing = HistoryPacing()
    assert not pacing.violated(("a",), ("SPY",), 0.0)
    assert pacing.violated(("a",), ("SPY",), 14.9)
    assert not pacing.violated(("a",), ("SPY",), 15.0)


def test_the_sixth_request_for_one_contract_in_two_seconds_is_too_early() -> None:
    pacing = HistoryPacing()
    asked = [pacing.violated((n,), ("SPY",), n * 0.3) for n in range(6)]
    assert asked == [False] * 5 + [True]
    assert not pacing.violated((9,), ("QQQ",), 1.5)
    assert not pacing.violated((10,), ("SPY",), 2.1)


def test_a_refused_request_is_not_counted() -> None:
    pacing = HistoryPacing()
    for n in range(5):
        pacing.violated((n,), ("SPY",), 0.0)
    assert all(pacing.violated((n,), ("SPY",), 1.9) for n in range(10, 20))
    assert not pacing.violated((20,), ("SPY",), 2.0)
