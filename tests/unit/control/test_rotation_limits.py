"""Error 309: the gateway allows fewer depth requests than asked for."""

from __future__ import annotations

import pytest

from shared.control.rotation import RotationPolicy
from tests.unit.control.scripted import at, live, pair, rotation, run


def test_a_refusal_shrinks_the_slots_at_once_and_pauses_new_requests() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    rotating.refused(pair("C"), 2, 0.1)
    assert (rotating.slots, rotating.refusals, live(rotating)) == (2, 1, "AB")
    assert run(rotating, 0.5, 14.5) == []


def test_a_refused_pair_is_never_cancelled_and_comes_first_again() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    rotating.refused(pair("C"), 2, 0.1)
    assert run(rotating, 0.5, 32.0) == [
        "15 -A0 -B1", "16 +C0 +D1", "31 -C0 -D1", "32 +E0 +F1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([2], 2), ([1], 1), ([3], 2), ([60], 2), ([None], 2), ([0], 1), ([-1], 1),
        ([None, None], 1), ([2, 1], 1), ([None, None, None, None], 1), ([0, 0], 1), ([2, 2], 1),
    ],
)  # fmt: skip
def test_the_limit_of_the_text_counts_where_it_is_lower(
    limits: list[int | None], expected: int
) -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    for name, limit in zip("CBAD", limits, strict=False):
        rotating.refused(pair(name), limit, 0.1)
    assert rotating.slots == expected


def test_slots_shrink_from_three_to_one_and_keep_one() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    seen = []
    for name in "CBA":
        rotating.refused(pair(name), None, 0.1)
        seen.append(rotating.slots)
    assert (seen, live(rotating)) == ([2, 1, 1], "")


def test_the_first_request_after_a_refusal_waits_for_the_cooldown() -> None:
    rotating = rotation("ABC")
    at(rotating, 0.0)
    for name in "ABC":
        rotating.refused(pair(name), 1, 0.5)
    assert [at(rotating, now_s) for now_s in (1.0, 8.4, 8.5)] == ["", "", "+A0"]


def test_a_later_refusal_extends_the_cooldown() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    for name, now_s in (("C", 0.0), ("B", 4.0), ("A", 4.0)):
        rotating.refused(pair(name), None, now_s)
    assert [at(rotating, 8.0), at(rotating, 12.0)] == ["", "+C0"]


def test_live_pairs_beyond_a_shrunk_limit_leave_with_their_batch() -> None:
    rotating = rotation("ABC")
    at(rotating, 0.0)
    rotating.ended(pair("C"))
    rotating.refused(pair("D"), 1, 1.0)
    assert run(rotating, 1.0, 16.0) == ["15 -A0 -B1", "16 +C0"]


def test_pinned_pairs_outlive_a_shrunk_limit() -> None:
    rotating = rotation("ABPQ", pinned="PQ")
    at(rotating, 0.0)
    rotating.refused(pair("A"), 2, 0.1)
    assert (run(rotating, 1.0, 59.5), live(rotating)) == ([], "PQ")


def test_pinned_pairs_beyond_the_limit_leave_too() -> None:
    rotating = rotation("ABPQ", pinned="PQ")
    at(rotating, 0.0)
    rotating.refused(pair("A"), 1, 0.1)
    assert run(rotating, 1.0, 15.0) == ["15 -Q1"]
    assert live(rotating) == "P"


def test_slots_that_pinned_pairs_fill_after_a_refusal_grow_back_all_the_same() -> None:
    rotating = rotation("ABPQ", pinned="PQ")
    at(rotating, 0.0)
    rotating.refused(pair("A"), 2, 0.1)
    lines = run(rotating, 1.0, 80.0)
    assert (rotating.slots, lines[0].split()[1]) == (3, "+A2")


def test_shrunk_slots_grow_by_one_after_four_quiet_dwells_each() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    for name in "CB":
        rotating.refused(pair(name), None, 0.1)
    history = [(0.1, rotating.slots)]
    for n in range(2, 300):
        at(rotating, n / 2)
        if rotating.slots != history[-1][1]:
            history.append((n / 2, rotating.slots))
    assert history == [(0.1, 1), (63.0, 2), (127.0, 3)]


def test_slots_never_grow_beyond_the_policy() -> None:
    rotating = rotation("ABCDEF")
    run(rotating, 0.0, 500.0)
    assert rotating.slots == 3


def test_a_refusal_starts_the_quiet_dwells_afresh() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    rotating.refused(pair("C"), 2, 0.1)
    run(rotating, 1.0, 50.0)
    assert rotating.stable_cycles == 3
    rotating.refused(next(iter(rotating.live)), 2, 50.1)
    assert (rotating.stable_cycles, rotating.slots) == (0, 1)


def test_a_dwell_that_ends_within_the_cooldown_is_not_a_quiet_one() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    rotating.refused(pair("C"), 2, 10.0)
    at(rotating, 15.0)
    assert rotating.stable_cycles == 0


def test_a_shrunk_limit_outlives_the_connection() -> None:
    rotating = rotation("ABCDEF")
    at(rotating, 0.0)
    rotating.refused(pair("C"), 2, 0.1)
    rotating.disconnected()
    rotating.connected()
    assert at(rotating, 20.0) == "+C0 +A1"


def test_a_slot_that_grew_back_is_tried_with_the_others_not_alone() -> None:
    rotating = rotation("ABCD", policy=RotationPolicy(slots=2, recovery_cycles=1))
    at(rotating, 0.0)
    rotating.refused(pair("B"), 1, 0.1)
    assert run(rotating, 1.0, 16.0) == ["15 -A0", "16 +B0 +C1"]


def test_a_batch_lives_on_while_nothing_could_follow_it() -> None:
    rotating = rotation("ABCDEF")
    assert at(rotating, 0.0) == "+A0 +B1 +C2"
    rotating.refused(pair("C"), 2, 14.0)
    assert run(rotating, 14.0, 21.5) == []
    assert live(rotating) == "AB"
    assert at(rotating, 22.0) == "-A0 -B1"
