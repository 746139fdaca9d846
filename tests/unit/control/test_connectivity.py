from __future__ import annotations

import pytest

from shared.control.connectivity import Connectivity, Link, farm

LOST = "Connectivity between IBKR and Trader Workstation has been lost."
BROKEN = "Market data farm connection is broken:usfarm"
OK = "Market data farm connection is OK:usfarm"
HISTORY_BROKEN = "HMDS data farm connection is broken:ushmds"
HISTORY_OK = "HMDS data farm connection is OK:ushmds"


def path() -> Connectivity:
    return Connectivity(restore_deadline_s=60.0)


@pytest.mark.parametrize("code", [1100, 2110])
def test_a_lost_connection_is_acted_on_once_however_often_it_is_said(code: int) -> None:
    state = path()
    answers = [state.notice(code, LOST, now_s) for now_s in (100.0, 101.0, 4000.0)]
    assert answers == [Link.DOWN, Link.NONE, Link.NONE]
    assert (state.down_since_s, state.degraded) == (100.0, "gateway lost IB's servers")


@pytest.mark.parametrize(("code", "expected"), [(1101, Link.RESUBSCRIBE), (1102, Link.VERIFY)])
def test_a_restored_connection_says_what_became_of_the_data(code: int, expected: Link) -> None:
    state = path()
    state.notice(1100, LOST, 100.0)
    assert state.notice(code, "restored", 130.0) is expected
    assert (state.down_since_s, state.degraded) == (None, "")


@pytest.mark.parametrize(("code", "expected"), [(1101, Link.RESUBSCRIBE), (1102, Link.VERIFY)])
def test_a_restoration_without_a_loss_before_it_counts_too(code: int, expected: Link) -> None:
    assert path().notice(code, "restored", 1.0) is expected


def test_a_second_loss_after_a_restoration_is_a_loss_again() -> None:
    state = path()
    codes = (1100, 1102, 1100, 1101)
    assert [state.notice(code, "", 1.0) for code in codes] == [
        Link.DOWN, Link.VERIFY, Link.DOWN, Link.RESUBSCRIBE,
    ]  # fmt: skip


@pytest.mark.parametrize(("now_s", "expected"), [(100.0, False), (160.0, False), (160.1, True)])
def test_a_loss_is_overdue_after_its_deadline(now_s: float, expected: bool) -> None:
    state = path()
    state.notice(1100, LOST, 100.0)
    # Repeats do not move the deadline.
    state.notice(1100, LOST, 155.0)
    assert state.overdue(now_s) is expected


def test_nothing_is_overdue_once_restored() -> None:
    state = path()
    state.notice(1100, LOST, 100.0)
    state.notice(1102, "", 110.0)
    assert not state.overdue(10_000.0)


def test_a_farm_that_broke_and_came_back_renews_the_subscriptions() -> None:
    state = path()
    assert state.notice(2103, BROKEN, 10.0) is Link.NONE
    assert state.degraded == "market data farm broken: usfarm"
    assert state.notice(2104, OK, 20.0) is Link.RENEW
    assert state.degraded == ""


def test_a_farm_that_comes_back_twice_renews_once() -> None:
    state = path()
    state.notice(2103, BROKEN, 10.0)
    assert [state.notice(2104, OK, 20.0), state.notice(2104, OK, 21.0)] == [Link.RENEW, Link.NONE]


def test_the_ok_notices_of_a_login_mean_nothing() -> None:
    state = path()
    assert {state.notice(code, OK, 1.0) for code in (2104, 2106, 2158, 2119)} == {Link.NONE}


def test_another_farms_return_leaves_the_broken_one_broken() -> None:
    state = path()
    state.notice(2103, BROKEN, 10.0)
    state.notice(2103, "Market data farm connection is broken:usfarm.nj", 11.0)
    assert state.degraded == "market data farm broken: usfarm, usfarm.nj"
    assert state.notice(2104, "Market data farm connection is OK:usfarm.nj", 12.0) is Link.RENEW
    assert state.degraded == "market data farm broken: usfarm"


def test_a_farm_keeps_the_time_it_first_broke() -> None:
    state = path()
    state.notice(2103, BROKEN, 10.0)
    state.notice(2103, BROKEN, 30.0)
    assert state.broken_farms == {"usfarm": 10.0}


def test_a_history_farm_that_broke_and_came_back_renews_what_it_serves() -> None:
    state = path()
    assert state.notice(2105, HISTORY_BROKEN, 10.0) is Link.NONE
    assert state.broken_history_farms == {"ushmds": 10.0}
    assert state.notice(2106, HISTORY_OK, 20.0) is Link.RENEW_HISTORY
    assert state.broken_history_farms == {}


def test_a_history_farm_that_comes_back_twice_renews_once() -> None:
    state = path()
    state.notice(2105, HISTORY_BROKEN, 10.0)
    answers = [state.notice(2106, HISTORY_OK, now_s) for now_s in (20.0, 21.0)]
    assert answers == [Link.RENEW_HISTORY, Link.NONE]


def test_a_history_farm_keeps_the_time_it_first_broke() -> None:
    state = path()
    state.notice(2105, HISTORY_BROKEN, 10.0)
    state.notice(2105, HISTORY_BROKEN, 30.0)
    assert state.broken_history_farms == {"ushmds": 10.0}


def test_another_history_farms_return_leaves_the_broken_one_broken() -> None:
    state = path()
    state.notice(2105, HISTORY_BROKEN, 10.0)
    assert state.notice(2106, "HMDS data farm connection is OK:euhmds", 11.0) is Link.NONE
    assert state.broken_history_farms == {"ushmds": 10.0}


def test_quotes_can_be_trusted_while_a_history_farm_is_broken() -> None:
    state = path()
    state.notice(2105, HISTORY_BROKEN, 10.0)
    assert (state.degraded, state.broken_farms) == ("", {})


def test_farms_of_quotes_and_of_history_break_and_come_back_apart() -> None:
    state = path()
    state.notice(2105, "HMDS data farm connection is broken:usfarm", 10.0)
    assert state.notice(2104, OK, 11.0) is Link.NONE
    state.notice(2103, BROKEN, 12.0)
    assert state.notice(2106, "HMDS data farm connection is OK:usfarm", 13.0) is Link.RENEW_HISTORY
    assert state.degraded == "market data farm broken: usfarm"


@pytest.mark.parametrize("code", [1101, 1102])
def test_a_full_restoration_forgets_broken_history_farms(code: int) -> None:
    state = path()
    state.notice(2105, HISTORY_BROKEN, 10.0)
    state.notice(code, "", 20.0)
    assert state.broken_history_farms == {}
    assert state.notice(2106, HISTORY_OK, 21.0) is Link.NONE


def test_a_full_restoration_forgets_broken_farms() -> None:
    state = path()
    state.notice(2103, BROKEN, 10.0)
    state.notice(1101, "", 20.0)
    assert (state.degraded, state.notice(2104, OK, 21.0)) == ("", Link.NONE)


def test_a_moved_port_needs_a_new_connection() -> None:
    text = "TWS socket port has been reset and this connection is being dropped."
    assert path().notice(1300, text, 1.0) is Link.REBUILD


@pytest.mark.parametrize("code", [100, 200, 309, 317, 2100, 2105, 2107, 2108, 2150, 2152, 9999])
def test_other_codes_say_nothing_about_the_connection(code: int) -> None:
    state = path()
    assert (state.notice(code, "text", 1.0), state.degraded) == (Link.NONE, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BROKEN, "usfarm"),
        (OK, "usfarm"),
        ("Market data farm connection is OK:usfarm.nj", "usfarm.nj"),
        (HISTORY_BROKEN, "ushmds"),
        ("Market data farm is connecting: cash-farm ", "cash-farm"),
        ("Market data farm connection is broken", "Market data farm connection is broken"),
    ],
)
def test_a_farm_is_named_at_the_end_of_the_text(text: str, expected: str) -> None:
    assert farm(text) == expected
