"""Five-second bars and minute candles → Redis, each in place of what stood at its start."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.market.bar import Bar, Candle
from shared.market.depth import ENTRY_OVERHEAD_BYTES
from shared.store.confirmed import Position
from shared.store.connection import Store
from shared.store.flush import Commands, Flush
from shared.store.kept import number, read, text
from shared.store.keys import Keys
from shared.store.resp import pack
from shared.store.scripts import Script, script
from shared.store.sink import Sink

# Which of the script's two sorted sets.
_BARS: Final = b"1"
_CANDLES: Final = b"2"
_MAX_AHEAD_S: Final = 86_400


class BarItem(msgspec.Struct, gc=False):
    """A numbered write of a bar or candle; `ts_ms` is its start."""

    symbol: str
    ts_ms: int
    received_s: float
    which: bytes
    json: bytes
    seq: int
    venue: str = ""

    @property
    def size_bytes(self) -> int:
        return len(self.json) + ENTRY_OVERHEAD_BYTES


class _Target:
    __slots__ = ("candles_key", "bars_key", "field", "seq")

    def __init__(self, symbol: str, keys: Keys) -> None:
        self.field = f"bars:{symbol}".encode()
        self.bars_key = keys.bars_5s(symbol).encode()
        self.candles_key = keys.bars_1min(symbol).encode()
        self.seq = 0


class BarsWriter:
    """Implements `flush.Writer` for bars.

    The numbers are of writes, so that a repeated flush does nothing twice; readers never see
    them. `cover` says up to when everything is written or entered as lost.
    """

    feed = "bars"
    numbered = False

    def __init__(
        self, worker: str, keys: Keys, symbols: Sequence[str], ttls: tuple[int, int]
    ) -> None:
        """`ttls` of 5-second bars and of candles, in seconds; also how far back they reach."""
        self._numbers, self._covered_key = keys.numbers(worker).encode(), keys.covered(worker)
        self._targets = {symbol: _Target(symbol, keys) for symbol in symbols}
        self._ttls = tuple(b"%d" % ttl for ttl in ttls)
        # Until when each symbol is whole, and what Redis was told of it.
        self._covered: dict[str, int] = {}
        self._said_covered: dict[str, int] = {}
        self.scripts: tuple[Script, ...] = (script("bars_put"),)
        self.sink: Sink[BarItem] | None = None
        self.bars = self.candles = 0

    # The feed's side

    def bar(self, symbol: str, bar: Bar, received_s: float) -> None:
        self.bars += 1
        self._put(symbol, bar, _BARS, received_s)

    def candle(self, symbol: str, candle: Candle, received_s: float) -> None:
        self.candles += 1
        self._put(symbol, candle, _CANDLES, received_s)

    def cover(self, until_ms: Mapping[str, int]) -> None:
        """Data of these symbols up to then came and was queued, or its loss was entered."""
        self._covered.update(until_ms)
        if self.sink is not None:
            self.sink.poke()

    def _put(self, symbol: str, made: Bar | Candle, which: bytes, received_s: float) -> None:
        target = self._targets[symbol]
        target.seq += 1
        text = msgspec.json.encode(made)
        assert self.sink is not None
        self.sink.put(BarItem(symbol, made.t * 1000, received_s, which, text, target.seq))

    # The sink's side

    def pending(self) -> bool:
        return self._covered != self._said_covered

    def metrics(self) -> dict[str, int]:
        return {}

    def repeat(self, symbols: Iterable[str]) -> None:
        """Bars are their own last values."""

    def encode(self, batch: Sequence[BarItem], drained: bool) -> Flush[BarItem]:
        by_symbol: dict[str, list[BarItem]] = {}
        for item in batch:
            by_symbol.setdefault(item.symbol, []).append(item)
        parts = [self._put_script(symbol, items) for symbol, items in by_symbol.items()]
        commands = Commands()
        # Not before every bar that came before it.
        covered = dict(self._covered) if drained else self._said_covered
        if covered != self._said_covered:
            pairs = [f"{part}".encode() for pair in covered.items() for part in pair]
            commands.add("HSET covered", b"HSET", self._covered_key.encode(), *pairs)
        ordered = [item for items in by_symbol.values() for item in items]
        shares = [len(items) for items in by_symbol.values()]
        payload = b"".join([*parts, *commands.parts])
        return Flush(payload, ordered, commands.names, covered, shares)

    def confirmed(self, flush: Flush[BarItem], replies: Sequence[Any] = ()) -> None:
        self._said_covered = flush.side

    def positions(self) -> list[str]:
        return list(self._targets)

    def position_commands(self, symbol: str) -> bytes:
        target = self._targets[symbol]
        newest = pack(b"ZRANGE", target.bars_key, b"-1", b"-1", b"WITHSCORES")
        return pack(b"HGET", self._numbers, target.field) + newest

    def position(self, replies: Sequence[Any]) -> Position:
        said, newest = replies
        seq = number(said)
        start = number(newest[1]) if isinstance(newest, list) and len(newest) == 2 else 0
        return Position(seq, start * 1000, seq)

    def reseed(self, symbol: str, position: Position) -> None:
        target = self._targets[symbol]
        target.seq = max(target.seq, position.highest_seq)

    def _put_script(self, symbol: str, items: Sequence[BarItem]) -> bytes:
        target = self._targets[symbol]
        rows: list[bytes] = []
        for item in items:
            rows += (item.which, b"%d" % item.seq, b"%d" % (item.ts_ms // 1000), item.json)
        return pack(
            b"EVALSHA",
            script("bars_put").sha.encode(),
            b"3",
            target.bars_key,
            target.candles_key,
            self._numbers,
            target.field,
            *self._ttls,
            *rows,
        )


async def read_bars(
    store: Store, keys: Keys, symbol: str, since_s: int
) -> tuple[list[Bar], list[Candle]]:
    """What Redis has of a symbol from `since_s` on; what cannot be read is left out."""
    client = store.client
    # A start that no clock has reached would be the newest for ever.
    span = (since_s, int(time.time()) + _MAX_AHEAD_S)
    bars_key, candles_key = keys.bars_5s(symbol), keys.bars_1min(symbol)
    bars = await read(store, bars_key, client.zrangebyscore(bars_key, *span), [])
    candles = await read(store, candles_key, client.zrangebyscore(candles_key, *span), [])
    return _decoded(bars, Bar, span), _decoded(candles, Candle, span)


async def read_covered(store: Store, keys: Keys, worker: str) -> dict[str, int]:
    """Unix ms up to which an earlier run left nothing open, by symbol."""
    key = keys.covered(worker)
    said = await read(store, key, store.client.hgetall(key), {})
    latest_ms = (time.time() + _MAX_AHEAD_S) * 1000
    found = {text(symbol): number(ms) for symbol, ms in said.items()}
    return {symbol: ms for symbol, ms in found.items() if 0 < ms <= latest_ms}


def _decoded(rows: Iterable[bytes], kind: type[Any], span: tuple[int, int]) -> list[Any]:
    found = []
    for row in rows:
        try:
            one = msgspec.json.decode(row, type=kind)
        except (ValueError, RecursionError):
            continue
        if span[0] <= one.t <= span[1]:
            found.append(one)
    return found
