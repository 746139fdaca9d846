from __future__ import annotations

from typing import Any

from shared.views.rates import Rate, Rates
from tests.unit.scripts.ops_documents import NOW_MS, figures, seen


def later(ms: int, trades: int, **changes: Any) -> Any:
    return seen(now_ms=NOW_MS + ms, counts={"ibkr_trades": trades}, **changes)


def requests(at_ms: int, count: int) -> dict[str, dict[str, Any]]:
    return {**figures(), "av_options": {"ts": at_ms, "requests": count}}


def test_depth_is_what_the_streams_took_in_ten_seconds() -> None:
    assert Rates().observe(seen())["ibkr_depth"] == Rate(61.3, "10 s")


def test_one_reading_gives_a_workers_own_average() -> None:
    found = Rates().observe(seen())
    assert found["ibkr_trades"] == Rate(50.0, "since start")
    assert found["av_options"] == Rate(1.0, "since start")


def test_two_readings_give_the_rate_between_them() -> None:
    rates = Rates()
    rates.observe(later(0, 5_000))
    assert rates.observe(later(1_000, 5_049))["ibkr_trades"] == Rate(49.0, "1.0 s")


def test_readings_too_close_together_are_no_measure() -> None:
    rates = Rates()
    rates.observe(later(0, 5_000))
    assert rates.observe(later(100, 5_049))["ibkr_trades"].basis == "since start"


def test_a_rate_is_over_ten_seconds_at_most() -> None:
    rates = Rates()
    for second in range(20):
        found = rates.observe(later(second * 1_000, 5_000 + 10 * second + 990 * (second > 5)))
    assert found["ibkr_trades"] == Rate(10.0, "10.0 s")


def test_a_counter_that_began_anew_is_measured_anew() -> None:
    rates = Rates()
    rates.observe(later(0, 5_000))
    assert rates.observe(later(1_000, 3))["ibkr_trades"].basis == "since start"
    assert rates.observe(later(2_000, 13))["ibkr_trades"] == Rate(10.0, "1.0 s")


def test_figures_that_were_not_told_anew_keep_the_last_rate() -> None:
    rates = Rates()
    rates.observe(seen(figures=requests(NOW_MS - 10_000, 80)))
    first = rates.observe(seen(figures=requests(NOW_MS, 95)))["av_options"]
    assert first == Rate(1.5, "10.0 s")
    assert rates.observe(later(1_000, 1, figures=requests(NOW_MS, 95)))["av_options"] == first


def test_who_has_told_nothing_has_no_rate() -> None:
    assert Rates().observe(seen(figures={}, counts={}, recent={})) == {}
