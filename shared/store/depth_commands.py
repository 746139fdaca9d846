"""The bytes of every depth key: stream entry, last values, books, quote."""

from __future__ import annotations

from typing import Final

import orjson

from shared.market.book import EMPTY_SIDE, render
from shared.market.depth import BookState, DepthUpdate
from shared.market.nbbo import Nbbo, Row, merge
from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.ticker import (
    FUTURE_TOLERANCE_MS,
    QuoteStamp,
    TickerKeys,
    release_quote,
    write_quote,
)

SOURCE: Final = b"depth"
_ENTRY: Final = (
    b"%b$%d\r\n%b\r\n$2\r\nts\r\n$%d\r\n%b\r\n$4\r\nbids\r\n$%d\r\n%b\r\n"
    b"$4\r\nasks\r\n$%d\r\n%b\r\n$3\r\nseq\r\n$%d\r\n%b\r\n$5\r\nvenue\r\n$%d\r\n%b\r\n"
)
_ENTRY_HEAD: Final = b"*16\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$6\r\nMAXLEN\r\n$1\r\n~\r\n$%d\r\n%b\r\n"
_VENUE_BOOK: Final = (
    b'{"symbol":"%b","venue":"%b","ts":%d,"received_ts":%d,"seq":%d,'
    b'"bids":%b,"asks":%b,"state":"%b"}'
)
_MERGED_BOOK: Final = (
    b'{"symbol":"%b","venues":%b,"ts":%d,"received_ts":%d,"bids":%b,"asks":%b,"crossed":%b}'
)


class Target:
    """One symbol: its keys as bytes, its `seq`, and the newest update of each venue."""

    __slots__ = (
        "book_key",
        "encoded_seq",
        "entry_head",
        "entry_ms",
        "hb_key",
        "last",
        "last_key",
        "left_ms",
        "live",
        "parked",
        "seq",
        "stream_key",
        "symbol",
        "ticker",
    )

    def __init__(self, symbol: str, keys: Keys, maxlen: int) -> None:
        self.symbol = symbol
        self.stream_key = keys.depth_stream(symbol).encode()
        self.last_key = keys.depth_last(symbol).encode()
        self.hb_key = keys.depth_heartbeat(symbol).encode()
        self.book_key = keys.book(symbol).encode()
        self.ticker = TickerKeys(symbol, keys)
        bound = b"%d" % maxlen
        self.entry_head = _ENTRY_HEAD % (len(self.stream_key), self.stream_key, len(bound), bound)
        self.seq = 0
        self.entry_ms = 0
        self.encoded_seq = 0
        self.live: dict[str, DepthUpdate] = {}
        # When a venue last left the quote: since then it is another one, without a new row.
        self.left_ms = 0
        # Also of venues that are not live: what a parked book shows.
        self.last: dict[str, DepthUpdate] = {}
        # The newest `seq` of the symbol when a venue was parked: what is sent again from before
        # that brings no venue back to life.
        self.parked: dict[str, int] = {}

    def note(self, update: DepthUpdate) -> None:
        """This update is its venue's newest in the flush being encoded."""
        venue = update.venue
        self.last[venue] = update
        if update.state is BookState.LIVE and update.seq > self.parked.get(venue, 0):
            self.live[venue] = update
        else:
            self._leave(venue, update.ts_ms)

    def park(self, venue: str, seq: int, now_ms: int) -> None:
        self._leave(venue, now_ms)
        self.parked[venue] = seq

    def _leave(self, venue: str, ts_ms: int) -> None:
        if self.live.pop(venue, None) is not None:
            self.left_ms = max(self.left_ms, ts_ms)

    def state(self, update: DepthUpdate) -> BookState:
        """What a venue's newest update is shown as."""
        if update.seq <= self.parked.get(update.venue, 0):
            return BookState.PARKED
        return update.state


def stream_entry(target: Target, update: DepthUpdate) -> bytes:
    """XADD with an explicit id, `<receive ms>-<seq>`."""
    venue = update.venue.encode()
    seq = b"%d" % update.seq
    entry_id = b"%d-%b" % (update.entry_ms, seq)
    ts = b"%d" % update.ts_ms
    bids, asks = update.bids, update.asks
    return _ENTRY % (
        target.entry_head,
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


def last_values(commands: Commands, target: Target, update: DepthUpdate, ttl: bytes) -> None:
    """`raw:ibkr:depth:last` and the heartbeat of the symbol, expiring after `ttl` seconds."""
    ts = b"%d" % update.ts_ms
    commands.add(
        f"HSET last {target.symbol}",
        b"HSET",
        target.last_key,
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
    commands.add(f"SETEX hb {target.symbol}", b"SETEX", target.hb_key, ttl, ts)


def venue_book(update: DepthUpdate, state: BookState) -> bytes:
    """JSON of `market:<symbol>:<venue>:book`."""
    return _VENUE_BOOK % (
        update.symbol.encode(),
        update.venue.encode(),
        update.ts_ms,
        update.ts_ms,
        update.seq,
        update.bids,
        update.asks,
        state.encode(),
    )


class SymbolView:
    """A symbol over its live venues: merged book and best quote."""

    __slots__ = ("_asks", "_bids", "_live", "nbbo", "ts_ms")

    def __init__(self, live: list[DepthUpdate]) -> None:
        self._live = live
        self._bids = merge([_rows(update.bids) for update in live], bids=True)
        self._asks = merge([_rows(update.asks) for update in live], bids=False)
        self.nbbo = Nbbo(
            self._bids[0] if self._bids else None, self._asks[0] if self._asks else None
        )
        self.ts_ms = max(update.ts_ms for update in live)

    def book(self, symbol: str) -> bytes:
        """JSON of `market:<symbol>:book`."""
        if len(self._live) == 1:
            bids, asks = self._live[0].bids, self._live[0].asks
        else:
            bids, asks = _json(self._bids), _json(self._asks)
        venues = orjson.dumps(sorted(update.venue for update in self._live))
        crossed = b"true" if self.nbbo.crossed else b"false"
        return _MERGED_BOOK % (symbol.encode(), venues, self.ts_ms, self.ts_ms, bids, asks, crossed)


def quote(
    commands: Commands, target: Target, view: SymbolView, times_ms: tuple[int, int], ttl: bytes
) -> None:
    """The quote half of the ticker, as its owner; `times_ms`: as of when it holds, and now."""
    as_of_ms, now_ms = times_ms
    # A clock that stepped back since a venue left does not bind what comes now.
    left_ms = target.left_ms if target.left_ms <= now_ms + FUTURE_TOLERANCE_MS else 0
    received_ms = max(view.ts_ms, left_ms)
    stamp = QuoteStamp(SOURCE, max(as_of_ms, left_ms), received_ms, now_ms)
    write_quote(commands, target.ticker, stamp, view.nbbo.fields(), ttl)


def stop_quoting(commands: Commands, target: Target) -> None:
    """No venue is live: the quote is nobody's, and others may take it over at once."""
    commands.add(f"DEL owner {target.symbol}", b"DEL", target.ticker.owner)
    release_quote(commands, target.ticker, SOURCE)


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
