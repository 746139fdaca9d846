"""The requests of a diagnosis: what came of each, in rows and in the gateway's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.contracts import ContractBook
from shared.feeds.ibkr.session import Session
from shared.feeds.ibkr.tick_requests import DELAYED_DATA
from shared.feeds.ibkr.tick_rows import MSG_DATA_TYPE
from shared.market.depth import Pair
from shared.normalize.ibkr_depth import MSG_DEPTH, MSG_DEPTH_L2
from shared.normalize.ibkr_ticks import MSG_TICK_PRICE, MSG_TICK_SIZE

_NUMBERED: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for and what came; `data_type` as TWS numbers them: 1 live, 3 delayed."""

    symbol: str
    venue: str
    rows: int = 0
    code: int = 0
    text: str = ""
    data_type: int = 0


@dataclass(slots=True)
class _Request:
    req_id: int
    symbol: str
    pair: Pair | None = None
    rows: int = 0
    code: int = 0
    text: str = ""
    data_type: int = 0
    cancelled: bool = False

    def asked(self) -> Asked:
        """A refusal counts for nothing where rows came all the same."""
        venue = self.pair.venue if self.pair else ""
        code, text = (self.code, self.text) if not self.rows or self._delayed else (0, "")
        return Asked(self.symbol, venue, self.rows, code, text, self.data_type)

    @property
    def _delayed(self) -> bool:
        return self.code == codes.SHOWN_DELAYED

    @property
    def waiting(self) -> bool:
        return not self.rows and (not self.code or self.goes_on)

    @property
    def goes_on(self) -> bool:
        """The gateway has said something, and data may come yet."""
        return self.code in codes.ADVISORY or codes.is_notice(self.code)


class Requests:
    """Depth requests of one turn and one line, on a session that is logged in."""

    def __init__(self, session: Session, contracts: ContractBook, depth_rows: int) -> None:
        self._session = session
        self._contracts = contracts
        self._depth_rows = depth_rows
        self._by_id: dict[bytes, _Request] = {}
        self.depth: list[_Request] = []
        self.line: _Request | None = None
        # Frames are counted, not read.
        self.on_done: Callable[[], None] | None = None
        self.handlers: dict[bytes, Callable[[list[bytes]], None]] = {
            MSG_DEPTH: self._on_row,
            MSG_DEPTH_L2: self._on_row,
            MSG_TICK_PRICE: self._on_row,
            MSG_TICK_SIZE: self._on_row,
            MSG_DATA_TYPE: self._on_data_type,
        }

    def on_slice(self) -> None:
        """Nothing to prepare."""

    def listen(self) -> None:
        self._session.take_frames(self, lambda: False)

    def open_depth(self, pair: Pair) -> None:
        request = self._registered(_Request(self._new_id(), pair.symbol, pair))
        self.depth.append(request)
        self._send_depth(request)

    def open_line(self, symbol: str) -> None:
        """Live where the account has it, delayed where that is all there is."""
        request = self.line = self._registered(_Request(self._new_id(), symbol))
        client, contract = self._client(), self._contracts.consolidated(symbol)
        client.reqMarketDataType(DELAYED_DATA)
        client.reqMktData(request.req_id, contract, "", False, False, [])

    def waiting(self) -> bool:
        asked = [*self.depth, *([self.line] if self.line else [])]
        return any(request.waiting and not request.cancelled for request in asked)

    def cancel_depth(self) -> None:
        """A depth request that was refused is gone at the gateway."""
        for request in self.depth:
            if self._to_cancel(request, gone=not request.rows and bool(request.code)):
                self._client().cancelMktDepth(request.req_id, False)

    def cancel_line(self) -> None:
        line = self.line
        if line and self._to_cancel(line, gone=bool(line.code) and not line.goes_on):
            self._client().cancelMktData(line.req_id)

    def on_error(self, req_id: int, code: int, text: str) -> bool:
        """False for what is of no request here."""
        request = self._by_id.get(b"%d" % req_id)
        if request is None:
            return False
        if code == codes.DEPTH_RESET or 2100 <= code < 2200:
            return True
        pair = request.pair
        if pair and code in codes.WRONG_SPELLING and self._contracts.try_other_spelling(pair):
            request.req_id = self._new_id()
            self._registered(request)
            self._send_depth(request)
            return True
        request.code, request.text = code, " ".join(text.split())
        return True

    def _send_depth(self, request: _Request) -> None:
        assert request.pair is not None
        contract = self._contracts.contract(request.pair)
        self._client().reqMktDepth(request.req_id, contract, self._depth_rows, False, None)

    def _to_cancel(self, request: _Request, *, gone: bool) -> bool:
        """Once, and not what the gateway has ended."""
        if request.cancelled or self._session.lost.done():
            return False
        request.cancelled = True
        return not gone

    def _registered(self, request: _Request) -> _Request:
        self._by_id[b"%d" % request.req_id] = request
        return request

    def _on_row(self, fields: list[bytes]) -> None:
        request = self._numbered(fields)
        if request is not None:
            request.rows += 1

    def _on_data_type(self, fields: list[bytes]) -> None:
        request = self._numbered(fields)
        if request is not None and len(fields) > _NUMBERED and fields[_NUMBERED].isdigit():
            request.data_type = int(fields[_NUMBERED])

    def _numbered(self, fields: list[bytes]) -> _Request | None:
        return self._by_id.get(fields[2]) if len(fields) >= _NUMBERED else None

    def _new_id(self) -> int:
        return int(self._client().getReqId())

    def _client(self) -> Any:
        return self._session.ib.client
