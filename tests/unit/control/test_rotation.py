from __future__ import annotations

import pytest

from shared.control.rotation import RotationPolicy
from tests.unit.control.scripted import at, live, pair, rotation, run, told


def test_nothing_is_asked_for_before_the_gateway_is_there() -> None:
    assert at(rotation("ABC", connected=False), 0.0) == ""


def test_ten_pairs_take_turns_in_batches_of_three() -> None:
    assert run(rotation("ABCDEFGHIJ"), 0.0, 64.0) == [
        "0 +A0 +B1 +C2",
        "15 -A0 -B1 -C2",
        "16 +D0 +E1 +F2",
        "31 -D0 -E1 -F2",
        "32 +G0 +H1 +I2",
        "47 -G0 -H1 -I2",
        "48 +J0 +A1 +B2",
        "63 -J0 -A1 -B2",
        "64 +C0 +D1 +E2",
    ]


def test_a_cancelled_slot_is_not_used_before_it_has_cooled_down() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    assert [at(rotating, now_s) for now_s in (14.9, 15.0, 15.9, 16.0)] == [
        "", "-A0 -B1 -C2", "", "+D0 +A1 +B2",
    ]  # fmt: skip


def test_a_slot_cools_down_from_when_its_cancel_was_sent() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    assert at(rotating, 15.0) == "-A0 -B1 -C2"
    rotating.cancelled(1, 15.7)
    assert [at(rotating, now_s) for now_s in (16.0, 16.6, 16.7)] == ["+D0 +A2", "", "+B1"]


def test_a_late_decision_still_gives_a_batch_its_whole_dwell() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    assert [at(rotating, now_s) for now_s in (40.0, 50.0, 64.9, 65.0)] == [
        "-A0 -B1 -C2", "+D0 +E1 +F2", "", "-D0 -E1 -F2",
    ]  # fmt: skip


def test_a_pinned_pair_comes_first_and_stays() -> None:
    assert run(rotation("ABCDP", pinned="P"), 0.0, 48.0) == [
        "0 +P0 +A1 +B2",
        "15 -A1 -B2",
        "16 +C1 +D2",
        "31 -C1 -D2",
        "32 +A1 +B2",
        "47 -A1 -B2",
        "48 +C1 +D2",
    ]


@pytest.mark.parametrize(("names", "pinned"), [("AB", ""), ("ABC", ""), ("ABP", "P"), ("A", "")])
def test_pairs_that_all_fit_never_rotate(names: str, pinned: str) -> None:
    rotating = rotation(names, pinned)
    assert len(run(rotating, 0.0, 200.0)) == 1
    assert live(rotating) == names


def test_a_pair_that_joins_a_free_slot_is_asked_for_at_once() -> None:
    rotating = rotation("AB")
    at(rotating, 0.0)
    rotating.include(pair("C"))
    assert at(rotating, 5.0) == "+C2"


def test_a_pair_that_joins_full_slots_gets_the_next_turn() -> None:
    rotating = rotation("ABC")
    at(rotating, 0.0)
    rotating.include(pair("D"))
    assert run(rotating, 5.0, 16.0) == ["15 -A0 -B1 -C2", "16 +D0 +A1 +B2"]


def test_including_a_pair_twice_asks_for_it_once() -> None:
    rotating = rotation("")
    rotating.include(pair("A"))
    rotating.include(pair("A"))
    assert (at(rotating, 0.0), rotating.pairs) == ("+A0", [pair("A")])


def test_an_excluded_pair_frees_its_slot_at_once_and_is_skipped() -> None:
    rotating = rotation("ABCDE")
    at(rotating, 0.0)
    rotating.exclude(pair("B"))
    assert run(rotating, 1.0, 32.0) == [
        "1 +D1", "15 -A0 -C2 -D1", "16 +E0 +A1 +C2", "31 -E0 -A1 -C2", "32 +D0 +E1 +A2",
    ]  # fmt: skip


def test_an_excluded_pair_that_waits_is_never_asked_for() -> None:
    rotating = rotation("ABCD")
    rotating.exclude(pair("D"))
    assert run(rotating, 0.0, 100.0) == ["0 +A0 +B1 +C2"]


def test_an_included_pair_queues_behind_the_others() -> None:
    rotating = rotation("ABCDE")
    rotating.exclude(pair("A"))
    at(rotating, 0.0)
    rotating.include(pair("A"))
    assert (live(rotating), run(rotating, 15.0, 16.0)) == (
        "BCD", ["15 -B0 -C1 -D2", "16 +E0 +A1 +B2"],
    )  # fmt: skip


def test_excluding_every_live_pair_begins_a_new_batch() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    for name in "ABC":
        rotating.exclude(pair(name))
    assert [at(rotating, now_s) for now_s in (14.0, 28.9)] == ["+D0 +E1 +F2", ""]


def test_a_resubscribed_pair_comes_back_first_once_its_slot_has_cooled_down() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    assert told(rotating.resubscribe(pair("B"), 5.0)) == "-B1"
    assert [at(rotating, now_s) for now_s in (5.0, 5.9, 6.0)] == ["", "", "+B1"]


def test_a_resubscription_does_not_move_the_end_of_the_batch() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    rotating.resubscribe(pair("B"), 5.0)
    assert run(rotating, 5.0, 16.0) == ["6 +B1", "15 -A0 -C2 -B1", "16 +D0 +A1 +C2"]


def test_a_pair_that_is_not_live_has_nothing_to_resubscribe() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    assert rotating.resubscribe(pair("D"), 1.0) == []


def test_a_pair_resubscribed_and_then_excluded_stays_out_until_included() -> None:
    rotating = rotation("AB")
    at(rotating, 0.0)
    rotating.resubscribe(pair("A"), 5.0)
    rotating.exclude(pair("A"))
    assert run(rotating, 5.0, 60.0) == []
    rotating.include(pair("A"))
    assert at(rotating, 61.0) == "+A0"


def test_a_request_the_gateway_ended_comes_again_at_once() -> None:
    rotating = rotation("ABCD")
    at(rotating, 0.0)
    rotating.ended(pair("C"))
    assert at(rotating, 1.0) == "+C2"


def test_a_lost_connection_cancels_nothing_and_asks_for_the_same_pairs_first() -> None:
    rotating = rotation("ABCDEF")
    run(rotating, 0.0, 16.0)
    rotating.disconnected()
    assert (live(rotating), at(rotating, 20.0)) == ("", "")
    rotating.connected()
    assert run(rotating, 21.0, 37.0) == ["21 +D0 +E1 +F2", "36 -D0 -E1 -F2", "37 +A0 +B1 +C2"]


def test_a_new_connection_has_no_slot_to_cool_down() -> None:
    rotating = rotation("ABCD")
    run(rotating, 0.0, 15.0)
    rotating.disconnected()
    rotating.connected()
    assert at(rotating, 15.2) == "+D0 +A1 +B2"


def test_subscriptions_the_gateway_forgot_are_asked_for_again_without_a_cancel() -> None:
    rotating = rotation("ABCDE")
    at(rotating, 0.0)
    rotating.subscriptions_lost()
    assert run(rotating, 7.0, 23.0) == ["7 +A0 +B1 +C2", "22 -A0 -B1 -C2", "23 +D0 +E1 +A2"]


def test_slots_that_cool_down_are_still_counted_after_lost_subscriptions() -> None:
    rotating = rotation("ABC")
    at(rotating, 0.0)
    rotating.resubscribe(pair("A"), 5.0)
    rotating.subscriptions_lost()
    assert [at(rotating, 5.5), at(rotating, 6.0)] == ["+A1 +B2", "+C0"]


def test_a_pinned_pair_survives_lost_subscriptions_in_front() -> None:
    rotating = rotation("ABCDP", pinned="P")
    run(rotating, 0.0, 16.0)
    rotating.subscriptions_lost()
    assert at(rotating, 17.0) == "+P0 +C1 +D2"


def test_stopping_cancels_what_is_open_and_nothing_follows() -> None:
    rotating = rotation("ABCDE")
    at(rotating, 0.0)
    assert told(rotating.stop()) == "-A0 -B1 -C2"
    assert (live(rotating), run(rotating, 1.0, 60.0)) == ("", [])


def test_batches_are_counted() -> None:
    rotating = rotation("ABCDEFGHIJ")
    run(rotating, 0.0, 64.0)
    assert rotating.batches == 5


@pytest.mark.parametrize(
    ("names", "pinned", "slots", "expected_s"),
    [
        ("ABCDEFGHIJ", "", 3, 64.0),
        ("ABCDEFGHIJ", "A", 3, 80.0),
        ("ABCDEFGHIJ", "AB", 3, 128.0),
        ("ABCDEFGHIJ", "", 2, 80.0),
        ("ABCDEFGHIJ", "AB", 2, 128.0),
        ("ABCDEFGHIJ", "", 1, 160.0),
        ("ABCDEFGHI", "", 3, 48.0),
        ("AB", "", 3, 16.0),
        ("AB", "AB", 3, 0.0),
        ("", "", 3, 0.0),
    ],
)
def test_the_window_is_the_contracts_formula(
    names: str, pinned: str, slots: int, expected_s: float
) -> None:
    rotating = rotation(names, pinned)
    rotating.slots = slots
    assert rotating.window_s() == expected_s


def test_the_window_leaves_out_excluded_pairs() -> None:
    rotating = rotation("ABCDEFGHIJP", pinned="P")
    for name in "ABCDP":
        rotating.exclude(pair(name))
    assert rotating.window_s() == 32.0


def test_the_window_follows_dwell_and_cooldown() -> None:
    rotating = rotation("ABCDEF", policy=RotationPolicy(2, 30.0, 2.5))
    assert rotating.window_s() == 97.5
