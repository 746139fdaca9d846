from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, get_args

from simulators.errors import WireError

from . import wire
from .contracts import depth_exchange_rows, describe, venue_accepted
from .depth import REFUSAL_TEXTS, Refusal
from .requests import (
    AccountSummary,
    AccountUpdates,
    AccountUpdatesMulti,
    AutoOpenOrders,
    CompletedOrders,
    ContractDetails,
    CurrentTime,
    DepthCancel,
    DepthExchanges,
    DepthRequest,
    Executions,
    MarketDataType,
    OpenOrders,
    Positions,
    StartApi,
    UnknownRequest,
    parse_request,
)
from .requests_data import DataRequest
from .streams import Client
from .world import Moment, World

__all__ = ["Action", "Close", "Send", "Session"]

_HELLO: Final = b"API\0"
_VERSIONS: Final = re.compile(rb"v(\d+)(?:\.\.(\d+))?(?: .*)?")
_FARMS_OK: Final = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
)
_CLIENT_ID_IN_USE: Final = (
    "Unable to connect as the client id is already in use. Retry with a unique client id."
)
_TOO_FAST: Final = "Max rate of messages per second has been exceeded."
_SMART_NOTICE: Final = (
    "Exchanges - Depth: IEX; Top: BYX; AMEX; PEARL; MEMX; EDGEA; OVERNIGHT; CHX; NYSENAT; IBEOS; "
    "PSX; LTSE; ISE; DRCTEDGE; Need additional market data permissions - Depth: BATS; ARCA; "
    "NASDAQ; BEX; NYSE; "
)


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    pass


Action = Send | Close


class Session:
    """One client's side of the protocol: bytes in, actions out. No socket, no clock."""

    def __init__(self, world: World, connection: int) -> None:
        self._world = world
        self.connection = connection
        # Set by startApi once the id is free.
        self.client_id: int | None = None
        self._hello = b""
        self._negotiated = False
        self._closing = False
        self._frames = wire.FrameBuffer()
        self._message_times: deque[float] = deque()
        self._warned_s = -1.0
        self._market_data_type = 1

    def receive(self, data: bytes, now: Moment) -> list[Action]:
        try:
            return self._receive(data, now)
        except WireError:
            self._world.counters.malformed += 1
            return self._close()

    def disconnected(self, now: Moment) -> None:
        roster = self._world.roster
        if self.client_id is not None and roster.get(self.client_id) == self.connection:
            del roster[self.client_id]
        self._world.desk.disconnect(self.connection, now.mono_s)
        self._world.streams.disconnect(self.connection, now.mono_s)

    def error(self, req_id: int, code: int, text: str) -> Send:
        self._world.counters.errors_sent[code] += 1
        return Send(wire.error_message(req_id, code, text))

    def _receive(self, data: bytes, now: Moment) -> list[Action]:
        if len(self._hello) < len(_HELLO):
            missing = len(_HELLO) - len(self._hello)
            self._hello, data = self._hello + data[:missing], data[missing:]
            if not _HELLO.startswith(self._hello):
                raise WireError(f"connection must open with API, was {self._hello!r}")
        actions: list[Action] = []
        for payload in self._frames.feed(data):
            if self._closing:
                break
            handle = self._message if self._negotiated else self._greet
            actions += handle(payload, now)
        return actions

    def _greet(self, payload: bytes, now: Moment) -> list[Action]:
        match = _VERSIONS.fullmatch(payload)
        if match is None:
            raise WireError(f"version range must read v157..178, was {payload[:40]!r}")
        version = min(wire.SERVER_VERSION, int(match[2] or match[1]))
        self._negotiated = True
        stamp = time.strftime("%Y%m%d %H:%M:%S GMT", time.gmtime(now.wall_s))
        return [Send(wire.message(version, stamp))]

    def _message(self, payload: bytes, now: Moment) -> list[Action]:
        counters = self._world.counters
        try:
            request = parse_request(wire.fields_of(payload))
        except WireError as error:
            counters.malformed += 1
            return [self.error(-1, 320, f"Error reading request. {error}")]
        counters.requests[type(request).__name__] += 1
        if isinstance(request, UnknownRequest):
            counters.unknown_requests[request.message_id] += 1
        if self._too_fast(now.mono_s):
            return self._reject_rate(now.mono_s)
        if self.client_id is None and not isinstance(request, StartApi):
            return []
        return self._HANDLERS[type(request)](self, request, now)

    def _too_fast(self, now_s: float) -> bool:
        times = self._message_times
        times.append(now_s)
        while times[0] <= now_s - 1.0:
            times.popleft()
        if self.client_id is not None:
            self._world.counters.saw_rate(self.client_id, len(times))
        limit = self._world.options.rate_limit
        return 0 < limit < len(times)

    def _reject_rate(self, now_s: float) -> list[Action]:
        if self._world.options.rate_limit_close:
            return [self.error(-1, 100, _TOO_FAST), *self._close()]
        if self._warned_s >= 0 and now_s - self._warned_s < 1.0:
            return []
        self._warned_s = now_s
        return [self.error(-1, 100, _TOO_FAST)]

    def _close(self) -> list[Action]:
        self._closing = True
        return [Close()]

    def _start_api(self, request: StartApi, now: Moment) -> list[Action]:
        world = self._world
        client_id = request.client_id
        if self.client_id is not None:
            return []
        if client_id in world.roster or client_id in world.held_client_ids:
            return [self.error(-1, 326, _CLIENT_ID_IN_USE), *self._close()]
        self.client_id = client_id
        world.roster[client_id] = self.connection
        notices = [self.error(-1, code, text) for code, text in _FARMS_OK]
        accounts = Send(wire.managed_accounts(world.accounts))
        return [accounts, Send(wire.next_valid_id(world.options.next_valid_id)), *notices]

    def _contract_details(self, request: ContractDetails, now: Moment) -> list[Action]:
        nasdaq_name = self._world.options.nasdaq_name
        contract = request.contract
        listing = self._world.directory.find(contract)
        if listing is None or not venue_accepted(contract.exchange, nasdaq_name):
            return [self.error(request.req_id, 200, REFUSAL_TEXTS[200])]
        data = describe(listing, contract.exchange, nasdaq_name)
        return [
            Send(wire.contract_data(request.req_id, data)),
            Send(wire.contract_data_end(request.req_id)),
        ]

    def _depth(self, request: DepthRequest, now: Moment) -> list[Action]:
        desk = self._world.desk
        assert self.client_id is not None
        outcome = desk.subscribe(self.connection, self.client_id, request, now.mono_s)
        if isinstance(outcome, Refusal):
            return [self.error(request.req_id, outcome.code, outcome.text)]
        if outcome.venue == "SMART":
            return [self.error(request.req_id, 2152, _SMART_NOTICE)]
        return []

    def _depth_cancel(self, request: DepthCancel, now: Moment) -> list[Action]:
        refusal = self._world.desk.cancel(self.connection, request, now.mono_s)
        return [self.error(request.req_id, refusal.code, refusal.text)] if refusal else []

    def _depth_exchanges(self, request: DepthExchanges, now: Moment) -> list[Action]:
        rows = depth_exchange_rows(self._world.options.nasdaq_name)
        return [Send(wire.depth_exchanges(rows))]

    def _current_time(self, request: CurrentTime, now: Moment) -> list[Action]:
        muted = self._world.options.mute_current_time
        return [] if muted else [Send(wire.current_time(int(now.wall_s)))]

    def _positions(self, request: Positions, now: Moment) -> list[Action]:
        return [] if self._world.options.mute_position_end else [Send(wire.positions_end())]

    def _data_type(self, request: MarketDataType, now: Moment) -> list[Action]:
        # Counts for the requests to come, each of which says which type it got (58).
        self._market_data_type = request.kind
        return []

    def _data(self, request: DataRequest, now: Moment) -> list[Action]:
        assert self.client_id is not None
        client = Client(self.connection, self.client_id, self._market_data_type)
        replies = self._world.service.handle(client, request, now.mono_s, now.wall_ms)
        return [
            self.error(request.req_id, reply.code, reply.text)
            if isinstance(reply, Refusal)
            else Send(reply)
            for reply in replies
        ]

    def _account_updates(self, request: AccountUpdates, now: Moment) -> list[Action]:
        if not request.subscribe:
            return []
        return [Send(wire.account_download_end(request.account or self._world.accounts[0]))]

    _HANDLERS: Final[dict[type, Callable[[Session, Any, Moment], list[Action]]]] = {
        StartApi: _start_api,
        ContractDetails: _contract_details,
        DepthRequest: _depth,
        DepthCancel: _depth_cancel,
        DepthExchanges: _depth_exchanges,
        CurrentTime: _current_time,
        Positions: _positions,
        MarketDataType: _data_type,
        AccountUpdates: _account_updates,
        OpenOrders: lambda self, request, now: [Send(wire.open_orders_end())],
        CompletedOrders: lambda self, request, now: [Send(wire.completed_orders_end())],
        AutoOpenOrders: lambda self, request, now: [],
        UnknownRequest: lambda self, request, now: [],
        AccountUpdatesMulti: lambda self, request, now: [
            Send(wire.account_update_multi_end(request.req_id))
        ],
        AccountSummary: lambda self, request, now: [Send(wire.account_summary_end(request.req_id))],
        Executions: lambda self, request, now: [Send(wire.executions_end(request.req_id))],
        **dict.fromkeys(get_args(DataRequest), _data),
    }
