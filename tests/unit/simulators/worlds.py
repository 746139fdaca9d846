"""A simulated world and requests to it, as literal values for the tests of this layer."""

from __future__ import annotations

from typing import Any

from simulators.tws.depth import Refusal, Subscription
from simulators.tws.options import Options
from simulators.tws.requests import ContractFields, DepthRequest
from simulators.tws.world import World

__all__ = ["accepted", "ask", "contract", "refused", "world"]


def world(**options: Any) -> World:
    return World.create(Options(**options), seed=7, replays={})


def contract(symbol: str, exchange: str, sec_type: str = "STK") -> ContractFields:
    return ContractFields(0, symbol, sec_type, "", "0.0", "", "", exchange, "", "USD", "", "")


def ask(
    req_id: int, symbol: str, exchange: str = "ARCA", num_rows: int = 10, smart: bool = False
) -> DepthRequest:
    return DepthRequest(req_id, contract(symbol, exchange), num_rows, smart)


def accepted(
    here: World, request: DepthRequest, now_s: float = 0.0, connection: int = 1
) -> Subscription:
    outcome = here.desk.subscribe(connection, 776 + connection, request, now_s)
    assert isinstance(outcome, Subscription), outcome
    return outcome


def refused(here: World, request: DepthRequest, now_s: float = 0.0, connection: int = 1) -> Refusal:
    outcome = here.desk.subscribe(connection, 776 + connection, request, now_s)
    assert isinstance(outcome, Refusal), outcome
    return outcome
