from __future__ import annotations

from typing import Any

from shared.store.dashboard_reader import Chain, Contract
from shared.views.smile import curves, summary

DECEMBER = "2026-12-18"


def contract(strike: float, kind: str, iv: float | None = None, oi: int | None = None) -> Contract:
    return Contract(DECEMBER, strike, kind, iv, oi)


def chain(*contracts: Contract, **metrics: Any) -> Chain:
    by_contract = {str(at): one for at, one in enumerate(contracts)}
    expirations = [{"expiration": DECEMBER, "dte": 22}]
    return Chain("2026-11-26", 900, by_contract, expirations, metrics)


def test_a_curve_has_both_legs_of_each_strike_in_order() -> None:
    found = curves(
        chain(
            contract(600, "call", 0.2123456, 10),
            contract(590, "put", 0.22, 4),
            contract(590, "call", 0.21, 7),
        )
    )
    assert found == {
        DECEMBER: {
            "dte": 22.0,
            "strikes": [590, 600],
            "call_iv": [0.21, 0.21235],
            "put_iv": [0.22, None],
            "call_oi": [7, 10],
            "put_oi": [4, None],
        }
    }


def test_what_the_vendor_does_not_know_is_null() -> None:
    found = curves(chain(contract(600, "call")))[DECEMBER]
    assert (found["call_iv"], found["call_oi"]) == ([None], [None])


def test_the_summary_tells_how_whole_the_chain_is_and_how_the_poll_went() -> None:
    monitor = {"status": "ok", "fetched_ts": "950", "dropped": "3", "greeks_coverage": "0.97"}
    found = summary(chain(contracts=600), monitor, {"mid": "585.1"})
    assert (found["there"], found["status"], found["fetched_ms"]) == (True, "ok", 950)
    assert (found["underlying"], found["metrics"]) == (585.1, {"contracts": 600})
    assert (found["told"]["dropped"], found["told"]["greeks_coverage"]) == (3.0, 0.97)


def test_without_a_chain_the_poll_says_why() -> None:
    found = summary(None, {"status": "suspended", "error": "503"}, {})
    assert (found["there"], found["status"], found["error"]) == (False, "suspended", "503")
    assert (found["fetched_ms"], found["metrics"]) == (None, {})
