from __future__ import annotations

from shared.control.rhythm import Owed, Rhythm


def paced(pauses_s: list[float], factor: float = 4.0) -> Rhythm[str]:
    rhythm: Rhythm[str] = Rhythm(factor)
    at_ms = 1_000_000
    rhythm.seen("SPY", at_ms, 0)
    for pause_s in pauses_s:
        at_ms += round(pause_s * 1000)
        rhythm.seen("SPY", at_ms, 0)
    return rhythm


def test_a_name_that_was_hardly_seen_has_no_budget() -> None:
    assert paced([]).budget_s("SPY", 120.0) is None
    assert paced([1.0] * 29).budget_s("SPY", 120.0) is None
    assert paced([1.0] * 30).budget_s("SPY", 120.0) == 120.0


def test_a_quiet_name_has_four_times_its_longest_pause() -> None:
    assert paced([60.0] * 29 + [200.0]).budget_s("SPY", 120.0) == 800.0


def test_only_the_last_hundred_pauses_count() -> None:
    assert paced([900.0] + [50.0] * 100).budget_s("SPY", 120.0) == 200.0


def test_no_budget_is_longer_than_two_hours() -> None:
    assert paced([3000.0] * 30).budget_s("SPY", 120.0) == 7200.0


def test_the_same_moment_again_and_an_older_one_are_no_pause() -> None:
    rhythm = paced([50.0] * 30)
    last_ms = 1_000_000 + 30 * 50_000
    rhythm.seen("SPY", last_ms, 0)
    rhythm.seen("SPY", last_ms - 40_000, 0)
    assert rhythm.budget_s("SPY", 1.0) == 200.0


def test_a_night_is_none_of_a_names_pauses() -> None:
    rhythm = paced([50.0] * 30)
    opens_ms = 1_000_000 + 30 * 50_000 + 60_000_000
    rhythm.seen("SPY", opens_ms + 10_000, opens_ms)
    assert rhythm.budget_s("SPY", 1.0) == 200.0
    rhythm.seen("SPY", opens_ms + 90_000, opens_ms)
    assert rhythm.budget_s("SPY", 1.0) == 320.0


def test_names_have_rhythms_of_their_own() -> None:
    assert paced([1.0] * 30).budget_s("QQQ", 120.0) is None


def test_nothing_is_owed_while_no_proof_is_newer() -> None:
    owed: Owed[str] = Owed()
    assert owed.since_ms("SPY", 0, 0) is None
    assert owed.since_ms("SPY", 5_000, 5_000) is None


def test_what_is_owed_counts_from_the_first_proof() -> None:
    owed: Owed[str] = Owed()
    assert owed.since_ms("SPY", 10_000, 4_000) == 10_000
    assert owed.since_ms("SPY", 60_000, 4_000) == 10_000


def test_what_came_pays_and_a_later_proof_counts_anew() -> None:
    owed: Owed[str] = Owed()
    owed.since_ms("SPY", 10_000, 4_000)
    assert owed.since_ms("SPY", 60_000, 12_000) == 60_000
    assert owed.since_ms("SPY", 60_000, 60_000) is None
    assert owed.since_ms("SPY", 70_000, 60_000) == 70_000
