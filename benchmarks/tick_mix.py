"""The ticks that the gateway sends, the same frames to every program under test. Pure.

No recording of a real mix is public, so this one is an assumption, made of the kinds of messages
that TWS documents. What belongs to one print of a symbol:

- message 99 (AllLast), where the symbol has a stream;
- RTVolume (46, tick 48): the same price, size and second, and the day's volume. A streamed symbol
  has it up to three prints later: they come out of separate parts of the gateway;
- four ticks of the quote: bid and ask moved by a cent (1 with the size, and the size again as 2,
  as TWS sends them) or four new sizes (2), half of the time each: there are more quotes than
  prints, and most of them change a size alone;
- with every fifth print the last price and size (1, 2), the day's lots (2) and the time (46).

And every five seconds a real-time bar (50) of each symbol that has them. Of the messages of ten
symbols with five streams 64 % are quotes, 16 % RTVolume, 8 % AllLast, the rest last values.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from benchmarks.wire import frame

KEPT_PRINTS: Final = 1_000
BAR_S: Final = 5
LAST_EVERY: Final = 5
MOST_LATE: Final = 3
_EXCHANGES: Final = ("NASDAQ", "ARCA", "FINRA", "BATS", "IEX", "NYSE")
_CONDITIONS: Final = ("", "", "", "I", " T", "F")
_BID, _ASK, _LAST = 1, 2, 4
_SIZE_OF: Final = {_BID: 0, _ASK: 3, _LAST: 5}

Frames = list[bytes]


@dataclass(slots=True)
class Requests:
    """Request ids of one symbol; empty where it has none."""

    line: str = ""
    stream: str = ""
    bars: str = ""


@dataclass(slots=True)
class Bar:
    """What traded since the last bar, prices in cents."""

    open: int
    high: int
    low: int
    volume: int = 0
    count: int = 0


class Tape:
    """One symbol: its quote, its prints and what follows from them. Prices are in cents."""

    def __init__(self, symbol: str, requests: Requests, seed: int) -> None:
        self.symbol = symbol
        self.requests = requests
        self.mid = 10_000 + 100 * seed
        self.sizes = {_BID: 100, _ASK: 100}
        self.volume = self.traded_cents = 0
        # (price in cents, size) of every print so far.
        self.prints: list[tuple[int, int]] = []
        self._rng = random.Random(seed)
        self._late: Frames = []
        self._bar = Bar(self.mid, self.mid, self.mid)

    def price(self, side: int) -> int:
        return self.mid + (1 if side == _ASK else -1)

    def opening(self) -> Frames:
        """What TWS tells first of a line, before any print."""
        line = self.requests.line
        frames = [frame(81, line, 0.01, "9c0001", 3), frame(58, 1, line, 1)]
        frames += [frame(1, 6, line, tick, _dollars(self.mid), 0, 0) for tick in (6, 7, 9, 14)]
        frames.append(frame(45, 6, line, 49, 0))
        return frames + self._price_tick(_BID) + self._price_tick(_ASK)

    def trade(self, ts_ms: int) -> Frames:
        """One print and what comes with it; where it is shown first, it stands first."""
        rng = self._rng
        price, size = self.price(rng.choice((_BID, _ASK))), rng.randrange(1, 400)
        self._count(price, size)
        frames: Frames = []
        volume = self._volume_tick(price, size, ts_ms)
        if self.requests.stream:
            frames.append(self._print(price, size, ts_ms))
            self._late.append(volume)
            if rng.random() < 0.5 or len(self._late) > MOST_LATE:
                frames += self.late()
        else:
            frames.append(volume)
        frames += self._quote()
        if len(self.prints) % LAST_EVERY == 0:
            frames += self._last(price, size, ts_ms)
        return frames

    def late(self) -> Frames:
        """RTVolume that is still to come."""
        frames, self._late = self._late, []
        return frames

    def bar(self, start_s: int) -> Frames:
        """The bar of the five seconds that are over, where bars were asked for."""
        bar, self._bar = self._bar, Bar(self.mid, self.mid, self.mid)
        if not self.requests.bars:
            return []
        prices = [_dollars(cents) for cents in (bar.open, bar.high, bar.low, self.mid)]
        totals = (bar.volume, _dollars(self.mid), bar.count)
        return [frame(50, 3, self.requests.bars, start_s, *prices, *totals)]

    def _count(self, price: int, size: int) -> None:
        self.prints.append((price, size))
        self.volume += size
        self.traded_cents += price * size
        bar = self._bar
        bar.high, bar.low = max(bar.high, price), min(bar.low, price)
        bar.volume, bar.count = bar.volume + size, bar.count + 1

    def _print(self, price: int, size: int, ts_ms: int) -> bytes:
        exchange, conditions = self._rng.choice(_EXCHANGES), self._rng.choice(_CONDITIONS)
        second, stream = ts_ms // 1000, self.requests.stream
        return frame(99, stream, 2, second, _dollars(price), size, 0, exchange, conditions)

    def _volume_tick(self, price: int, size: int, ts_ms: int) -> bytes:
        vwap = f"{self.traded_cents / self.volume / 100:.8f}"
        text = f"{_dollars(price)};{size};{ts_ms};{self.volume};{vwap};true"
        return frame(46, 6, self.requests.line, 48, text)

    def _quote(self) -> Frames:
        if self._rng.random() < 0.5:
            return [self._size_tick(side) for side in (_BID, _ASK, _BID, _ASK)]
        step = self._rng.choice((-1, 1))
        self.mid += step
        # The side that makes room moves first, so that the quote is never crossed.
        sides = (_ASK, _BID) if step > 0 else (_BID, _ASK)
        return [tick for side in sides for tick in self._price_tick(side)]

    def _price_tick(self, side: int) -> Frames:
        size, price = self._new_size(side), _dollars(self.price(side))
        line = self.requests.line
        return [frame(1, 6, line, side, price, size, 1), frame(2, 6, line, _SIZE_OF[side], size)]

    def _size_tick(self, side: int) -> bytes:
        return frame(2, 6, self.requests.line, _SIZE_OF[side], self._new_size(side))

    def _new_size(self, side: int) -> int:
        """Another one than before, so that every quote changes something."""
        self.sizes[side] = self.sizes[side] % 9_000 + 100 * self._rng.randrange(1, 80)
        return self.sizes[side]

    def _last(self, price: int, size: int, ts_ms: int) -> Frames:
        line = self.requests.line
        return [
            frame(1, 6, line, _LAST, _dollars(price), size, 0),
            frame(2, 6, line, _SIZE_OF[_LAST], size),
            frame(2, 6, line, 8, self.volume // 100),
            frame(46, 6, line, 45, ts_ms // 1000),
        ]


@dataclass
class Prepared:
    """Frames in the order of sending, and the place of each print's first one by symbol."""

    frames: Frames = field(default_factory=list)
    prints: dict[str, list[int]] = field(default_factory=dict)


def prepare(tapes: list[Tape], total: int, per_second: float, base_s: int) -> Prepared:
    """At least `total` frames, stamped from `base_s` on as if sent at this rate.

    Every symbol has as many prints as the others, in a new order each time.
    """
    made = Prepared(prints={tape.symbol: [] for tape in tapes})
    rng, bar_s = random.Random(total), base_s // BAR_S * BAR_S
    while len(made.frames) < total:
        for tape in rng.sample(tapes, len(tapes)):
            ts_ms = base_s * 1000 + int(len(made.frames) / per_second * 1000)
            if ts_ms // 1000 - bar_s >= BAR_S:
                made.frames += [bar for each in tapes for bar in each.bar(bar_s)]
                bar_s += BAR_S
            made.prints[tape.symbol].append(len(made.frames))
            made.frames += tape.trade(ts_ms)
    made.frames += [tick for tape in tapes for tick in tape.late()]
    return made


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
