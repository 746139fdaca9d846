"""Who holds a depth slot since when, as the rotation ledger tells it.

Of a slot that is held since before the part of the ledger that is read at the start (a pinned
symbol's, all day) its book tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.store.connection import Store
from shared.store.kept import DEBUG, number, read, text
from shared.store.keys import Keys

_LOOK_BACK: Final = 500
_MOST_AT_ONCE: Final = 1_000


class SlotsHeld:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._key = keys.rotation()
        self._newest: str | None = None
        self._since: dict[tuple[str, str], int | None] = {}
        # When the ledger named each pair last.
        self._named: dict[tuple[str, str], int] = {}

    async def follow(self) -> None:
        """Read what was added. Raises StoreUnavailable, StoreRefused."""
        client = self._store.client
        entries: Any
        if self._newest is None:
            work = client.xrevrange(self._key, "+", "-", count=_LOOK_BACK)
            entries = await read(self._store, self._key, work, [], DEBUG)
            entries.reverse()
        else:
            after = f"({self._newest}"
            work = client.xrange(self._key, after, "+", count=_MOST_AT_ONCE)
            entries = await read(self._store, self._key, work, [], DEBUG)
        for name, fields in entries:
            self._newest = name.decode()
            self._take({text(key): text(value) for key, value in fields.items()})

    def saw_row(self, pair: tuple[str, str], at_ms: int) -> None:
        """Rows come of a pair that the worker had: the ledger named it once."""
        self._named[pair] = max(at_ms, self._named.get(pair, 0))

    def saw_open(self, pair: tuple[str, str], at_ms: int) -> None:
        """Its book is open; where the ledger said nothing of its slot, it is held since then."""
        self._since.setdefault(pair, at_ms)

    def pairs(self, started_ms: int) -> list[tuple[str, str]]:
        """Every pair that the process which started then has named or had rows of."""
        return [pair for pair, at_ms in self._named.items() if at_ms >= started_ms]

    def since_ms(self, pair: tuple[str, str], started_ms: int) -> int | None:
        """None while parked; a slot of an earlier process than that started then is gone."""
        since_ms = self._since.get(pair)
        return since_ms if since_ms is not None and since_ms >= started_ms else None

    def _take(self, entry: Mapping[str, str]) -> None:
        pair = (entry.get("symbol", ""), entry.get("venue", ""))
        at_ms = number(entry.get("ts", "").encode())
        # Without a time nothing can be said of it.
        if not all(pair) or not at_ms:
            return
        self._named[pair] = at_ms
        if entry.get("event") == "subscribe":
            self._since[pair] = at_ms
        elif entry.get("event") in ("cancel", "refused"):
            self._since[pair] = None
