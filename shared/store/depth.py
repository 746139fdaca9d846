"""Depth updates → Redis: one stream entry each, last values once per symbol and flush.

Stream ids are `<receive time ms>-<seq>`: they grow with `seq`, so Redis itself refuses an entry it
already has, and a time range can be read with XRANGE. The time part never goes back, also when
the clock does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from shared.market.depth import BookState, DepthUpdate, Pair
from shared.store.confirmed import Position
from shared.store.depth_commands import (
    SymbolView,
    Target,
    last_values,
    quote,
    stop_quoting,
    stream_entry,
    venue_book,
)
from shared.store.flush import Commands, Flush
from shared.store.kept import number
from shared.store.keys import Keys
from shared.store.resp import pack
from shared.store.scripts import Script, script
from shared.store.sink import Sink
from shared.store.ticker import QUOTE_COUNTERS, clock_ms, holds_from

OWNER_TTL_S: Final = 5
_MIN_TTL_S: Final = 30


@dataclass(frozen=True, slots=True)
class DepthTtls:
    heartbeat_s: int = 30
    order_book_s: int = 60
    market_data_s: int = 60


class DepthWriter:
    """Implements `flush.Writer` for depth; also the feed's way in (`put`, `park`, `quoting`)."""

    feed = "depth"
    numbered = True

    def __init__(self, keys: Keys, symbols: Sequence[str], maxlen: int, ttls: DepthTtls) -> None:
        self._keys = keys
        self._ttls = ttls
        self._targets = {symbol: Target(symbol, keys, maxlen) for symbol in symbols}
        # Pairs to be shown as parked once this `seq` of their symbol is out.
        self._parking: dict[Pair, int] = {}
        self._owned: dict[str, list[str]] = {}
        self._owned_dirty: set[str] = set()
        # Expiries grew: keys of parked symbols must not keep the shorter one.
        self._extend = False
        self._quotes = dict.fromkeys(QUOTE_COUNTERS.values(), 0)
        # Symbols whose last values Redis may lack, though it has their entries.
        self._unsure: set[str] = set()
        self.scripts: tuple[Script, ...] = (script("ticker_quote"), script("ticker_release"))
        self.sink: Sink[DepthUpdate] | None = None
        self.clock_ms = clock_ms
        self._expiries = (ttls.heartbeat_s, ttls.order_book_s)
        self.window(0.0)

    # The feed's side

    def put(self, update: DepthUpdate) -> None:
        """Give the update its place in the symbol's sequence and queue it."""
        target = self._targets[update.symbol]
        target.seq += 1
        update.seq = target.seq
        if update.ts_ms > target.entry_ms:
            target.entry_ms = update.ts_ms
        update.entry_ms = target.entry_ms
        assert self.sink is not None
        self.sink.put(update)

    def park(self, pair: Pair) -> None:
        """Show a venue's book as parked, after its updates that are still queued."""
        self._parking[pair] = self._targets[pair.symbol].seq
        self._wake()

    def quoting(self, live: dict[str, list[str]]) -> None:
        """Renew the sign of ownership for these symbols, withdraw it from the others."""
        self._owned_dirty.update(live, self._owned)
        self._owned = live
        self._wake()

    def window(self, window_s: float) -> None:
        """Expiries follow the rotation window, so that nothing expires between two turns."""
        hb_s = max(self._ttls.heartbeat_s, math.ceil(window_s), _MIN_TTL_S)
        book_s = max(self._ttls.order_book_s, _MIN_TTL_S, math.ceil(1.5 * window_s))
        self._extend = self._extend or hb_s > self._expiries[0] or book_s > self._expiries[1]
        self._expiries = (hb_s, book_s)
        self._hb_ttl, self._book_ttl = b"%d" % hb_s, b"%d" % book_s
        self._merged_ttl = b"%d" % self._ttls.order_book_s
        self._ticker_ttl = b"%d" % self._ttls.market_data_s
        self._wake()

    def metrics(self) -> dict[str, int]:
        """Quotes dropped for coming late, and written over a time from the future."""
        return dict(self._quotes)

    def last_seen(self) -> dict[str, int]:
        """Unix ms of each symbol's newest entry, 0 for none; known once the sink is open."""
        return {symbol: target.entry_ms for symbol, target in self._targets.items()}

    def _wake(self) -> None:
        if self.sink is not None:
            self.sink.poke()

    # The sink's side

    def pending(self) -> bool:
        return bool(self._parking or self._owned_dirty or self._unsure or self._extend)

    def repeat(self, symbols: Iterable[str]) -> None:
        self._unsure.update(symbol for symbol in symbols if self._targets[symbol].last)

    def encode(self, batch: Sequence[DepthUpdate], drained: bool) -> Flush[DepthUpdate]:
        commands = Commands()
        entries: list[bytes] = []
        by_venue: dict[tuple[str, str], DepthUpdate] = {}
        newest: dict[str, DepthUpdate] = {}
        for update in batch:
            symbol = update.symbol
            target = self._targets[symbol]
            entries.append(stream_entry(target, update))
            by_venue[symbol, update.venue] = update
            newest[symbol] = update
        for update in by_venue.values():
            target = self._targets[update.symbol]
            target.note(update)
            self._venue_book(commands, update, target.state(update))
        for symbol, update in newest.items():
            target = self._targets[symbol]
            target.encoded_seq = update.seq
            last_values(commands, target, update, self._hb_ttl)
        unsure = self._unsure - newest.keys()
        for symbol in unsure:
            self._last_values(commands, self._targets[symbol])
        now_ms = self.clock_ms()
        parked = self._park_due(commands, drained, now_ms)
        # The sign of ownership first: Redis takes no quote of ours without it.
        owned = self._ownership(commands)
        said = {s for s, venues in owned.items() if venues and self._targets[s].live}
        # What is only said again is known to hold now, unless newer rows wait in the queue.
        again = {s for s in said - newest.keys() if self._vouched(s)} if drained else set()
        for symbol in {*newest, *unsure, *(pair.symbol for pair in parked), *said}:
            self._symbol_view(commands, self._targets[symbol], now_ms, symbol in again)
        if self._extend:
            self._extend_expiries(commands)
        payload = b"".join([*entries, *commands.parts])
        side = (parked, owned, frozenset(self._unsure), self._expiries)
        return Flush(payload, batch, commands.names, side)

    def confirmed(self, flush: Flush[DepthUpdate], replies: Sequence[Any] = ()) -> None:
        for name, reply in zip(flush.names, replies[flush.item_replies :], strict=False):
            if name.startswith("ticker_quote") and reply in QUOTE_COUNTERS:
                self._quotes[QUOTE_COUNTERS[reply]] += 1
        parked, owned, unsure, expiries = flush.side
        self._extend = self._extend and expiries != self._expiries
        self._unsure -= unsure
        for pair, seq in parked.items():
            if self._parking.get(pair) == seq:
                del self._parking[pair]
        for symbol, venues in owned.items():
            if self._owned.get(symbol) == venues:
                self._owned_dirty.discard(symbol)

    def skip(self, lost: Mapping[str, int]) -> None:
        """Numbers that an earlier run gave and lost are not given again."""
        for symbol, seq in lost.items():
            if symbol in self._targets:
                self._targets[symbol].seq = max(self._targets[symbol].seq, seq)

    def positions(self) -> list[str]:
        return list(self._targets)

    def position_commands(self, symbol: str) -> bytes:
        target = self._targets[symbol]
        newest = pack(b"XREVRANGE", target.stream_key, b"+", b"-", b"COUNT", b"1")
        return newest + pack(b"HGET", target.last_key, b"seq")

    def position(self, replies: Sequence[Any]) -> Position:
        seq, entry_ms = _newest(replies[0])
        return Position(seq, entry_ms, max(seq, number(replies[1])))

    def reseed(self, symbol: str, position: Position) -> None:
        target = self._targets[symbol]
        target.seq = max(target.seq, position.highest_seq)
        target.entry_ms = max(target.entry_ms, position.entry_ms)

    # Commands

    def _venue_book(self, commands: Commands, update: DepthUpdate, state: BookState) -> None:
        key = self._keys.venue_book(update.symbol, update.venue)
        book = venue_book(update, state)
        commands.add(f"SET {key}", b"SET", key.encode(), book, b"EX", self._book_ttl)

    def _extend_expiries(self, commands: Commands) -> None:
        for symbol, target in self._targets.items():
            commands.add(f"EXPIRE hb {symbol}", b"EXPIRE", target.hb_key, self._hb_ttl)
            for venue in target.last:
                key = self._keys.venue_book(symbol, venue)
                commands.add(f"EXPIRE {key}", b"EXPIRE", key.encode(), self._book_ttl)

    def _last_values(self, commands: Commands, target: Target) -> None:
        """What Redis was told of a symbol before, once more."""
        for update in target.last.values():
            self._venue_book(commands, update, target.state(update))
        newest = max(target.last.values(), key=lambda update: update.seq)
        last_values(commands, target, newest, self._hb_ttl)

    def _park_due(self, commands: Commands, drained: bool, now_ms: int) -> dict[Pair, int]:
        due: dict[Pair, int] = {}
        for pair, seq in self._parking.items():
            target = self._targets[pair.symbol]
            if not drained and target.encoded_seq < seq:
                continue
            due[pair] = seq
            target.park(pair.venue, seq, now_ms)
            last = target.last.get(pair.venue)
            if last is not None:
                self._venue_book(commands, last, BookState.PARKED)
        return due

    def _symbol_view(self, commands: Commands, target: Target, now_ms: int, holds: bool) -> None:
        """Merged book and quote of a symbol, from its live venues as of this flush."""
        if not target.live:
            stop_quoting(commands, target)
            return
        view = SymbolView(list(target.live.values()))
        name = f"SET book {target.symbol}"
        book = view.book(target.symbol)
        commands.add(name, b"SET", target.book_key, book, b"EX", self._merged_ttl)
        as_of_ms = holds_from(now_ms, view.ts_ms) if holds else view.ts_ms
        quote(commands, target, view, (as_of_ms, now_ms), self._ticker_ttl)

    def _vouched(self, symbol: str) -> bool:
        """The feed says that every venue in the quote is live and healthy."""
        return set(self._targets[symbol].live) <= set(self._owned.get(symbol, ()))

    def _ownership(self, commands: Commands) -> dict[str, list[str] | None]:
        said: dict[str, list[str] | None] = {}
        for symbol in self._owned_dirty:
            venues = said[symbol] = self._owned.get(symbol)
            target = self._targets[symbol]
            if venues and target.live:
                ttl = b"%d" % OWNER_TTL_S
                value = orjson.dumps(venues)
                commands.add(f"SET owner {symbol}", b"SET", target.ticker.owner, value, b"EX", ttl)
            else:
                commands.add(f"DEL owner {symbol}", b"DEL", target.ticker.owner)
        return said


def _newest(reply: Any) -> tuple[int, int]:
    """(`seq`, id time ms) of an XREVRANGE ... COUNT 1 reply; (0, 0) for an empty stream."""
    if not isinstance(reply, list) or not reply:
        return 0, 0
    entry_id, fields = reply[0]
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return number(named.get(b"seq")), int(bytes(entry_id).split(b"-")[0])
