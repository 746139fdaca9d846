from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import wire_ticks
from .bar_views import BarsView, UpdatesView
from .bars import WHATS
from .contracts import Listing, canonical_venue
from .data_texts import data_text
from .depth import Refusal
from .floor import Floor
from .history import (
    BAR_SIZES_S,
    bars_reply,
    invalid_bars,
    invalid_ticks,
    period_bars,
    period_of,
    ticks_reply,
)
from .line_view import LineView
from .options import Options
from .pacing import HistoryPacing
from .requests_data import (
    CANCELS,
    DataRequest,
    HistoricalDataCancel,
    HistoricalDataRequest,
    HistoricalTicksRequest,
    MarketDataCancel,
    MarketDataRequest,
    RealTimeBarsCancel,
    RealTimeBarsRequest,
    TickByTickCancel,
    TickByTickRequest,
)
from .streams import Client, Stream, StreamDesk, View
from .tick_feed import TickFeed
from .tick_views import TICK_TYPES, QuoteTicksView, TradeTicksView

__all__ = ["DataService", "Reply"]

# A frame, or an error message for the reqId of the request.
Reply = bytes | Refusal

_HMDS: Final = "Historical Market Data Service error message:"
_PACING: Final = Refusal(162, f"{_HMDS}Historical data request pacing violation")
# Type of a tick-by-tick stream -> the history that may precede it.
_PAST_OF: Final = {3: "BID_ASK", 4: "MIDPOINT"}
_SMALL_BAR_MAX_S: Final = 30
_VOLUME_TICKS: Final = {"233": 48, "375": 77}
_GENERIC_TICKS: Final = frozenset(
    {100, 101, 104, 106, 165, 221, 225, 232, 233, 236, 258, 292, 293, 294, 295, 318, 375, 411}
    | {456, 460, 586, 588, 595, 619}
)
_GENERIC_NAMES: Final = frozenset(str(tick) for tick in _GENERIC_TICKS)


class DataService:
    """Answers requests for market data other than depth. No I/O, no clock."""

    def __init__(self, options: Options, floor: Floor, desk: StreamDesk, ticks: TickFeed) -> None:
        self._options = options
        self._floor = floor
        self._desk = desk
        self._ticks = ticks
        self._pacing = HistoryPacing()

    def handle(
        self, client: Client, request: DataRequest, now_s: float, now_ms: int
    ) -> list[Reply]:
        if isinstance(request, CANCELS):
            return self._cancel(client, _CANCELLED[type(request)], request.req_id, now_s)
        kind, serve = _SERVED[type(request)]
        admitted = self._desk.admit(client, kind, (request.req_id, request.contract), now_s)
        if isinstance(admitted, Refusal):
            return [admitted]
        return serve(self, client, request, admitted, (now_s, now_ms))

    def _market_data(
        self,
        client: Client,
        request: MarketDataRequest,
        listing: Listing,
        now: tuple[float, int],
    ) -> list[Reply]:
        unknown = [tick for tick in request.generic_ticks if tick not in _GENERIC_NAMES]
        if unknown:
            return [_invalid("bH", f"Incorrect generic tick list of {unknown[0]}.")]
        code = self._desk.entitlement("lines", listing.symbol)
        security = self._floor.security(listing, now[1])
        venue = canonical_venue(request.contract.exchange)
        venue = listing.primary if venue in ("", "SMART") else venue
        self._floor.watch_venue(security, venue)
        delayed = code not in (None, 10090)
        data_type = (client.data_type if client.data_type in (3, 4) else 3) if delayed else 1
        view = LineView(request.req_id, security, venue, self._options, data_type)
        view.volume_ticks = tuple(
            _VOLUME_TICKS[t] for t in request.generic_ticks if t in _VOLUME_TICKS
        )
        view.restrict(code == 10090)
        notice = 10167 if delayed else code
        replies: list[Reply] = [Refusal(notice, data_text(notice, listing))] if notice else []
        replies += view.announce()
        if request.snapshot:
            return [*replies, *view.poll(0.0), wire_ticks.snapshot_end(request.req_id)]
        self._open(client, request.req_id, "lines", (view, listing), now)
        return replies

    def _tick_by_tick(
        self,
        client: Client,
        request: TickByTickRequest,
        listing: Listing,
        now: tuple[float, int],
    ) -> list[Reply]:
        kind = TICK_TYPES.get(request.tick_type)
        if kind is None:
            return [Refusal(10189, data_text(10189, listing))]
        security = self._floor.security(listing, now[1])
        view: View = (
            TradeTicksView(request.req_id, security, kind, self._options)
            if kind <= 2
            else QuoteTicksView(request.req_id, security, kind, request.ignore_size)
        )
        self._open(client, request.req_id, "ticks", (view, listing), now)
        if request.number_of_ticks <= 0:
            return []
        past = HistoricalTicksRequest(
            *(request.req_id, request.contract, "", "", min(request.number_of_ticks, 1_000)),
            what=_PAST_OF.get(kind, "TRADES"),
            regular_hours=False,
            ignore_size=request.ignore_size,
        )
        return [ticks_reply(security, past, self._options.nasdaq_name)]

    def _real_time_bars(
        self,
        client: Client,
        request: RealTimeBarsRequest,
        listing: Listing,
        now: tuple[float, int],
    ) -> list[Reply]:
        if request.what not in WHATS:
            return [_invalid("bT", f"Real-time bar type is not supported, was {request.what!r}")]
        security = self._floor.security(listing, now[1])
        view = BarsView(request.req_id, security, request.what, request.regular_hours)
        self._open(client, request.req_id, "bars", (view, listing), now)
        return []

    def _historical_data(
        self,
        client: Client,
        request: HistoricalDataRequest,
        listing: Listing,
        now: tuple[float, int],
    ) -> list[Reply]:
        cause = invalid_bars(request)
        if cause:
            return [_invalid("bR", cause)]
        size_s = BAR_SIZES_S[request.bar_size]
        what = (request.bar_size, request.what, request.regular_hours)
        identity = (listing.symbol, request.contract.exchange, request.end, request.duration, *what)
        if self._too_early(request, identity, now[0], size_s <= _SMALL_BAR_MAX_S):
            return [_PACING]
        if self._ticks.silent("history"):
            return []
        security = self._floor.security(listing, now[1])
        period = period_of(request, max(security.clock_ms, 0))
        bars = period_bars(security, request, period)
        if not bars:
            where = f"{listing.symbol}@{request.contract.exchange} {request.what.title()}"
            return [Refusal(162, f"{_HMDS}HMDS query returned no data: {where}")]
        if request.keep_up_to_date:
            view = UpdatesView(
                *(request.req_id, security, request.what, size_s, request.format_date)
            )
            view.begin(bars[-1], request.regular_hours)
            self._open(client, request.req_id, "history", (view, listing), now)
        return [bars_reply(request, period, bars)]

    def _historical_ticks(
        self,
        client: Client,
        request: HistoricalTicksRequest,
        listing: Listing,
        now: tuple[float, int],
    ) -> list[Reply]:
        cause = invalid_ticks(request)
        if cause:
            return [_invalid("cE", cause)]
        what = (request.number_of_ticks, request.what, request.regular_hours)
        identity = (listing.symbol, request.contract.exchange, request.start, request.end, *what)
        if self._too_early(request, identity, now[0], small=True):
            return [_PACING]
        if self._ticks.silent("history"):
            return []
        security = self._floor.security(listing, now[1])
        return [ticks_reply(security, request, self._options.nasdaq_name)]

    def _cancel(self, client: Client, kind: str, req_id: int, now_s: float) -> list[Reply]:
        refusal = self._desk.cancel(client, kind, req_id, now_s)
        return [refusal] if refusal else []

    def _open(
        self,
        client: Client,
        req_id: int,
        kind: str,
        shown: tuple[View, Listing],
        now: tuple[float, int],
    ) -> None:
        view, listing = shown
        security = self._floor.security(listing, now[1])
        self._desk.open(Stream(client, kind, req_id, security, view, now[0]))

    def _too_early(
        self,
        request: HistoricalDataRequest | HistoricalTicksRequest,
        identity: tuple[object, ...],
        now_s: float,
        small: bool,
    ) -> bool:
        if self._options.history_pacing == "off":
            return False
        contract = (*identity[:2], request.what)
        return self._pacing.violated(identity, contract, now_s, small)


def _invalid(where: str, cause: str) -> Refusal:
    return Refusal(321, f"Error validating request.-'{where}' : cause - {cause}")


_Serve = Callable[[DataService, Client, Any, Listing, tuple[float, int]], list[Reply]]

_CANCELLED: Final[dict[type, str]] = {
    MarketDataCancel: "lines",
    TickByTickCancel: "ticks",
    RealTimeBarsCancel: "bars",
    HistoricalDataCancel: "history",
}
_SERVED: Final[dict[type, tuple[str, _Serve]]] = {
    MarketDataRequest: ("lines", DataService._market_data),
    TickByTickRequest: ("ticks", DataService._tick_by_tick),
    RealTimeBarsRequest: ("bars", DataService._real_time_bars),
    HistoricalDataRequest: ("history", DataService._historical_data),
    HistoricalTicksRequest: ("history", DataService._historical_ticks),
}
