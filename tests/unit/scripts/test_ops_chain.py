from __future__ import annotations

from typing import Any

import pytest

from scripts.ops.chain_table import picture
from shared.store.ops_market import ChainSeen
from shared.views.chain import ChainView, document, no_chain, underlying, view
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS

NEAR, FAR = "2026-12-18", "2027-01-15"


def contract(strike: float, right: str, expiration: str = NEAR, **changes: Any) -> dict[str, Any]:
    delta = round(0.5 + (586 - strike) / 100, 4)
    return {
        "contractID": f"SPY{expiration}{right}{strike}",
        "expiration": expiration,
        "strike": strike,
        "type": right,
        "bid": 10.02,
        "ask": 10.4,
        "implied_volatility": 0.2206 if right == "call" else 0.2194,
        "delta": delta if right == "call" else round(delta - 1, 4),
        "open_interest": 12_345,
        "volume": 17,
        **changes,
    }


def chain() -> dict[str, Any]:
    strikes = [float(strike) for strike in range(540, 640, 10)]
    contracts = [
        *(contract(strike, right) for strike in strikes for right in ("call", "put")),
        contract(585.0, "call", FAR, bid=None, implied_volatility=None, delta=None),
        contract(602.5, "put", FAR, delta=-0.0),
    ]
    return {
        "symbol": "SPY",
        "as_of": "2026-11-26",
        "fetched_ts": NOW_MS - 9_000,
        "source": "sim",
        "by_contract": {one["contractID"]: one for one in contracts},
        "expirations": [
            row(NEAR, 22, 10, 10),
            row(FAR, 50, 1, 1),
        ],
        "metrics": {"contracts": 22, "put_call_open_interest_ratio": 1.183961},
    }


def row(expiration: str, dte: int, calls: int, puts: int) -> dict[str, Any]:
    return {
        "expiration": expiration,
        "dte": dte,
        "calls": calls,
        "puts": puts,
        "volume": 17 * (calls + puts),
        "open_interest": 12_345 * (calls + puts),
    }


def seen(**changes: Any) -> ChainSeen:
    given: dict[str, Any] = {
        "now_ms": NOW_MS,
        "chain": chain(),
        "ticker": {"mid": "585.155", "last": "585.20"},
        "monitor": {"status": "ok", "fetched_ts": str(NOW_MS - 3_200), "error": ""},
    }
    return ChainSeen(**{**given, **changes})


def shown(expiration: str = "", near: int = 0, **changes: Any) -> ChainView:
    found = view(seen(**changes), "SPY", expiration, near)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("chain_expirations", shown()),
        ("chain_strikes", shown(NEAR, 5)),
        ("chain_one_sided", shown(FAR)),
    ],
)
def test_a_chain_fits_narrow_and_wide_terminals(name: str, found: ChainView) -> None:
    compare(name, picture, found)


def test_the_strike_nearest_the_price_is_at_the_money() -> None:
    assert [one.strike for one in shown(NEAR).strikes if one.at_the_money] == [590.0]


def test_without_a_price_no_strike_is_marked_and_deltas_find_the_middle() -> None:
    found = shown(NEAR, 3, ticker={})
    assert [one.at_the_money for one in found.strikes] == [False] * 3
    assert [one.strike for one in found.strikes] == [580.0, 590.0, 600.0]
    assert [one.iv for one in found.expirations] == [None, None]


@pytest.mark.parametrize(
    ("price", "strikes"),
    [("585", [570.0, 580.0, 590.0]), ("1", [540.0, 550.0, 560.0]), ("999", [610.0, 620.0, 630.0])],
)
def test_near_is_a_whole_window_also_at_the_ends(price: str, strikes: list[float]) -> None:
    found = shown(NEAR, 3, ticker={"mid": price})
    assert [one.strike for one in found.strikes] == strikes
    assert found.left_out == 7


def test_the_price_is_the_middle_of_the_quote_else_the_last_trade() -> None:
    assert underlying({"mid": "585.155", "last": "585.2"}) == 585.155
    assert underlying({"last": "585.2"}) == 585.2
    assert underlying({}) is None


def test_the_volatility_at_the_money_is_that_of_call_and_put() -> None:
    assert shown().expirations[0].iv == pytest.approx(0.22)
    assert shown().expirations[1].iv is None


def test_an_expiration_that_is_not_there_has_no_strikes() -> None:
    assert shown("2026-12-19").strikes == ()


def test_a_chain_that_is_not_ok_says_so() -> None:
    found = shown(monitor={"status": "suspended", "error": "x"})
    assert drawn(picture(found, 160), 160)[0].endswith("fetched 9.0s ago, suspended")


@pytest.mark.parametrize(
    ("monitor", "said"),
    [
        ({}, "no chain of SPY, and nobody says why: does av_options run?"),
        ({"status": "empty"}, "no chain of SPY: empty"),
        ({"status": "error", "error": "HTTP 500"}, "no chain of SPY: error, HTTP 500"),
    ],
)
def test_a_missing_chain_says_what_is_known_of_why(monitor: dict[str, str], said: str) -> None:
    nothing = seen(chain=None, monitor=monitor)
    assert view(nothing, "SPY") is None
    assert no_chain(nothing, "SPY") == said


def test_the_document_lists_expirations_or_the_strikes_of_one() -> None:
    listed = document(shown())
    assert [one.expiration for one in listed["expirations"]] == [NEAR, FAR]
    found = document(shown(NEAR, 5))
    assert (found["expiration"].dte, len(found["strikes"]), found["left_out"]) == (22, 5, 5)
