from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .book import Row
from .contracts import DEPTH_SERVICES, Directory, Listing, canonical_venue, venue_accepted
from .journal import Journal
from .options import Options
from .requests import DepthCancel, DepthRequest

__all__ = ["REFUSAL_TEXTS", "DepthDesk", "Refusal", "Subscription"]

# Texts of ibkr.md sections 1.5 and 3.
REFUSAL_TEXTS: Final = {
    200: "No security definition has been found for the request",
    354: "Requested market data is not subscribed. Check API status by selecting the Account "
    "menu then under Management choose Market Data Subscription Manager and/or availability "
    "of delayed data.",
    10089: "Requested market data requires additional subscription for API. See link in "
    "'Market Data Connections' dialog for more details. Delayed market data is available.",
    10090: "Part of requested market data is not subscribed. Subscription-independent ticks are "
    "still active.",
    10092: "Deep market data is not supported for this combination of security type/exchange",
    10168: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10186: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10197: "No market data during competing live session",
}
_RECORDS_MAX: Final = 5_000
_CROSSES_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Refusal:
    code: int
    text: str


@dataclass(slots=True, eq=False)
class Subscription:
    connection: int
    client_id: int
    req_id: int
    listing: Listing
    exchange: str
    venue: str
    smart: bool
    num_rows: int
    opened_s: float
    # live, halted (after 316), late (cancelled, rows still flow), ended
    state: str = "live"
    # Silent until resubscribed: the gateway kept it, the data did not come back.
    muted: bool = False
    # Whether the initial book has been sent.
    primed: bool = False
    # What the client last saw, kept from the first change it missed.
    behind: tuple[list[Row], list[Row]] | None = None
    rows: int = 0
    late_rows: int = 0
    ended_s: float | None = None
    # cancelled, disconnected, dropped (1101 or error by command)
    end: str | None = None
    late_until_s: float = 0.0

    @property
    def key(self) -> tuple[int, int]:
        return self.connection, self.req_id

    @property
    def book_key(self) -> tuple[str, str]:
        return self.listing.symbol, self.venue

    def record(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "connection": self.connection,
            "req_id": self.req_id,
            "symbol": self.listing.symbol,
            "venue": self.venue,
            "exchange": self.exchange,
            "num_rows": self.num_rows,
            "state": self.state,
            "rows": self.rows,
            "late_rows": self.late_rows,
            "opened_s": round(self.opened_s, 4),
            "ended_s": None if self.ended_s is None else round(self.ended_s, 4),
            "end": self.end,
        }


@dataclass(slots=True)
class DepthCounts:
    events: Counter[str] = field(default_factory=Counter)
    distinct_max: int = 0
    records: deque[Subscription] = field(default_factory=lambda: deque(maxlen=_RECORDS_MAX))


class DepthDesk:
    """Who may see which book: subscriptions of all clients, the cap, refusals. No I/O, no clock."""

    def __init__(self, options: Options, directory: Directory) -> None:
        self._options = options
        self._directory = directory
        self._subscriptions: dict[tuple[int, int], Subscription] = {}
        self._by_book: dict[tuple[str, str], list[Subscription]] = {}
        # How each reqId of a connection ended, and when; cleared when the connection ends.
        self._retired: dict[tuple[int, int], tuple[str, float]] = {}
        # conId -> when the slots of its cancelled subscriptions are free again.
        self._lagging: dict[int, float] = {}
        # Slots held by other clients or TWS windows.
        self.held_slots = 0
        # (symbol, venue) -> error code; "*" stands for any.
        self.entitlements: dict[tuple[str, str], int] = {}
        self.counts = DepthCounts()
        self.journal = Journal()

    def subscribe(
        self, connection: int, client_id: int, request: DepthRequest, now_s: float
    ) -> Subscription | Refusal:
        smart = request.smart or request.contract.exchange == "SMART"
        self.counts.events["smart_requests"] += smart
        refusal = self._refuse(connection, request, now_s)
        key = (connection, request.req_id)
        if isinstance(refusal, Refusal):
            self.counts.events[f"refused_{refusal.code}"] += 1
            if key not in self._subscriptions:
                self._retired[key] = ("refused", now_s)
            return refusal
        return self._open(connection, client_id, (request, refusal), now_s)

    def cancel(self, connection: int, request: DepthCancel, now_s: float) -> Refusal | None:
        key = (connection, request.req_id)
        subscription = self._subscriptions.get(key)
        if subscription is None or subscription.state == "late":
            return self._refuse_cancel(key, now_s)
        if subscription.smart != request.smart:
            self.counts.events["cancel_with_other_flag"] += 1
            return self._no_such(request.req_id)
        self.counts.events["cancelled"] += 1
        self._retired[key] = ("cancelled", now_s)
        self._lag(subscription, now_s)
        subscription.end, subscription.ended_s = "cancelled", now_s
        self.journal.ended(subscription, "cancelled")
        # A halted or muted subscription has no rows left to be late with.
        if subscription.state == "live" and self._options.late_rows_ms:
            subscription.state = "late"
            subscription.late_until_s = now_s + self._options.late_rows_ms / 1000
        else:
            self._forget(subscription)
        return None

    def disconnect(self, connection: int, now_s: float) -> None:
        for subscription in [s for s in self if s.connection == connection]:
            self.drop(subscription, "disconnected", now_s)
        for key in [key for key in self._retired if key[0] == connection]:
            del self._retired[key]

    def drop(self, subscription: Subscription, end: str, now_s: float) -> None:
        """Ends a subscription from the gateway's side."""
        if subscription.state != "late":
            self._retired[subscription.key] = (end, now_s)
            subscription.end, subscription.ended_s = end, now_s
            self.journal.ended(subscription, end)
            if end == "disconnected":
                self._lag(subscription, now_s)
        self._forget(subscription)

    def expire(self, now_s: float) -> None:
        for subscription in [s for s in self if s.state == "late" and s.late_until_s <= now_s]:
            self._forget(subscription)
        for con_id in [c for c, free_s in self._lagging.items() if free_s <= now_s]:
            del self._lagging[con_id]

    def clear(self, now_s: float) -> None:
        for subscription in list(self):
            self.drop(subscription, "dropped", now_s)
        self._retired.clear()
        self._lagging.clear()

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._subscriptions.values())

    def of_symbol(self, symbol: str) -> list[Subscription]:
        return [s for s in self if s.listing.symbol == symbol and s.state != "late"]

    def by_book(self) -> dict[tuple[str, str], list[Subscription]]:
        return self._by_book

    def open_con_ids(self) -> set[int]:
        return {s.listing.con_id for s in self if s.state != "late"}

    def _open(
        self, connection: int, client_id: int, ask: tuple[DepthRequest, Listing], now_s: float
    ) -> Subscription:
        request, listing = ask
        exchange = request.contract.exchange
        key = (connection, request.req_id)
        late = self._subscriptions.get(key)
        if late:
            self._forget(late)
        self.counts.events["reused_retired_id"] += self._retired.pop(key, None) is not None
        subscription = Subscription(
            *(connection, client_id, request.req_id, listing, exchange),
            venue=canonical_venue(exchange),
            smart=request.smart,
            num_rows=request.num_rows,
            opened_s=now_s,
        )
        self._subscriptions[key] = subscription
        self._by_book.setdefault(subscription.book_key, []).append(subscription)
        self.counts.records.append(subscription)
        self.journal.opened(subscription)
        self.counts.events["opened"] += 1
        self.counts.distinct_max = max(self.counts.distinct_max, len(self.open_con_ids()))
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        subscription.state = "ended"
        del self._subscriptions[subscription.key]
        shown = self._by_book[subscription.book_key]
        shown.remove(subscription)
        if not shown:
            del self._by_book[subscription.book_key]

    def _lag(self, subscription: Subscription, now_s: float) -> None:
        free_s = now_s + self._options.cancel_lag_ms / 1000
        con_id = subscription.listing.con_id
        self._lagging[con_id] = max(free_s, self._lagging.get(con_id, 0.0))

    def _refuse(self, connection: int, request: DepthRequest, now_s: float) -> Refusal | Listing:
        invalid = self._invalid(connection, request)
        if invalid:
            return invalid
        contract = request.contract
        listing = self._directory.find(contract)
        if listing is None:
            return _refusal(200)
        if not venue_accepted(contract.exchange, self._options.nasdaq_name):
            return _refusal(self._options.wrong_venue_code)
        venue = canonical_venue(contract.exchange)
        served = request.smart if venue == "SMART" else venue in DEPTH_SERVICES
        if listing.sec_type != "STK" or not served:
            return _refusal(10092)
        code = self._entitlement(listing.symbol, venue)
        return _refusal(code) if code else self._over_cap(connection, listing, now_s) or listing

    def _invalid(self, connection: int, request: DepthRequest) -> Refusal | None:
        cause = ""
        if not request.contract.exchange:
            cause = "Please enter exchange."
        elif request.contract.sec_type == "BAG":
            cause = "Market depth does not support combos."
        elif request.num_rows <= 0:
            cause = "Market depth rows requested must be greater than zero."
        if cause:
            return Refusal(321, f"Error validating request.-'bR' : cause - {cause}")
        held = self._subscriptions.get((connection, request.req_id))
        if held and held.state != "late":
            self.counts.events["reused_live_id"] += 1
            return Refusal(322, "Error processing request.-'bR' : cause - Duplicate ticker id")
        return None

    def _entitlement(self, symbol: str, venue: str) -> int | None:
        keys = ((symbol, venue), (symbol, "*"), ("*", venue), ("*", "*"))
        return next((self.entitlements[key] for key in keys if key in self.entitlements), None)

    def _over_cap(self, connection: int, listing: Listing, now_s: float) -> Refusal | None:
        """309 counts distinct contracts; a further venue of a counted one is free."""
        self.expire(now_s)
        live = self.open_con_ids()
        counted = live | self._lagging.keys()
        cap = self._options.depth_cap
        if listing.con_id in counted or len(counted) + self.held_slots < cap:
            return None
        # It would have fitted, had the client waited for its cancels to take effect.
        self.counts.events["phantom_309"] += len(live) + self.held_slots < cap
        # It has them all itself, whoever else has some.
        own = {s.listing.con_id for s in self if s.connection == connection and s.state != "late"}
        self.counts.events["own_309"] += len(own) >= cap
        return Refusal(309, f"Max number ({cap}) of market depth requests has been reached")

    def _refuse_cancel(self, key: tuple[int, int], now_s: float) -> Refusal:
        reason, at_s = self._retired.get(key, ("unknown", 0.0))
        name = "double_cancel" if reason == "cancelled" else f"cancel_of_{reason}"
        # It was on its way while the client had yet to read that its request is over.
        crossed = reason == "dropped" and now_s - at_s < _CROSSES_S
        self.counts.events["cancel_crossed" if crossed else name] += 1
        return self._no_such(key[1])

    @staticmethod
    def _no_such(req_id: int) -> Refusal:
        return Refusal(310, f"Can't find the subscribed market depth with tickerId:{req_id}")


def _refusal(code: int) -> Refusal:
    return Refusal(code, REFUSAL_TEXTS[code])
