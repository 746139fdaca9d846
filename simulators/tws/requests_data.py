from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simulators.errors import WireError

from .request_fields import ContractFields, integer

__all__ = [
    "CANCELS",
    "DATA_PARSERS",
    "DataRequest",
    "HistoricalDataCancel",
    "HistoricalDataRequest",
    "HistoricalTicksRequest",
    "MarketDataCancel",
    "MarketDataRequest",
    "RealTimeBarsCancel",
    "RealTimeBarsRequest",
    "TickByTickCancel",
    "TickByTickRequest",
]


@dataclass(frozen=True, slots=True)
class MarketDataRequest:
    req_id: int
    contract: ContractFields
    generic_ticks: tuple[str, ...]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class MarketDataCancel:
    req_id: int


@dataclass(frozen=True, slots=True)
class TickByTickRequest:
    req_id: int
    contract: ContractFields
    tick_type: str
    number_of_ticks: int
    ignore_size: bool


@dataclass(frozen=True, slots=True)
class TickByTickCancel:
    req_id: int


@dataclass(frozen=True, slots=True)
class RealTimeBarsRequest:
    req_id: int
    contract: ContractFields
    what: str
    regular_hours: bool


@dataclass(frozen=True, slots=True)
class RealTimeBarsCancel:
    req_id: int


@dataclass(frozen=True, slots=True)
class HistoricalDataRequest:
    req_id: int
    contract: ContractFields
    end: str
    bar_size: str
    duration: str
    regular_hours: bool
    what: str
    format_date: int
    keep_up_to_date: bool


@dataclass(frozen=True, slots=True)
class HistoricalDataCancel:
    req_id: int


@dataclass(frozen=True, slots=True)
class HistoricalTicksRequest:
    req_id: int
    contract: ContractFields
    start: str
    end: str
    number_of_ticks: int
    what: str
    regular_hours: bool
    ignore_size: bool


CANCELS: Final = (HistoricalDataCancel, MarketDataCancel, RealTimeBarsCancel, TickByTickCancel)
DataRequest = (
    HistoricalDataCancel
    | HistoricalDataRequest
    | HistoricalTicksRequest
    | MarketDataCancel
    | MarketDataRequest
    | RealTimeBarsCancel
    | RealTimeBarsRequest
    | TickByTickCancel
    | TickByTickRequest
)


def _after_legs(fields: Sequence[str], at: int, contract: ContractFields) -> Sequence[str]:
    """The fields behind the legs, which only a combo (BAG) has: their number, then four each."""
    if contract.sec_type != "BAG":
        return fields[at:]
    return fields[at + 1 + 4 * integer(fields[at] or "0", "combo legs") :]


def _require(rest: Sequence[str], fields_min: int, message_id: int) -> None:
    if len(rest) < fields_min:
        raise WireError(
            f"message {message_id} too short, was {len(rest)} last fields, expected {fields_min}"
        )


def _market_data(fields: Sequence[str]) -> MarketDataRequest:
    contract = ContractFields.parse(fields[3:15])
    rest = _after_legs(fields, 15, contract)
    _require(rest, 3, 1)
    # A delta neutral contract puts conId, delta and price behind its flag.
    rest = rest[4:] if rest[0] == "1" else rest[1:]
    _require(rest, 2, 1)
    ticks = tuple(tick.strip() for tick in rest[0].split(",") if tick.strip())
    return MarketDataRequest(integer(fields[2], "req id"), contract, ticks, rest[1] == "1")


def _tick_by_tick(fields: Sequence[str]) -> TickByTickRequest:
    contract = ContractFields.parse(fields[2:14])
    count = integer(fields[15] or "0", "number of ticks")
    req_id = integer(fields[1], "req id")
    return TickByTickRequest(req_id, contract, fields[14], count, fields[16] == "1")


def _real_time_bars(fields: Sequence[str]) -> RealTimeBarsRequest:
    # Field 15 is the bar size, which TWS ignores: bars are 5 seconds.
    contract = ContractFields.parse(fields[3:15])
    return RealTimeBarsRequest(
        integer(fields[2], "req id"), contract, fields[16].upper(), fields[17] == "1"
    )


def _historical_data(fields: Sequence[str]) -> HistoricalDataRequest:
    contract = ContractFields.parse(fields[2:14])
    rest = _after_legs(fields, 21, contract)
    _require(rest, 1, 20)
    return HistoricalDataRequest(
        req_id=integer(fields[1], "req id"),
        contract=contract,
        end=fields[15],
        bar_size=fields[16],
        duration=fields[17],
        regular_hours=fields[18] == "1",
        what=fields[19].upper(),
        format_date=integer(fields[20] or "1", "format date"),
        keep_up_to_date=rest[0] == "1",
    )


def _historical_ticks(fields: Sequence[str]) -> HistoricalTicksRequest:
    return HistoricalTicksRequest(
        req_id=integer(fields[1], "req id"),
        contract=ContractFields.parse(fields[2:14]),
        start=fields[15],
        end=fields[16],
        number_of_ticks=integer(fields[17] or "0", "number of ticks"),
        what=fields[18].upper(),
        regular_hours=fields[19] == "1",
        ignore_size=fields[20] == "1",
    )


# Message id -> (least number of fields, parser); layouts as of server version 178.
DATA_PARSERS: Final[dict[int, tuple[int, Callable[[Sequence[str]], DataRequest]]]] = {
    1: (18, _market_data),
    2: (3, lambda fields: MarketDataCancel(integer(fields[2], "req id"))),
    20: (22, _historical_data),
    25: (3, lambda fields: HistoricalDataCancel(integer(fields[2], "req id"))),
    50: (18, _real_time_bars),
    51: (3, lambda fields: RealTimeBarsCancel(integer(fields[2], "req id"))),
    96: (21, _historical_ticks),
    97: (17, _tick_by_tick),
    98: (2, lambda fields: TickByTickCancel(integer(fields[1], "req id"))),
}
