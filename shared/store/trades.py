"""Trades → Redis: each one in its symbol's list, last price and volume once per flush."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from shared.market.depth import ENTRY_OVERHEAD_BYTES
from shared.market.trade import Trade, TradeFeed
from shared.store.confirmed import Position
from shared.store.flush import Commands, Flush
from shared.store.kept import number
from shared.store.keys import Keys
from shared.store.quotes import QuoteBoard
from shared.store.resp import pack
from shared.store.scripts import Script, script
from shared.store.sink import Sink
from shared.store.ticker import TickerKeys, clock_ms, write_last

KEPT_TRADES: Final = 1000


class TradeItem(msgspec.Struct, gc=False):
    """A numbered print, its JSON ready."""

    symbol: str
    venue: str
    ts_ms: int
    received_s: float
    json: bytes
    trade: Trade
    seq: int

    @property
    def size_bytes(self) -> int:
        return len(self.json) + 2 * ENTRY_OVERHEAD_BYTES


class Tape:
    """One symbol: its keys as bytes, its number, and the last values Redis is to show."""

    __slots__ = ("field", "last", "last_key", "seq", "stored_ms", "ticker", "trades_key", "volume",
                 "volume_ts_ms")  # fmt: skip

    def __init__(self, symbol: str, keys: Keys) -> None:
        self.field = f"trades:{symbol}".encode()
        self.trades_key = keys.trades(symbol).encode()
        self.last_key = keys.last(symbol).encode()
        self.ticker = TickerKeys(symbol, keys)
        self.seq = 0
        # When the newest print in Redis was received, as found at the start.
        self.stored_ms = 0
        # The newest print that moves the last price.
        self.last: Trade | None = None
        self.volume: float | None = None
        self.volume_ts_ms = 0


class TradesWriter:
    """Implements `flush.Writer` for trades, and carries the quotes in its flushes."""

    feed = "trades"
    numbered = True

    def __init__(
        self, worker: str, keys: Keys, symbols: Sequence[str], ttls: tuple[int, int]
    ) -> None:
        """`ttls` of the trades and of last values and tickers, in seconds."""
        trades_ttl_s, market_data_ttl_s = ttls
        self._numbers = keys.numbers(worker).encode()
        self._tapes = {symbol: Tape(symbol, keys) for symbol in symbols}
        self._trades_ttl, self._ttl = b"%d" % trades_ttl_s, b"%d" % market_data_ttl_s
        self.quotes = QuoteBoard(keys, symbols, market_data_ttl_s)
        # Symbols whose last values Redis was not told, with a mark of the newest change.
        self._dirty: dict[str, object] = {}
        self.scripts: tuple[Script, ...] = tuple(
            script(name)
            for name in ("trades_append", "ticker_last", "ticker_quote", "ticker_release")
        )
        self.sink: Sink[TradeItem] | None = None
        self.clock_ms = clock_ms

    # The feed's side

    def put(self, trade: Trade, received_s: float) -> None:
        """Give the print its number and queue it."""
        tape = self._tapes[trade.symbol]
        tape.seq += 1
        assert self.sink is not None
        self.sink.put(
            TradeItem(
                trade.symbol,
                trade.venue or "",
                trade.received_ts_ms,
                received_s,
                _json(trade, tape.seq),
                trade,
                tape.seq,
            )
        )

    def volume(self, symbol: str, total: float, received_ts_ms: int) -> None:
        """The day's volume in shares."""
        tape = self._tapes[symbol]
        tape.volume, tape.volume_ts_ms = total, received_ts_ms
        self._dirty[symbol] = object()
        self.wake()

    def last_traded(self) -> dict[str, int]:
        """Unix ms of each symbol's newest stored print, 0 for none; known once the sink is open."""
        return {symbol: tape.stored_ms for symbol, tape in self._tapes.items()}

    def wake(self) -> None:
        if self.sink is not None:
            self.sink.poke()

    # The sink's side

    def pending(self) -> bool:
        return bool(self._dirty) or self.quotes.pending()

    def metrics(self) -> dict[str, int]:
        return self.quotes.metrics()

    def repeat(self, symbols: Iterable[str]) -> None:
        again = list(symbols)
        for symbol in again:
            if self._tapes[symbol].last is not None or self._tapes[symbol].volume is not None:
                self._dirty[symbol] = object()
        self.quotes.repeat(again)

    def encode(self, batch: Sequence[TradeItem], drained: bool) -> Flush[TradeItem]:
        by_symbol: dict[str, list[TradeItem]] = {}
        for item in batch:
            by_symbol.setdefault(item.symbol, []).append(item)
        parts: list[bytes] = []
        ordered: list[TradeItem] = []
        shares: list[int] = []
        for symbol, items in by_symbol.items():
            for run in consecutive(items):
                parts.append(self._append(self._tapes[symbol], run))
                shares.append(len(run))
                ordered += run
            self._note(symbol, items)
        commands, now_ms = Commands(), self.clock_ms()
        said = dict(self._dirty)
        for symbol in said:
            self._last_values(commands, self._tapes[symbol], now_ms)
        quotes = self.quotes.encode(commands, now_ms)
        payload = b"".join([*parts, *commands.parts])
        return Flush(payload, ordered, commands.names, (said, quotes), shares)

    def confirmed(self, flush: Flush[TradeItem], replies: Sequence[Any] = ()) -> None:
        said, quotes = flush.side
        for symbol, mark in said.items():
            if self._dirty.get(symbol) is mark:
                del self._dirty[symbol]
        self.quotes.confirmed(quotes, flush.names, replies[flush.item_replies :])

    def skip(self, lost: Mapping[str, int]) -> None:
        """Numbers that an earlier run gave and lost are not given again."""
        for symbol, seq in lost.items():
            if symbol in self._tapes:
                self._tapes[symbol].seq = max(self._tapes[symbol].seq, seq)

    def positions(self) -> list[str]:
        return list(self._tapes)

    def position_commands(self, symbol: str) -> bytes:
        tape = self._tapes[symbol]
        newest = pack(b"LINDEX", tape.trades_key, b"0")
        return pack(b"HGET", self._numbers, tape.field) + newest

    def position(self, replies: Sequence[Any]) -> Position:
        """The number counts, not the list: that one may have expired."""
        seq = number(replies[0])
        return Position(seq, _received_ms(replies[1]), seq)

    def reseed(self, symbol: str, position: Position) -> None:
        tape = self._tapes[symbol]
        tape.seq = max(tape.seq, position.highest_seq)
        tape.stored_ms = max(tape.stored_ms, position.entry_ms)

    # Commands

    def _append(self, tape: Tape, run: Sequence[TradeItem]) -> bytes:
        return pack(
            b"EVALSHA",
            script("trades_append").sha.encode(),
            b"2",
            tape.trades_key,
            self._numbers,
            tape.field,
            b"%d" % run[0].seq,
            b"%d" % KEPT_TRADES,
            self._trades_ttl,
            *(item.json for item in run),
        )

    def _note(self, symbol: str, items: Sequence[TradeItem]) -> None:
        """The newest of these that moves the last price: not unreported ones, nor late ones."""
        for item in reversed(items):
            if not item.trade.unreported and item.trade.feed is not TradeFeed.HISTORY:
                self._tapes[symbol].last = item.trade
                self._dirty[symbol] = object()
                return

    def _last_values(self, commands: Commands, tape: Tape, now_ms: int) -> None:
        last, ts_ms = tape.last, tape.volume_ts_ms
        values: dict[str, float | str | None] = {}
        if tape.volume is not None:
            values["volume"] = tape.volume
        if last is not None:
            ts_ms = max(ts_ms, last.received_ts_ms)
            values |= {"last": last.price, "last_size": last.size}
            values |= {"last_venue": last.venue, "last_ts": last.ts_ms}
            name = f"SET last {tape.ticker.symbol}"
            commands.add(name, b"SET", tape.last_key, _last_json(last), b"EX", self._ttl)
        write_last(commands, tape.ticker, values, (ts_ms, now_ms), self._ttl)


def consecutive(items: Sequence[TradeItem]) -> Iterator[list[TradeItem]]:
    """Runs without a missing number: one script call names its first number only."""
    run: list[TradeItem] = []
    for item in items:
        if run and item.seq != run[-1].seq + 1:
            yield run
            run = []
        run.append(item)
    if run:
        yield run


class _Print(msgspec.Struct, gc=False):
    """A print as it stands in the list, in the order of its fields."""

    ts: int
    received_ts: int
    price: float
    size: float
    venue: str | None
    feed: str
    conditions: str | None
    past_limit: bool | None
    unreported: bool | None
    seq: int


# Not orjson: what it returns keeps some 4 KB for as long as it is kept, and these are kept.
_encode: Final = msgspec.json.Encoder().encode


def _json(trade: Trade, seq: int) -> bytes:
    return _encode(
        _Print(
            trade.ts_ms,
            trade.received_ts_ms,
            trade.price,
            trade.size,
            trade.venue,
            trade.feed,
            trade.conditions,
            trade.past_limit,
            trade.unreported,
            seq,
        )
    )


def _last_json(trade: Trade) -> bytes:
    return orjson.dumps(
        {
            "price": trade.price,
            "size": trade.size,
            "venue": trade.venue,
            "ts": trade.ts_ms,
            "received_ts": trade.received_ts_ms,
        }
    )


def _received_ms(reply: Any) -> int:
    """Receive time of a stored print; 0 where there is none that can be read."""
    try:
        found = orjson.loads(reply)["received_ts"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 0
    return number(b"%d" % found) if type(found) is int else 0
