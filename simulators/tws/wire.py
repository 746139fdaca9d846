from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from simulators.errors import WireError

from .book import RowOp, price_text

__all__ = [
    "MAX_FRAME_BYTES",
    "SERVER_VERSION",
    "ContractData",
    "DepthExchange",
    "FrameBuffer",
    "account_download_end",
    "account_summary_end",
    "account_update_multi_end",
    "completed_orders_end",
    "contract_data",
    "contract_data_end",
    "current_time",
    "depth_exchanges",
    "depth_rows",
    "depth_rows_l2",
    "error_message",
    "executions_end",
    "fields_of",
    "frame",
    "managed_accounts",
    "market_data_type",
    "message",
    "next_valid_id",
    "open_orders_end",
    "positions_end",
]

# The newest version of the text protocol that ib_async 2.1 offers.
SERVER_VERSION: Final = 178
MAX_FRAME_BYTES: Final = 0xFFFFFF
_UNSET_INTEGER: Final = 2_147_483_647


class FrameBuffer:
    """Splits a byte stream into frames: 4-byte big-endian length, then the payload."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._data += data
        payloads: list[bytes] = []
        start = 0
        while len(self._data) - start >= 4:
            length = int.from_bytes(self._data[start : start + 4], "big")
            if length > MAX_FRAME_BYTES:
                raise WireError(f"frame too long, was {length} bytes, limit {MAX_FRAME_BYTES}")
            end = start + 4 + length
            if len(self._data) < end:
                break
            payloads.append(bytes(self._data[start + 4 : end]))
            start = end
        del self._data[:start]
        return payloads


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


def message(*fields: object) -> bytes:
    return frame("".join([f"{field}\0" for field in fields]).encode())


def fields_of(payload: bytes) -> list[str]:
    if not payload.endswith(b"\0"):
        raise WireError(f"payload does not end with NUL, was {payload[-8:]!r}")
    return payload.decode(errors="backslashreplace").split("\0")[:-1]


def error_message(req_id: int, code: int, text: str) -> bytes:
    # The empty last field is advancedOrderRejectJson, always there since version 166.
    return message(4, 2, req_id, code, text, "")


def managed_accounts(accounts: Iterable[str]) -> bytes:
    return message(15, 1, ",".join(accounts))


def next_valid_id(order_id: int) -> bytes:
    return message(9, 1, order_id)


def current_time(epoch_s: int) -> bytes:
    return message(49, 1, epoch_s)


def positions_end() -> bytes:
    return message(62, 1)


def open_orders_end() -> bytes:
    return message(53, 1)


def completed_orders_end() -> bytes:
    return message(102)


def account_download_end(account: str) -> bytes:
    return message(54, 1, account)


def account_update_multi_end(req_id: int) -> bytes:
    return message(74, 1, req_id)


def account_summary_end(req_id: int) -> bytes:
    return message(64, 1, req_id)


def executions_end(req_id: int) -> bytes:
    return message(55, 1, req_id)


def market_data_type(req_id: int, kind: int) -> bytes:
    return message(58, 1, req_id, kind)


class DepthExchange(NamedTuple):
    exchange: str
    sec_type: str
    service: str


def depth_exchanges(rows: Sequence[DepthExchange]) -> bytes:
    fields: list[object] = [80, len(rows)]
    for row in rows:
        # aggGroup is an int for ib_async (decoder.py 732); unset is 2147483647.
        fields += [row.exchange, row.sec_type, "", row.service, _UNSET_INTEGER]
    return message(*fields)


class ContractData(NamedTuple):
    symbol: str
    sec_type: str
    exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    con_id: int
    min_tick: str
    order_types: str
    valid_exchanges: str
    long_name: str
    primary_exchange: str
    category: tuple[str, str, str]
    hours: tuple[str, str]
    isin: str
    stock_type: str


def contract_data(req_id: int, data: ContractData) -> bytes:
    head = [10, req_id, data.symbol, data.sec_type, "", "0", "", data.exchange, data.currency]
    # Market name and trading class are the same text in the recordings (NMS, NMS).
    names = [data.local_symbol, data.trading_class, data.trading_class, data.con_id]
    rules = [data.min_tick, "", data.order_types, data.valid_exchanges, 1, 0, data.long_name]
    place = [data.primary_exchange, "", *data.category, "US/Eastern", *data.hours, "", ""]
    sec_ids = [1, "ISIN", data.isin] if data.isin else [0]
    market_rules = ",".join("26" for _ in data.valid_exchanges.split(","))
    tail = [1, "", "", market_rules, "", data.stock_type, "0.0001", "0.0001", 100]
    return message(*head, *names, *rules, *place, *sec_ids, *tail)


def contract_data_end(req_id: int) -> bytes:
    return message(52, 1, req_id)


def depth_rows(req_id: int, ops: Iterable[RowOp]) -> bytes:
    """Message 12, for venues without market makers."""
    head = f"12\x001\x00{req_id}\x00"
    out: list[bytes] = []
    for operation, side, position, (price_e4, size, _) in ops:
        payload = (
            f"{head}{position}\0{operation}\0{side}\0{price_text(price_e4)}\0{size}\0".encode()
        )
        out.append(len(payload).to_bytes(4, "big"))
        out.append(payload)
    return b"".join(out)


def depth_rows_l2(req_id: int, ops: Iterable[RowOp], smart: bool) -> bytes:
    """Message 13, with the market maker (or, for SMART depth, the venue) of each row."""
    head = f"13\x001\x00{req_id}\x00"
    tail = "1\0" if smart else "0\0"
    out: list[bytes] = []
    for operation, side, position, (price_e4, size, maker) in ops:
        payload = (
            f"{head}{position}\0{maker}\0{operation}\0{side}\0"
            f"{price_text(price_e4)}\0{size}\0{tail}"
        ).encode()
        out.append(len(payload).to_bytes(4, "big"))
        out.append(payload)
    return b"".join(out)
