from __future__ import annotations

from shared.control.coverage import Coverage


def live_s(coverage: Coverage, now_s: float) -> float | int:
    return coverage.report(now_s, 0)["SPY"]["live_s"]


def test_a_symbol_is_covered_from_its_first_row_to_its_end() -> None:
    coverage = Coverage(started_s=1000.0)
    coverage.subscribed("SPY")
    coverage.live("SPY", "ARCA", 1001.5)
    coverage.ended("SPY", "ARCA", 1015.0, 1_700_000_015_000)
    assert coverage.report(1054.0, 1_700_000_054_000) == {
        "SPY": {
            "live_s": 13.5, "session_s": 54.0, "share": 0.25,
            "last_live_ts": 1_700_000_015_000, "subscriptions": 1,
        }
    }  # fmt: skip


def test_a_live_symbol_counts_up_to_now() -> None:
    coverage = Coverage(started_s=1000.0)
    coverage.subscribed("SPY")
    coverage.live("SPY", "ARCA", 1010.0)
    assert coverage.report(1020.0, 1_700_000_020_000) == {
        "SPY": {
            "live_s": 10.0, "session_s": 20.0, "share": 0.5,
            "last_live_ts": 1_700_000_020_000, "subscriptions": 1,
        }
    }  # fmt: skip


def test_turns_add_up() -> None:
    coverage = Coverage(started_s=0.0)
    for begin_s, end_s in ((0.0, 15.0), (48.0, 63.0), (96.0, 111.0)):
        coverage.subscribed("SPY")
        coverage.live("SPY", "ARCA", begin_s)
        coverage.ended("SPY", "ARCA", end_s, 0)
    row = coverage.report(144.0, 0)["SPY"]
    assert (row["live_s"], row["share"], row["subscriptions"]) == (45.0, 0.3125, 3)


def test_a_request_without_a_row_covers_nothing() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.subscribed("SPY")
    coverage.ended("SPY", "ARCA", 15.0, 1_700_000_015_000)
    row = coverage.report(15.0, 0)["SPY"]
    assert (row["live_s"], row["last_live_ts"], row["subscriptions"]) == (0.0, 0, 1)


def test_the_first_row_after_an_interruption_does_not_restart_the_turn() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.live("SPY", "ARCA", 1.0)
    coverage.live("SPY", "ARCA", 9.0)
    coverage.ended("SPY", "ARCA", 11.0, 0)
    assert live_s(coverage, 11.0) == 10.0


def test_venues_that_overlap_are_counted_once() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.live("SPY", "ARCA", 0.0)
    coverage.live("SPY", "BATS", 5.0)
    assert live_s(coverage, 8.0) == 8.0
    coverage.ended("SPY", "ARCA", 10.0, 0)
    assert live_s(coverage, 12.0) == 12.0
    coverage.ended("SPY", "BATS", 15.0, 0)
    assert live_s(coverage, 20.0) == 15.0


def test_a_venue_within_anothers_time_adds_nothing() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.live("SPY", "ARCA", 0.0)
    coverage.live("SPY", "BATS", 5.0)
    coverage.ended("SPY", "BATS", 10.0, 0)
    coverage.ended("SPY", "ARCA", 20.0, 0)
    assert live_s(coverage, 30.0) == 20.0


def test_three_venues_that_overlap_in_a_chain_are_counted_once() -> None:
    coverage = Coverage(started_s=0.0)
    for venue, begin_s in (("ARCA", 0.0), ("BATS", 5.0), ("IEX", 7.0)):
        coverage.live("SPY", venue, begin_s)
    for venue, end_s in (("ARCA", 10.0), ("BATS", 12.0), ("IEX", 20.0)):
        coverage.ended("SPY", venue, end_s, 0)
    assert live_s(coverage, 30.0) == 20.0


def test_venues_that_begin_and_end_together_are_counted_once() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.live("SPY", "ARCA", 0.0)
    coverage.live("SPY", "BATS", 0.0)
    coverage.ended("SPY", "ARCA", 10.0, 0)
    coverage.ended("SPY", "BATS", 10.0, 0)
    assert live_s(coverage, 10.0) == 10.0


def test_symbols_are_counted_apart() -> None:
    coverage = Coverage(started_s=0.0)
    coverage.live("SPY", "ARCA", 0.0)
    coverage.live("QQQ", "NASDAQ", 6.0)
    report = coverage.report(10.0, 0)
    assert {symbol: row["share"] for symbol, row in report.items()} == {"SPY": 1.0, "QQQ": 0.4}


def test_a_report_at_the_very_start_divides_by_nothing() -> None:
    coverage = Coverage(started_s=50.0)
    coverage.subscribed("SPY")
    row = coverage.report(50.0, 0)["SPY"]
    assert (row["session_s"], row["share"]) == (0.0, 0.0)
