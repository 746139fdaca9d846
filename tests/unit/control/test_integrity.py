from __future__ import annotations

import pytest

from shared.control.integrity import Integrity


def wrong_since(now_s: float, fault: str = "hole") -> Integrity:
    integrity = Integrity()
    integrity.observe(fault, now_s)
    return integrity


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [(100.0, ""), (100.9, ""), (101.0, ""), (101.1, "hole"), (200.0, "hole")],
)
def test_only_what_outlasts_a_second_is_wrong(now_s: float, expected: str) -> None:
    assert wrong_since(100.0).lasting(now_s) == expected


def test_a_lasting_fault_is_reported_once() -> None:
    integrity = wrong_since(100.0)
    assert [integrity.lasting(now_s) for now_s in (101.1, 101.2, 500.0)] == ["hole", "", ""]


def test_a_book_that_never_was_wrong_is_not_reported() -> None:
    assert Integrity().lasting(1000.0) == ""


def test_a_fault_in_transit_is_not_reported() -> None:
    integrity = wrong_since(100.0)
    integrity.observe("", 100.5)
    assert integrity.lasting(102.0) == ""


def test_a_fault_that_comes_back_starts_its_second_afresh() -> None:
    integrity = wrong_since(100.0)
    integrity.observe("", 100.9)
    integrity.observe("hole", 100.95)
    assert [integrity.lasting(101.9), integrity.lasting(102.0)] == ["", "hole"]


def test_observing_the_same_fault_again_does_not_restart_its_second() -> None:
    integrity = wrong_since(100.0)
    integrity.observe("hole", 100.9)
    assert integrity.lasting(101.1) == "hole"


def test_a_fault_that_changes_its_kind_is_one_occurrence_under_its_newest_name() -> None:
    integrity = wrong_since(100.0)
    integrity.observe("crossed", 100.8)
    assert integrity.lasting(101.1) == "crossed"
    integrity.observe("unsorted", 101.2)
    assert integrity.lasting(103.0) == ""


def test_the_next_occurrence_is_reported_again() -> None:
    integrity = wrong_since(100.0)
    integrity.lasting(101.1)
    integrity.observe("", 102.0)
    integrity.observe("hole", 110.0)
    assert [integrity.lasting(111.0), integrity.lasting(111.1)] == ["", "hole"]


def test_a_repair_comes_at_most_once_a_minute() -> None:
    integrity = Integrity()
    assert [integrity.may_repair(now_s) for now_s in (0.0, 1.0, 59.9, 60.0, 61.0, 120.0)] == [
        True, False, False, True, False, True,
    ]  # fmt: skip


def test_a_new_request_forgets_the_fault_and_not_the_repair() -> None:
    integrity = wrong_since(100.0)
    integrity.may_repair(101.1)
    integrity.reset()
    assert (integrity.fault, integrity.lasting(200.0)) == ("", "")
    assert (integrity.may_repair(150.0), integrity.may_repair(161.1)) == (False, True)


def test_a_fault_after_a_new_request_gets_a_second_of_its_own() -> None:
    integrity = wrong_since(100.0)
    integrity.lasting(101.1)
    integrity.reset()
    integrity.observe("hole", 102.0)
    assert [integrity.lasting(102.9), integrity.lasting(103.1)] == ["", "hole"]


def test_a_fault_that_was_refused_its_repair_is_repaired_once_the_minute_is_up() -> None:
    integrity = wrong_since(100.0)
    assert integrity.may_repair(101.5)
    integrity.reset()
    integrity.observe("crossed", 104.0)
    due = [integrity.repair_due(now_s) for now_s in (104.5, 106.0, 161.0, 161.5, 162.0)]
    assert due == [False, False, False, True, True]
