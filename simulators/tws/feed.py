from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from .book import ASK, BID, Book, RowOp, diff_rows, shift_rows
from .contracts import DEPTH_SERVICES, Listing
from .depth import DepthDesk, Subscription
from .market import Market, VenueBook
from .options import Options
from .replay import Replay
from .wire import depth_rows, depth_rows_l2

__all__ = ["Feed"]

# Bytes for each connection, in the order they are to be written.
Output = dict[int, list[bytes]]

_CATCH_UP_S: Final = 0.25
_UNSEEN_CHANGES_MAX: Final = 1_000
_REPLAY_ROWS_MAX: Final = 2_000
_DRIFT_MAX: Final = 100


class _Round:
    """The rows gathered for every subscription in one tick."""

    def __init__(self, blocked: Collection[int]) -> None:
        self.blocked = blocked
        self.rows: dict[Subscription, list[RowOp]] = {}

    def add(self, subscription: Subscription, ops: Sequence[RowOp]) -> int:
        if ops:
            self.rows.setdefault(subscription, []).extend(ops)
        return len(ops)


class Feed:
    """Moves the books on and says which rows each client gets. No I/O, no clock."""

    def __init__(self, options: Options, desk: DepthDesk, market: Market) -> None:
        self._options = options
        self._desk = desk
        self._market = market
        # Rows each book may still send; negative after a change of many rows.
        self._credits: dict[tuple[str, str], float] = {}
        # Parts of a change each book has moved on for quotes alone.
        self._drift: dict[tuple[str, str], float] = {}
        # Reasons why no market data flows at all: paused, lost, farm names.
        self.silenced_by: set[str] = set()
        self.frozen: set[str] = set()
        self.rows_sent: Counter[tuple[str, str]] = Counter()

    def tick(self, elapsed_s: float, blocked: Collection[int]) -> Output:
        round_ = _Round(blocked)
        if not self.silenced_by:
            for key, subscriptions in self._desk.by_book().items():
                if key[0] not in self.frozen:
                    self._tick_book(key, subscriptions, elapsed_s, round_)
        return self._encode(round_)

    def burst(self, symbol: str, rows: int, blocked: Collection[int]) -> Output:
        round_ = _Round(blocked)
        for key, subscriptions in self._desk.by_book().items():
            flowing = self._flowing(subscriptions, round_)
            if key[0] != symbol or not flowing:
                continue
            book = self._market.book(subscriptions[0].listing, key[1])
            for subscription in flowing:
                self._catch_up(subscription, book, round_)
            if isinstance(book, VenueBook):
                self._credits[key] = rows
                self._spend(key, book, subscriptions, round_)
                self._credits[key] = 0.0
        return self._encode(round_)

    def distort(self, symbol: str, how: str, blocked: Collection[int]) -> Output:
        """how: cross, unsort or heal, for every subscribed generated book of the symbol."""
        round_ = _Round(blocked)
        healing = {id(book) for _, book in self._market.broken_books(symbol)}
        for key, subscriptions in self._desk.by_book().items():
            book = self._market.book(subscriptions[0].listing, key[1])
            if key[0] == symbol and isinstance(book, VenueBook):
                self._change(book, _distortion(book, how), subscriptions, round_)
                healing.discard(id(book))
        if how == "heal":
            for _, book in self._market.broken_books(symbol):
                if id(book) in healing:
                    for op in book.heal():
                        book.apply(op)
        return self._encode(round_)

    def move(
        self, listing: Listing, venue: str, elapsed_s: float, blocked: Collection[int]
    ) -> bool:
        """Moves a generated book on for quotes, unless a depth subscription moves it.

        Returns whether the book may be another than before.
        """
        key = (listing.symbol, venue)
        if self.silenced_by or key[0] in self.frozen:
            return False
        if key[0] in self._market.replays:
            return True
        round_ = _Round(blocked)
        subscriptions = self._desk.by_book().get(key, [])
        if subscriptions and any(self.in_sync(s) for s in self._flowing(subscriptions, round_)):
            return True
        self._drift[key] = self._drift.get(key, 0.0) + self._options.quote_rate * elapsed_s
        changes = min(int(self._drift[key]), _DRIFT_MAX)
        self._drift[key] %= 1.0
        book = self._market.generated(listing, venue)
        for _ in range(changes):
            self._change(book, book.plan(), subscriptions, round_)
        return changes > 0

    def in_sync(self, subscription: Subscription) -> bool:
        return subscription.primed and subscription.behind is None

    def _tick_book(
        self,
        key: tuple[str, str],
        subscriptions: list[Subscription],
        elapsed_s: float,
        round_: _Round,
    ) -> None:
        flowing = self._flowing(subscriptions, round_)
        if not flowing:
            return
        book = self._market.book(flowing[0].listing, key[1])
        for subscription in flowing:
            self._catch_up(subscription, book, round_)
        replay = self._market.replays.get(key[0])
        if replay:
            self._tick_replay(replay, subscriptions, elapsed_s, round_)
        elif isinstance(book, VenueBook) and any(self.in_sync(s) for s in flowing):
            rate = self._options.rate_of(key[0])
            credit = self._credits.get(key, 0.0) + rate * elapsed_s
            self._credits[key] = min(credit, rate * _CATCH_UP_S + 1)
            self._spend(key, book, subscriptions, round_)

    def _spend(
        self,
        key: tuple[str, str],
        book: VenueBook,
        subscriptions: list[Subscription],
        round_: _Round,
    ) -> None:
        credit = self._credits[key]
        unseen = 0
        # A change below the rows asked for sends nothing; not more than so many in a row.
        while credit >= 1 and unseen < _UNSEEN_CHANGES_MAX:
            ops = book.plan(self._options.transit)
            rows = self._change(book, ops, subscriptions, round_)
            unseen = 0 if rows else unseen + 1
            credit -= rows
        self._credits[key] = credit

    def _tick_replay(
        self,
        replay: Replay,
        subscriptions: list[Subscription],
        elapsed_s: float,
        round_: _Round,
    ) -> None:
        live = [s for s in subscriptions if s.state == "live" and not s.muted]
        if not replay.started or not live or any(s.connection in round_.blocked for s in live):
            return
        ops = replay.advance(elapsed_s, self._options.speed, _REPLAY_ROWS_MAX)
        for subscription in self._flowing(subscriptions, round_):
            round_.add(subscription, ops)

    def _change(
        self,
        book: VenueBook,
        ops: list[RowOp],
        subscriptions: list[Subscription],
        round_: _Round,
    ) -> int:
        """Applies one change; returns the most rows any client was sent for it."""
        flowing = [s for s in self._flowing(subscriptions, round_) if self.in_sync(s)]
        for subscription in subscriptions:
            if subscription not in flowing and self.in_sync(subscription):
                subscription.behind = book.top(subscription.num_rows)
        if self._options.style == "shift":
            return _shift(book, ops, flowing, round_)
        return _replace(book, ops, flowing, round_)

    def _flowing(self, subscriptions: list[Subscription], round_: _Round) -> list[Subscription]:
        if not subscriptions or self.silenced_by or subscriptions[0].listing.symbol in self.frozen:
            return []
        return [
            s
            for s in subscriptions
            if s.connection not in round_.blocked and not s.muted and s.state in ("live", "late")
        ]

    def _catch_up(self, subscription: Subscription, book: Book, round_: _Round) -> None:
        if self.in_sync(subscription) or (subscription.state == "late" and not subscription.primed):
            return
        seen = subscription.behind or ([], [])
        now = book.top(subscription.num_rows)
        for side in (ASK, BID):
            round_.add(subscription, diff_rows(side, seen[side], now[side]))
        subscription.primed, subscription.behind = True, None

    def _encode(self, round_: _Round) -> Output:
        output: Output = {}
        for subscription, ops in round_.rows.items():
            subscription.rows += len(ops)
            if subscription.state == "late":
                subscription.late_rows += len(ops)
            self.rows_sent[subscription.book_key] += len(ops)
            self._desk.journal.rows(subscription, ops)
            data = _rows_bytes(subscription, ops)
            output.setdefault(subscription.connection, []).append(data)
        return output


def _shift(book: VenueBook, ops: list[RowOp], flowing: list[Subscription], round_: _Round) -> int:
    most = 0
    for op in ops:
        book.apply(op)
        side = book.sides[op.side]
        rows = [round_.add(s, shift_rows(op, s.num_rows, side)) for s in flowing]
        most += max(rows, default=0)
    return most


def _replace(book: VenueBook, ops: list[RowOp], flowing: list[Subscription], round_: _Round) -> int:
    seen = [book.top(s.num_rows) for s in flowing]
    for op in ops:
        book.apply(op)
    most = 0
    for subscription, before in zip(flowing, seen, strict=True):
        rows = 0
        for side in dict.fromkeys(op.side for op in ops):
            after = book.sides[side][: subscription.num_rows]
            rows += round_.add(subscription, diff_rows(side, before[side], after))
        most = max(most, rows)
    return most


def _distortion(book: VenueBook, how: str) -> list[RowOp]:
    if how == "heal":
        return book.heal()
    return book.cross() if how == "cross" else book.unsort()


def _rows_bytes(subscription: Subscription, ops: list[RowOp]) -> bytes:
    if subscription.venue == "SMART":
        return depth_rows_l2(subscription.req_id, ops, smart=True)
    if DEPTH_SERVICES.get(subscription.venue) == "Deep2":
        return depth_rows_l2(subscription.req_id, ops, smart=False)
    return depth_rows(subscription.req_id, ops)
