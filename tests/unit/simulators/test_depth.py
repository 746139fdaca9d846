from __future__ import annotations

import pytest

from simulators.tws.depth import Refusal
from simulators.tws.requests import DepthCancel, DepthRequest

from .worlds import accepted, ask, contract, refused, world

NOT_SUPPORTED = "Deep market data is not supported for this combination of security type/exchange"


def test_a_contract_over_the_cap_is_refused_with_the_number() -> None:
    here = world(depth_cap=2)
    accepted(here, ask(1, "SPY"))
    accepted(here, ask(2, "IWM"))
    refusal = refused(here, ask(3, "AAPL"))
    assert refusal == Refusal(309, "Max number (2) of market depth requests has been reached")


def test_a_second_venue_of_a_subscribed_contract_is_not_counted() -> None:
    here = world(depth_cap=1)
    accepted(here, ask(1, "SPY", "ARCA"))
    assert accepted(here, ask(2, "SPY", "BATS")).venue == "BATS"


def test_the_cap_counts_over_all_clients() -> None:
    here = world(depth_cap=1)
    accepted(here, ask(1, "SPY"), connection=1)
    assert refused(here, ask(1, "IWM"), connection=2).code == 309


def test_slots_held_by_others_count() -> None:
    here = world(depth_cap=3)
    here.desk.held_slots = 3
    assert refused(here, ask(1, "SPY")).code == 309


def test_a_cap_changed_at_run_time_stands_in_the_next_refusal() -> None:
    here = world(depth_cap=3)
    accepted(here, ask(1, "SPY"))
    here.options.update("depth_cap", 1)
    assert "(1)" in refused(here, ask(2, "IWM")).text


def test_a_slot_is_free_only_after_the_cancel_lag() -> None:
    here = world(depth_cap=1, cancel_lag_ms=300)
    accepted(here, ask(1, "SPY"))
    assert here.desk.cancel(1, DepthCancel(1, False), 10.0) is None
    assert refused(here, ask(2, "IWM"), now_s=10.299).code == 309
    assert here.desk.counts.events["phantom_309"] == 1
    assert accepted(here, ask(3, "IWM"), now_s=10.3).req_id == 3


def test_who_has_all_slots_itself_is_told_apart_from_who_shares_them() -> None:
    here = world(depth_cap=1)
    accepted(here, ask(1, "SPY"), connection=1)
    refused(here, ask(2, "IWM"), connection=2)
    assert here.desk.counts.events["own_309"] == 0
    refused(here, ask(2, "IWM"), connection=1)
    assert here.desk.counts.events["own_309"] == 1


@pytest.mark.parametrize(
    ("cancelled_s", "counted"), [(10.9, "cancel_crossed"), (11.0, "cancel_of_dropped")]
)
def test_a_cancel_may_cross_the_word_that_its_request_is_over(
    cancelled_s: float, counted: str
) -> None:
    here = world()
    here.desk.drop(accepted(here, ask(1, "SPY")), "dropped", 10.0)
    refusal = here.desk.cancel(1, DepthCancel(1, False), cancelled_s)
    assert refusal is not None
    assert refusal.code == 310
    events = here.desk.counts.events
    assert [name for name in ("cancel_crossed", "cancel_of_dropped") if events[name]] == [counted]


def test_a_disconnected_client_frees_its_slots_after_the_lag() -> None:
    here = world(depth_cap=1, cancel_lag_ms=300)
    accepted(here, ask(1, "SPY"))
    here.desk.disconnect(1, 5.0)
    assert refused(here, ask(1, "IWM"), now_s=5.1, connection=2).code == 309
    assert accepted(here, ask(2, "IWM"), now_s=5.4, connection=2).client_id == 778


def test_cancelling_an_unknown_id_is_310() -> None:
    here = world()
    refusal = here.desk.cancel(1, DepthCancel(44, False), 0.0)
    text = "Can't find the subscribed market depth with tickerId:44"
    assert refusal == Refusal(310, text)
    assert here.desk.counts.events["cancel_of_unknown"] == 1


def test_cancelling_twice_is_310_and_counted() -> None:
    here = world()
    accepted(here, ask(1, "SPY"))
    here.desk.cancel(1, DepthCancel(1, False), 1.0)
    refusal = here.desk.cancel(1, DepthCancel(1, False), 1.0)
    assert refusal is not None
    assert refusal.code == 310
    assert here.desk.counts.events["double_cancel"] == 1


def test_cancelling_a_refused_id_is_310_and_counted() -> None:
    here = world(depth_cap=0)
    refused(here, ask(1, "SPY"))
    refusal = here.desk.cancel(1, DepthCancel(1, False), 1.0)
    assert refusal is not None
    assert refusal.code == 310
    assert here.desk.counts.events["cancel_of_refused"] == 1


def test_a_cancel_with_the_other_smart_flag_cancels_nothing() -> None:
    here = world()
    accepted(here, ask(1, "SPY"))
    refusal = here.desk.cancel(1, DepthCancel(1, True), 1.0)
    assert refusal is not None
    assert refusal.code == 310
    assert here.desk.open_con_ids() == {756733}


def test_a_live_id_used_again_is_322() -> None:
    here = world()
    accepted(here, ask(1, "SPY"))
    refusal = refused(here, ask(1, "IWM"))
    text = "Error processing request.-'bR' : cause - Duplicate ticker id"
    assert refusal == Refusal(322, text)
    assert here.desk.counts.events["reused_live_id"] == 1


def test_the_live_subscription_survives_a_322() -> None:
    here = world()
    accepted(here, ask(1, "SPY"))
    refused(here, ask(1, "IWM"))
    assert here.desk.cancel(1, DepthCancel(1, False), 1.0) is None


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (ask(1, "SPY", ""), "Please enter exchange."),
        (ask(1, "SPY", num_rows=0), "Market depth rows requested must be greater than zero."),
        (
            DepthRequest(1, contract("SPY", "ARCA", "BAG"), 10, False),
            "Market depth does not support combos.",
        ),
    ],
)
def test_an_invalid_request_is_321_with_its_cause(request_: DepthRequest, cause: str) -> None:
    text = f"Error validating request.-'bR' : cause - {cause}"
    assert refused(world(), request_) == Refusal(321, text)


@pytest.mark.parametrize(
    "request_",
    [
        ask(1, "SPY", "SMART"),
        ask(1, "SPY", "EDGX"),
        DepthRequest(1, contract("SPX", "CBOE", "IND"), 10, False),
    ],
)
def test_a_venue_without_depth_is_10092(request_: DepthRequest) -> None:
    assert refused(world(), request_) == Refusal(10092, NOT_SUPPORTED)


def test_an_unknown_symbol_is_200() -> None:
    assert refused(world(), ask(1, "NOSUCHSYM")).code == 200


def test_the_other_spelling_of_nasdaq_is_10092_or_200() -> None:
    assert refused(world(nasdaq_name="ISLAND"), ask(1, "AAPL", "NASDAQ")).code == 10092
    here = world(nasdaq_name="NASDAQ", wrong_venue_code=200)
    assert refused(here, ask(1, "AAPL", "ISLAND")).code == 200


def test_a_missing_entitlement_gives_its_code_for_that_pair_only() -> None:
    here = world()
    here.desk.entitlements[("SPY", "ARCA")] = 354
    assert refused(here, ask(1, "SPY", "ARCA")).code == 354
    assert accepted(here, ask(2, "SPY", "BATS")).venue == "BATS"


def test_smart_requests_are_counted() -> None:
    here = world()
    refused(here, ask(1, "SPY", "SMART"))
    accepted(here, ask(2, "SPY", "SMART", smart=True))
    assert here.desk.counts.events["smart_requests"] == 2


def test_most_contracts_open_at_once_are_remembered() -> None:
    here = world()
    accepted(here, ask(1, "SPY"))
    accepted(here, ask(2, "IWM"))
    here.desk.cancel(1, DepthCancel(1, False), 1.0)
    assert here.desk.counts.distinct_max == 2
    assert here.desk.open_con_ids() == {9579970}
