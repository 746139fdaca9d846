"""Depth updates → Redis commands: one stream entry each, last values once per flush.

Stream ids are `<receive time ms>-<seq>`: they grow with `seq`, so Redis itself refuses an entry it
already has, and a time range can be read with XRANGE. The time part never goes back, also when
the clock does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from shared.market.book import EMPTY_SIDE, render
from shared.market.depth import BookState, DepthUpdate, Pair
from shared.market.nbbo import Nbbo, Row, merge
from shared.store.keys import Keys
from shared.store.resp import pack
from shared.store.scripts import Script, script
from shared.store.sink import Flush, Position, Sink

OWNER_TTL_S: Final = 5
# A stored quote time further ahead than this is a clock that stepped back.
FUTURE_TOLERANCE_MS: Final = 2000
QUOTE_FIELDS: Final = (
    "bid",
    "bid_size",
    "bid_venue",
    "ask",
    "ask_size",
    "ask_venue",
    "mid",
    "spread",
    "spread_bps",
    "quote_ts",
    "quote_received_ts",
    "quote_source",
)
_MIN_TTL_S: Final = 30
_VENUE_BOOK: Final = (
    b'{"symbol":"%b","venue":"%b","ts":%d,"received_ts":%d,"seq":%d,'
    b'"bids":%b,"asks":%b,"state":"%b"}'
)
_MERGED_BOOK: Final = (
    b'{"symbol":"%b","venues":%b,"ts":%d,"received_ts":%d,"bids":%b,"asks":%b,"crossed":%b}'
)


@dataclass(frozen=True, slots=True)
class DepthTtls:
    heartbeat_s: int = 30
    order_book_s: int = 60
    market_data_s: int = 60


class Target:
    """One symbol's keys as bytes, its `seq`, and the newest update of each live venue."""

    __slots__ = ("symbol", "keys", "head", "seq", "entry_ms", "encoded_seq", "live", "last")

    def __init__(self, symbol: str, keys: Keys, maxlen: int) -> None:
        self.symbol = symbol
        self.keys = {
            "stream": keys.depth_stream(symbol).encode(),
            "last": keys.depth_last(symbol).encode(),
            "hb": keys.depth_heartbeat(symbol).encode(),
            "book": keys.book(symbol).encode(),
            "ticker": keys.ticker(symbol).encode(),
            "owner": keys.depth_live(symbol).encode(),
        }
        stream, bound = self.keys["stream"], b"%d" % maxlen
        self.head = (
            b"*16\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$6\r\nMAXLEN\r\n$1\r\n~\r\n$%d\r\n%b\r\n"
            % (
                len(stream),
                stream,
                len(bound),
                bound,
            )
        )
        self.seq = 0
        self.entry_ms = 0
        self.encoded_seq = 0
        self.live: dict[str, DepthUpdate] = {}
        # Newest update per venue, live or not: what a parked book shows.
        self.last: dict[str, DepthUpdate] = {}


@dataclass(slots=True)
class _Commands:
    """Commands of a flush behind the appended items."""

    parts: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, *args: bytes) -> None:
        self.parts.append(pack(*args))
        self.names.append(name)


class DepthWriter:
    """Implements `sink.Writer` for depth; also the feed's way in (`put`, `park`, `quoting`)."""

    feed = "depth"

    def __init__(self, keys: Keys, symbols: Sequence[str], maxlen: int, ttls: DepthTtls) -> None:
        self._keys = keys
        self._maxlen = maxlen
        self._ttls = ttls
        self._targets = {symbol: Target(symbol, keys, maxlen) for symbol in symbols}
        self._parking: dict[Pair, int] = {}
        self._owned: dict[str, list[str]] = {}
        self._owned_dirty: set[str] = set()
        self._venues: dict[str, bytes] = {}
        self._quote = script("ticker_quote")
        self._release = script("ticker_release")
        self.scripts: tuple[Script, ...] = (self._quote, self._release)
        self.sink: Sink | None = None
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
        """Mark a venue's book as parked once its queued updates are out."""
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
        self._hb_ttl, self._book_ttl = b"%d" % hb_s, b"%d" % book_s
        self._merged_ttl = b"%d" % self._ttls.order_book_s
        self._ticker_ttl = b"%d" % self._ttls.market_data_s

    def _wake(self) -> None:
        if self.sink is not None:
            self.sink.poke()

    # The sink's side

    def pending(self) -> bool:
        return bool(self._parking or self._owned_dirty)

    def encode(self, batch: Sequence[DepthUpdate], drained: bool) -> Flush:
        """`drained`: no item waits behind this batch."""
        commands = _Commands()
        touched: dict[str, None] = {}
        newest: dict[tuple[str, str], DepthUpdate] = {}
        entries = [self._entry(update) for update in batch]
        for update in batch:
            newest[update.symbol, update.venue] = update
            touched[update.symbol] = None
        for (symbol, venue), update in newest.items():
            self._venue_book(commands, symbol, venue, update)
        if batch:
            last = {update.symbol: update for update in batch}
            for symbol, update in last.items():
                self._last(commands, self._targets[symbol], update)
        parked = self._park_due(commands, touched, drained)
        for symbol in touched:
            self._symbol_view(commands, self._targets[symbol])
        owned = self._ownership(commands, touched)
        payload = b"".join([*entries, *commands.parts])
        return Flush(payload, batch, commands.names, (parked, owned))

    def confirmed(self, flush: Flush) -> None:
        """A flush was carried out: what it said besides its items is said."""
        parked, owned = flush.side
        for pair, seq in parked.items():
            if self._parking.get(pair) == seq:
                del self._parking[pair]
        for symbol, venues in owned.items():
            if self._owned.get(symbol) == venues:
                self._owned_dirty.discard(symbol)

    def positions(self) -> list[str]:
        return list(self._targets)

    def position_commands(self, symbol: str) -> bytes:
        keys = self._targets[symbol].keys
        newest = pack(b"XREVRANGE", keys["stream"], b"+", b"-", b"COUNT", b"1")
        return newest + pack(b"HGET", keys["last"], b"seq")

    def position(self, replies: Sequence[Any]) -> Position:
        seq, entry_ms = _newest(replies[0])
        said = replies[1]
        said_seq = int(said) if isinstance(said, bytes) and said.isdigit() else 0
        return Position(seq, entry_ms, max(seq, said_seq))

    def reseed(self, symbol: str, position: Position) -> None:
        target = self._targets[symbol]
        target.seq = max(target.seq, position.highest_seq)
        target.entry_ms = max(target.entry_ms, position.entry_ms)

    # Commands

    def _entry(self, update: DepthUpdate) -> bytes:
        target = self._targets[update.symbol]
        target.encoded_seq = update.seq
        target.last[update.venue] = update
        if update.state is BookState.LIVE:
            target.live[update.venue] = update
        else:
            target.live.pop(update.venue, None)
        venue = update.venue.encode()
        seq = b"%d" % update.seq
        entry_id = b"%d-%b" % (update.entry_ms, seq)
        ts = b"%d" % update.ts_ms
        bids, asks = update.bids, update.asks
        return (
            b"%b$%d\r\n%b\r\n$2\r\nts\r\n$%d\r\n%b\r\n$4\r\nbids\r\n$%d\r\n%b\r\n"
            b"$4\r\nasks\r\n$%d\r\n%b\r\n$3\r\nseq\r\n$%d\r\n%b\r\n$5\r\nvenue\r\n$%d\r\n%b\r\n"
        ) % (
            target.head,
            len(entry_id),
            entry_id,
            len(ts),
            ts,
            len(bids),
            bids,
            len(asks),
            asks,
            len(seq),
            seq,
            len(venue),
            venue,
        )

    def _venue_book(
        self, commands: _Commands, symbol: str, venue: str, update: DepthUpdate
    ) -> None:
        key = self._keys.venue_book(symbol, venue)
        book = _VENUE_BOOK % (
            symbol.encode(),
            venue.encode(),
            update.ts_ms,
            update.ts_ms,
            update.seq,
            update.bids,
            update.asks,
            update.state.encode(),
        )
        commands.add(f"SET {key}", b"SET", key.encode(), book, b"EX", self._book_ttl)

    def _last(self, commands: _Commands, target: Target, update: DepthUpdate) -> None:
        ts = b"%d" % update.ts_ms
        commands.add(
            f"HSET last {target.symbol}",
            b"HSET",
            target.keys["last"],
            b"ts",
            ts,
            b"bid0",
            _best(update.bids),
            b"ask0",
            _best(update.asks),
            b"bids_json",
            update.bids,
            b"asks_json",
            update.asks,
            b"venue",
            update.venue.encode(),
            b"seq",
            b"%d" % update.seq,
        )
        commands.add(f"SETEX hb {target.symbol}", b"SETEX", target.keys["hb"], self._hb_ttl, ts)

    def _park_due(
        self, commands: _Commands, touched: dict[str, None], drained: bool
    ) -> dict[Pair, int]:
        due: dict[Pair, int] = {}
        for pair, seq in self._parking.items():
            target = self._targets[pair.symbol]
            if not drained and target.encoded_seq < seq:
                continue
            due[pair] = seq
            target.live.pop(pair.venue, None)
            touched[pair.symbol] = None
            last = target.last.get(pair.venue)
            if last is not None:
                book = _restated(last, BookState.PARKED)
                self._venue_book(commands, pair.symbol, pair.venue, book)
        return due

    def _symbol_view(self, commands: _Commands, target: Target) -> None:
        """Merged book and quote of a symbol, from its live venues as of this flush."""
        live = list(target.live.values())
        if not live:
            commands.add(
                f"ticker_release {target.symbol}",
                b"EVALSHA",
                self._release.sha.encode(),
                b"1",
                target.keys["ticker"],
                b"depth",
                *(name.encode() for name in QUOTE_FIELDS),
            )
            commands.add(f"DEL owner {target.symbol}", b"DEL", target.keys["owner"])
            return
        newest = max(live, key=lambda update: update.seq)
        bids = [_rows(update.bids) for update in live]
        asks = [_rows(update.asks) for update in live]
        if len(live) == 1:
            bids_json, asks_json = newest.bids, newest.asks
        else:
            bids_json, asks_json = _json(merge(bids, True)), _json(merge(asks, False))
        best_bid, best_ask = merge(bids, True)[:1], merge(asks, False)[:1]
        nbbo = Nbbo(best_bid[0] if best_bid else None, best_ask[0] if best_ask else None)
        book = _MERGED_BOOK % (
            target.symbol.encode(),
            orjson.dumps(sorted(target.live)),
            newest.ts_ms,
            newest.ts_ms,
            bids_json,
            asks_json,
            b"true" if nbbo.crossed else b"false",
        )
        commands.add(
            f"SET book {target.symbol}",
            b"SET",
            target.keys["book"],
            book,
            b"EX",
            self._merged_ttl,
        )
        self._ticker(commands, target, nbbo, newest.ts_ms)

    def _ticker(self, commands: _Commands, target: Target, nbbo: Nbbo, ts_ms: int) -> None:
        ts = b"%d" % ts_ms
        fields: list[bytes] = []
        for name, row in (("bid", nbbo.bid), ("ask", nbbo.ask)):
            price, size, venue = row or (None, None, "")
            for suffix, value in (("", price), ("_size", size), ("_venue", venue)):
                fields += [(name + suffix).encode(), _text(value)]
        for name, value in (
            ("mid", nbbo.mid()),
            ("spread", nbbo.spread()),
            ("spread_bps", nbbo.spread_bps()),
        ):
            fields += [name.encode(), _text(value)]
        commands.add(
            f"ticker_quote {target.symbol}",
            b"EVALSHA",
            self._quote.sha.encode(),
            b"2",
            target.keys["ticker"],
            target.keys["owner"],
            b"depth",
            ts,
            ts,
            self._ticker_ttl,
            b"%d" % FUTURE_TOLERANCE_MS,
            *fields,
        )

    def _ownership(
        self, commands: _Commands, touched: dict[str, None]
    ) -> dict[str, list[str] | None]:
        said: dict[str, list[str] | None] = {}
        for symbol in self._owned_dirty:
            venues = self._owned.get(symbol)
            said[symbol] = venues
            key = self._targets[symbol].keys["owner"]
            if venues and self._targets[symbol].live:
                commands.add(
                    f"SET owner {symbol}",
                    b"SET",
                    key,
                    orjson.dumps(venues),
                    b"EX",
                    b"%d" % OWNER_TTL_S,
                )
            elif symbol not in touched:
                commands.add(f"DEL owner {symbol}", b"DEL", key)
        return said


def _newest(reply: Any) -> tuple[int, int]:
    """(`seq`, id time ms) of an XREVRANGE ... COUNT 1 reply; (0, 0) for an empty stream."""
    if not isinstance(reply, list) or not reply:
        return 0, 0
    entry_id, fields = reply[0]
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return int(named.get(b"seq", 0)), int(bytes(entry_id).split(b"-")[0])


def _restated(update: DepthUpdate, state: BookState) -> DepthUpdate:
    return DepthUpdate(
        update.symbol,
        update.venue,
        update.ts_ms,
        update.received_s,
        update.bids,
        update.asks,
        state,
        update.seq,
        update.entry_ms,
    )


def _best(side: bytes) -> bytes:
    """Best price of a side as text, empty when the side is."""
    price = side[2 : side.index(b",")]
    return b"" if price == b"null" else price


def _rows(side: bytes) -> list[Row]:
    if side == EMPTY_SIDE:
        return []
    return [(row[0], row[1], row[2]) for row in orjson.loads(side) if row[0] is not None]


def _json(rows: list[Row]) -> bytes:
    return render([orjson.dumps(row) for row in rows])


def _text(value: float | str | None) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
