from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simulators.errors import WireError

from .request_fields import ContractFields, integer
from .requests_data import DATA_PARSERS, DataRequest

__all__ = [
    "AccountSummary",
    "AccountUpdates",
    "AccountUpdatesMulti",
    "AutoOpenOrders",
    "CompletedOrders",
    "ContractDetails",
    "ContractFields",
    "CurrentTime",
    "DepthCancel",
    "DepthExchanges",
    "DepthRequest",
    "Executions",
    "MarketDataType",
    "OpenOrders",
    "Positions",
    "Request",
    "StartApi",
    "UnknownRequest",
    "parse_request",
]


@dataclass(frozen=True, slots=True)
class StartApi:
    client_id: int
    optional_capabilities: str


@dataclass(frozen=True, slots=True)
class ContractDetails:
    req_id: int
    contract: ContractFields


@dataclass(frozen=True, slots=True)
class DepthRequest:
    req_id: int
    contract: ContractFields
    num_rows: int
    smart: bool


@dataclass(frozen=True, slots=True)
class DepthCancel:
    req_id: int
    smart: bool


@dataclass(frozen=True, slots=True)
class DepthExchanges:
    pass


@dataclass(frozen=True, slots=True)
class Positions:
    pass


@dataclass(frozen=True, slots=True)
class OpenOrders:
    pass


@dataclass(frozen=True, slots=True)
class CompletedOrders:
    pass


@dataclass(frozen=True, slots=True)
class AutoOpenOrders:
    pass


@dataclass(frozen=True, slots=True)
class CurrentTime:
    pass


@dataclass(frozen=True, slots=True)
class AccountUpdates:
    subscribe: bool
    account: str


@dataclass(frozen=True, slots=True)
class AccountUpdatesMulti:
    req_id: int


@dataclass(frozen=True, slots=True)
class AccountSummary:
    req_id: int


@dataclass(frozen=True, slots=True)
class Executions:
    req_id: int


@dataclass(frozen=True, slots=True)
class MarketDataType:
    kind: int


@dataclass(frozen=True, slots=True)
class UnknownRequest:
    message_id: int
    fields: tuple[str, ...]


Request = (
    AccountSummary
    | AccountUpdates
    | AccountUpdatesMulti
    | AutoOpenOrders
    | CompletedOrders
    | ContractDetails
    | CurrentTime
    | DataRequest
    | DepthCancel
    | DepthExchanges
    | DepthRequest
    | Executions
    | MarketDataType
    | OpenOrders
    | Positions
    | StartApi
    | UnknownRequest
)


def parse_request(fields: Sequence[str]) -> Request:
    message_id = integer(fields[0] if fields else "", "message id")
    known = _PARSERS.get(message_id)
    if known is None:
        return UnknownRequest(message_id, tuple(fields))
    fields_min, parse = known
    if len(fields) < fields_min:
        raise WireError(
            f"message {message_id} too short, was {len(fields)} fields, expected {fields_min}"
        )
    return parse(fields)


def _start_api(fields: Sequence[str]) -> Request:
    return StartApi(integer(fields[2], "client id"), fields[3] if len(fields) > 3 else "")


def _contract_details(fields: Sequence[str]) -> Request:
    return ContractDetails(integer(fields[2], "req id"), ContractFields.parse(fields[3:15]))


def _depth_request(fields: Sequence[str]) -> Request:
    contract = ContractFields.parse(fields[3:15])
    num_rows = integer(fields[15] or "0", "num rows")
    return DepthRequest(integer(fields[2], "req id"), contract, num_rows, fields[16] == "1")


def _depth_cancel(fields: Sequence[str]) -> Request:
    smart = len(fields) > 3 and fields[3] == "1"
    return DepthCancel(integer(fields[2], "req id"), smart)


def _account_updates(fields: Sequence[str]) -> Request:
    return AccountUpdates(fields[2] == "1", fields[3])


# Message id -> (least number of fields, parser); layouts as of server version 178.
_PARSERS: Final[dict[int, tuple[int, Callable[[Sequence[str]], Request]]]] = {
    5: (2, lambda fields: OpenOrders()),
    6: (4, _account_updates),
    7: (3, lambda fields: Executions(integer(fields[2], "req id"))),
    9: (15, _contract_details),
    10: (17, _depth_request),
    11: (3, _depth_cancel),
    15: (3, lambda fields: AutoOpenOrders()),
    49: (2, lambda fields: CurrentTime()),
    59: (3, lambda fields: MarketDataType(integer(fields[2], "market data type"))),
    61: (2, lambda fields: Positions()),
    62: (3, lambda fields: AccountSummary(integer(fields[2], "req id"))),
    71: (3, _start_api),
    76: (3, lambda fields: AccountUpdatesMulti(integer(fields[2], "req id"))),
    82: (1, lambda fields: DepthExchanges()),
    99: (2, lambda fields: CompletedOrders()),
    **DATA_PARSERS,
}
