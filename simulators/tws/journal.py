from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from .book import RowOp
    from .depth import Subscription

__all__ = ["COLUMNS", "Entry", "Journal"]

_ENTRIES_MAX: Final = 400_000


class Entry(NamedTuple):
    # From 1, without holes.
    number: int
    # Unix ms of the tick in which it happened: never later than the client can have it.
    ms: int
    # open, rows, reset (317), halt (316), end
    kind: str
    connection: int
    client_id: int
    req_id: int
    symbol: str
    venue: str
    # Rows sent: [operation, side, position, price x 10000, size, maker]; how it ended; rows asked.
    detail: Any


COLUMNS: Final = Entry._fields


class Journal:
    """Every depth row sent, in order, for those who check that none was lost. Off by default.

    No clock: the server sets `now_ms`.
    """

    def __init__(self) -> None:
        self.on = False
        self.now_ms = 0
        self.last = 0
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES_MAX)

    def opened(self, subscription: Subscription) -> None:
        self._add("open", subscription, subscription.num_rows)

    def rows(self, subscription: Subscription, ops: Iterable[RowOp]) -> None:
        if self.on:
            self._add("rows", subscription, [[*op[:3], *op.row] for op in ops])

    def told(self, kind: str, subscription: Subscription) -> None:
        self._add(kind, subscription, None)

    def ended(self, subscription: Subscription, how: str) -> None:
        self._add("end", subscription, how)

    def since(self, number: int, limit: int) -> Iterator[Entry]:
        """The entries with a larger number, oldest first."""
        first_kept = self.last - len(self._entries)
        start = max(0, number - first_kept)
        return islice(self._entries, start, start + limit)

    def _add(self, kind: str, subscription: Subscription, detail: Any) -> None:
        if not self.on:
            return
        self.last += 1
        who = (subscription.connection, subscription.client_id, subscription.req_id)
        self._entries.append(
            Entry(self.last, self.now_ms, kind, *who, *subscription.book_key, detail)
        )
