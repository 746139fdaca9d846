from __future__ import annotations

import hiredis
import pytest

from shared.market.depth import DepthUpdate
from shared.store.flush import Flush
from shared.store.outcome import Outcome, first_passing, judge
from tests.unit.store.updates import update, updates

OOM = hiredis.ReplyError("OOM command not allowed when used memory > 'maxmemory'.")
WRONGTYPE = hiredis.ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value")
ID = b"1001-1"


def flush(*items: DepthUpdate, shares: list[int] | None = None) -> Flush[DepthUpdate]:
    return Flush(b"", items, [], None, shares)


def test_without_an_error_everything_is_written() -> None:
    batch = updates(1, 2)
    assert judge(flush(*batch), [ID, ID, b"OK"]) == Outcome(written=tuple(batch))


def test_errors_behind_the_items_do_not_concern_them() -> None:
    batch = updates(1)
    assert judge(flush(*batch), [ID, OOM, WRONGTYPE]) == Outcome(written=batch)


def test_items_refused_for_the_moment_are_to_be_sent_again() -> None:
    one, two, three = updates(1, 2, 3)
    assert judge(flush(one, two, three), [ID, OOM, OOM]) == Outcome([one], [two, three], [])


def test_an_item_behind_which_a_later_one_went_through_is_refused_for_good() -> None:
    one, two, three = updates(1, 2, 3)
    assert judge(flush(one, two, three), [ID, OOM, ID]) == Outcome([one, three], [], [(two, 1)])


def test_a_later_item_of_another_symbol_does_not_matter() -> None:
    one, other = update(1), update(9, "QQQ")
    assert judge(flush(one, other), [OOM, ID]) == Outcome([other], [one], [])


def test_an_error_that_no_retry_cures_refuses_its_item_alone() -> None:
    one, two = updates(1, 2)
    assert judge(flush(one, two), [ID, WRONGTYPE]) == Outcome([one], [], [(two, 1)])


def test_one_reply_answers_for_several_items() -> None:
    one, two, three = updates(1, 2, 3)
    shared = flush(one, two, three, shares=[2, 1])
    assert judge(shared, [ID, ID, OOM]) == Outcome(written=[one, two, three])
    assert judge(shared, [OOM, WRONGTYPE]) == Outcome([], [one, two], [(three, 1)])


@pytest.mark.parametrize(
    "code",
    ["LOADING", "OOM", "READONLY", "BUSY", "NOSCRIPT", "MISCONF", "MASTERDOWN", "CLUSTERDOWN"],
)
def test_codes_that_pass_are_found_wherever_they_stand(code: str) -> None:
    assert first_passing([ID, WRONGTYPE, hiredis.ReplyError(f"{code} text")]) == 2


def test_replies_without_a_passing_error_have_none() -> None:
    assert first_passing([ID, WRONGTYPE, b"OOM", None, 1]) is None
