from __future__ import annotations

from typing import Any

import pytest

from shared.market.option import (
    Chain,
    ChainFaults,
    ChainMetrics,
    Contract,
    Expiration,
    Summary,
    bare_prices,
    empty_chain,
    has_greeks,
    is_junk,
    without_greeks,
)

GREEKS = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")


def contract(right: Any = "call", expiration: Any = "2017-12-15", **fields: Any) -> Contract:
    values: dict[str, Any] = {
        "contractID": "IBM171215C00150000",
        "symbol": "IBM",
        "expiration": expiration,
        "strike": 150.0,
        "type": right,
        "last": 2.1,
        "mark": 2.05,
        "bid": 2.0,
        "bid_size": 10,
        "ask": 2.1,
        "ask_size": 20,
        "volume": 5,
        "open_interest": 50,
        "date": "2017-11-15",
        "implied_volatility": 0.2,
        "delta": 0.5,
        "gamma": 0.01,
        "theta": -0.02,
        "vega": 0.1,
        "rho": 0.05,
    }
    return Contract(**(values | fields))


def floor(**fields: Any) -> Contract:
    found: dict[str, Any] = {"implied_volatility": 0.01976, "delta": 1.0, "gamma": 0.0, "vega": 0.0}
    return contract(**(found | fields))


def summary(*contracts: Contract, junk: int = 0) -> tuple[list[Expiration], ChainMetrics]:
    found = Summary()
    found.add(contracts, junk)
    return found.finished("2017-11-15")


@pytest.mark.parametrize("name", ["last", "mark", "bid", "ask"])
def test_a_price_of_zero_becomes_none_and_the_others_stay(name: str) -> None:
    one = contract(**{name: 0.0})
    bare_prices([one])
    prices = {"last": 2.1, "mark": 2.05, "bid": 2.0, "ask": 2.1}
    assert {name: getattr(one, name) for name in prices} == prices | {name: None}


def test_sizes_and_greeks_of_zero_stay_zero() -> None:
    one = contract(bid_size=0, volume=0, open_interest=0, delta=0.0, gamma=0.0)
    bare_prices([one])
    assert (one.bid_size, one.volume, one.open_interest, one.delta, one.gamma) == (
        0,
        0,
        0,
        0.0,
        0.0,
    )


@pytest.mark.parametrize("delta", [1.0, -1.0])
def test_the_floor_of_the_solver_is_junk(delta: float) -> None:
    assert is_junk(floor(delta=delta))
    assert is_junk(floor(delta=delta, gamma=-0.0, vega=-0.0, theta=None, rho=None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("implied_volatility", 0.02),
        ("implied_volatility", None),
        ("delta", 0.99999),
        ("delta", 0.0),
        ("delta", None),
        ("gamma", 0.00001),
        ("gamma", None),
        ("vega", 0.00001),
        ("vega", None),
    ],
)
def test_what_differs_from_the_floor_is_no_junk(name: str, value: float | None) -> None:
    assert not is_junk(floor(**{name: value}))


def test_greeks_taken_away_leave_none_and_nothing_else_changes() -> None:
    one = contract()
    without_greeks(one)
    assert not has_greeks(one)
    assert one == contract(**dict.fromkeys(GREEKS))


@pytest.mark.parametrize("name", GREEKS)
def test_one_greek_alone_is_greeks_even_when_it_is_zero(name: str) -> None:
    assert has_greeks(contract(**(dict.fromkeys(GREEKS) | {name: 0.0})))


# Summary


def test_metrics_count_contracts_sides_and_greeks() -> None:
    none: dict[str, Any] = dict.fromkeys(GREEKS)
    _, metrics = summary(
        contract(volume=10, open_interest=100),
        contract("put", volume=4, open_interest=30),
        contract("put", volume=1, open_interest=20, bid=None),
        contract(volume=None, open_interest=None, ask=None, **none),
        contract(volume=0, open_interest=0, bid=None, ask=None, **none),
        junk=1,
    )
    assert metrics == ChainMetrics(
        contracts=5,
        calls=3,
        puts=2,
        two_sided=2,
        with_greeks=3,
        missing_greeks=1,
        junk_greeks=1,
        volume=15,
        open_interest=150,
        put_call_volume_ratio=0.5,
        put_call_open_interest_ratio=0.5,
    )


def test_ratios_are_puts_over_calls_to_six_decimals() -> None:
    _, metrics = summary(
        contract(volume=3, open_interest=7), contract("put", volume=1, open_interest=22)
    )
    assert metrics.put_call_volume_ratio == 0.333333
    assert metrics.put_call_open_interest_ratio == 3.142857


def test_there_is_no_ratio_without_calls_that_traded() -> None:
    _, metrics = summary(contract(volume=0), contract("put", volume=9))
    assert (metrics.put_call_volume_ratio, metrics.put_call_open_interest_ratio) == (None, 1.0)
    _, metrics = summary(contract("put"))
    assert metrics.put_call_open_interest_ratio is None
    _, metrics = summary(contract())
    assert (metrics.put_call_volume_ratio, metrics.put_call_open_interest_ratio) == (0.0, 0.0)


def test_expirations_come_soonest_first_with_days_and_figures() -> None:
    expirations, _ = summary(
        contract("put", "2018-01-19", volume=1, open_interest=2),
        contract("call", "2017-11-15", volume=10, open_interest=20),
        contract("call", "2018-01-19", volume=None, open_interest=4),
        contract("put", "2017-11-15", volume=5, open_interest=None),
        contract("put", "2017-11-14"),
    )
    assert expirations == [
        Expiration("2017-11-14", -1, 0, 1, 5, 50),
        Expiration("2017-11-15", 0, 1, 1, 15, 20),
        Expiration("2018-01-19", 65, 1, 1, 1, 6),
    ]


def test_a_summary_in_parts_is_that_of_the_whole() -> None:
    contracts = [
        contract(("call", "put")[n % 2], f"2017-12-{1 + n % 5:02d}", volume=n, open_interest=n * n)
        for n in range(50)
    ]
    whole = summary(*contracts, junk=0)
    parts = Summary()
    for start in range(0, 50, 7):
        parts.add(contracts[start : start + 7], 0)
    assert parts.finished("2017-11-15") == whole


def test_a_summary_of_nothing_is_all_zero() -> None:
    assert summary() == ([], ChainMetrics())


# Chains


@pytest.mark.parametrize(
    ("known", "count", "share"), [(3, 3, 1.0), (0, 3, 0.0), (1, 3, 0.3333), (2, 3, 0.6667)]
)
def test_coverage_is_the_share_with_greeks(known: int, count: int, share: float) -> None:
    metrics = ChainMetrics(with_greeks=known)
    chain = Chain("IBM", "", 0, [contract()] * count, [], [], metrics, ChainFaults())
    assert chain.greeks_coverage == share


def test_an_empty_chain_has_nothing_and_no_coverage() -> None:
    chain = empty_chain("IBM", 7)
    assert (chain.symbol, chain.fetched_ms, chain.contracts, chain.rows) == ("IBM", 7, [], [])
    assert (chain.metrics, chain.faults) == (ChainMetrics(), ChainFaults())
    assert chain.greeks_coverage is None
