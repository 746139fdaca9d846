"""Values of a contract that are not what the layout says, and which of them are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.market.option import Chain, Contract
from tests.support.option_bodies import GREEKS, option_row, without
from tests.unit.normalize.test_av_options import read_rows

PRICES = ("last", "mark", "bid", "ask")
COUNTS = ("bid_size", "ask_size", "volume", "open_interest")
# What the vendor's solver writes where it found nothing.
FLOOR = {"implied_volatility": "0.01976", "delta": "1.00000", "gamma": "0.00000", "vega": "0.00000"}


def only(row: dict[str, Any]) -> Contract:
    (contract,) = read_rows(row).contracts
    return contract


def value_of(chain: Chain, name: str) -> Any:
    return getattr(chain.contracts[0], name)


# Prices


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize("sent", ["0.00", "0", "-0.00", 0, 0.0, None])
def test_a_price_of_zero_is_no_price_and_nothing_bad(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**{name: sent}))
    assert (value_of(chain, name), chain.faults.bad_values) == (None, 0)


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize(
    "sent",
    [
        *("-1", "-0.01", -1, "1.7976931348623157E308", 1.7976931348623157e308, "10000000.01"),
        *("", "-", "None", "N/A", "nan", "NaN", "inf", "-Infinity", "1e400", "1,234.50", "$2"),
        *(True, False, [], {}, ["2.00"]),
    ],
)
def test_what_is_no_price_is_left_out_and_counted(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**{name: sent}), option_row(155.0))
    assert (value_of(chain, name), chain.faults.bad_values) == (None, 1)
    assert (len(chain.contracts), chain.faults.dropped) == (2, 0)
    # Its neighbours, and the contract beside it, keep theirs.
    assert [value_of(chain, other) for other in PRICES if other != name] == [
        value for other, value in zip(PRICES, (2.1, 2.05, 2.0, 2.1), strict=True) if other != name
    ]
    assert chain.contracts[1] == only(option_row(155.0))


@pytest.mark.parametrize(
    ("sent", "price"), [("2.5", 2.5), (2.5, 2.5), (3, 3.0), ("1e3", 1000.0), ("0.01", 0.01)]
)
def test_a_price_may_be_a_number_or_a_text(sent: Any, price: float) -> None:
    assert only(option_row(bid=sent)).bid == price


def test_an_offer_below_the_bid_is_kept_as_sent() -> None:
    one = only(option_row(bid="5.00", ask="4.00", mark="9.99"))
    assert (one.bid, one.ask, one.mark) == (5.0, 4.0, 9.99)


# Counts


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    ("sent", "count"),
    [("0", 0), (0, 0), ("12", 12), (12, 12), ("12.0", 12), (12.0, 12), ("1e3", 1000)],
)
def test_a_count_is_a_whole_number_and_may_be_zero(name: str, sent: Any, count: int) -> None:
    chain = read_rows(option_row(**{name: sent}))
    found = value_of(chain, name)
    assert (found, type(found), chain.faults.bad_values) == (count, int, 0)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    "sent", ["-1", -1, "1.5", 1.5, "", "-", "None", "nan", "1e400", "1000000000001", True, []]
)
def test_what_is_no_count_is_left_out_and_counted(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**{name: sent}))
    assert (value_of(chain, name), chain.faults.bad_values) == (None, 1)


@pytest.mark.parametrize("sent", [None, "null"])
@pytest.mark.parametrize("name", [*PRICES, *COUNTS, *GREEKS])
def test_null_is_none_and_nothing_bad(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**{name: sent}))
    assert (value_of(chain, name), chain.faults.bad_values) == (None, 0)


@pytest.mark.parametrize("name", [*PRICES, *COUNTS])
def test_a_missing_price_or_count_is_none_and_nothing_bad(name: str) -> None:
    chain = read_rows(without(option_row(), name))
    assert (value_of(chain, name), chain.faults.bad_values, chain.faults.dropped) == (None, 0, 0)


# Greeks


def test_a_chain_without_the_six_keys_has_no_greeks_and_no_faults() -> None:
    chain = read_rows(without(option_row(), *GREEKS), option_row(155.0))
    assert [value_of(chain, name) for name in GREEKS] == [None] * 6
    assert (chain.metrics.missing_greeks, chain.metrics.with_greeks) == (1, 1)
    assert (chain.faults.bad_values, chain.greeks_coverage) == (0, 0.5)


@pytest.mark.parametrize("name", GREEKS)
def test_one_missing_greek_leaves_the_others(name: str) -> None:
    chain = read_rows(without(option_row(), name))
    assert [other for other in GREEKS if value_of(chain, other) is None] == [name]
    assert (chain.metrics.with_greeks, chain.metrics.missing_greeks) == (1, 0)


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("implied_volatility", "6.33667", 6.33667),
        ("implied_volatility", "4.21478", 4.21478),
        ("theta", "0.00316", 0.00316),
        ("delta", "-1.00000", -1.0),
        ("vega", "-0.00001", -0.00001),
        ("rho", 0.00402, 0.00402),
    ],
)
def test_odd_greeks_are_kept(name: str, sent: Any, value: float) -> None:
    chain = read_rows(option_row(**{name: sent}))
    assert (value_of(chain, name), chain.faults.bad_values) == (value, 0)


@pytest.mark.parametrize("name", GREEKS)
@pytest.mark.parametrize(
    "sent", ["", "-", "None", "nan", "1e400", "-1e400", "1.7976931348623157e308", "-1000001", True]
)
def test_what_is_no_greek_is_left_out_and_counted(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**{name: sent}))
    assert (value_of(chain, name), chain.faults.bad_values) == (None, 1)
    assert chain.metrics.with_greeks == 1


@pytest.mark.parametrize(
    ("delta", "right"), [("1.00000", "call"), ("-1.00000", "put"), (1, "call"), ("-1", "put")]
)
def test_the_floor_of_the_solver_is_no_greeks_at_all(delta: Any, right: str) -> None:
    chain = read_rows(option_row(right=right, **FLOOR | {"delta": delta}))
    assert [value_of(chain, name) for name in GREEKS] == [None] * 6
    metrics = chain.metrics
    assert (metrics.junk_greeks, metrics.missing_greeks, metrics.with_greeks) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("implied_volatility", "0.02000"),
        ("implied_volatility", None),
        ("delta", "0.99999"),
        ("delta", "0.00000"),
        ("delta", None),
        ("gamma", "0.00001"),
        ("gamma", None),
        ("vega", "0.00001"),
        ("vega", None),
    ],
)
def test_greeks_near_the_floor_are_greeks(name: str, sent: Any) -> None:
    chain = read_rows(option_row(**FLOOR | {name: sent}))
    assert (chain.metrics.junk_greeks, chain.metrics.with_greeks) == (0, 1)
    assert value_of(chain, "theta") == -0.02


def test_bad_values_are_counted_over_all_fields() -> None:
    chain = read_rows(option_row(bid="-", volume="None", rho="nan"), option_row(155.0, ask=""))
    assert chain.faults.bad_values == 4


# Fields that are not of the layout


def test_unknown_fields_stay_in_the_row_and_nowhere_else() -> None:
    sent = option_row(new={"a": [{"b": "}, {"}]}, other="text")
    chain = read_rows(sent)
    assert chain.contracts == [only(option_row())]
    assert json.loads(bytes(chain.rows[0])) == sent


def test_the_row_keeps_what_was_sent_where_the_value_was_left_out() -> None:
    sent = option_row(bid="-", ask="0.00", type="CALL")
    chain = read_rows(sent)
    assert json.loads(bytes(chain.rows[0])) == sent


@pytest.mark.parametrize(("sent", "right"), [("CALL", "call"), ("Put", "put")])
def test_the_type_may_be_in_any_case(sent: str, right: str) -> None:
    one = only(option_row(right=right, type=sent))
    assert one.type == right
