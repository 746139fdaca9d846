"""A market, four feed workers and what they leave in Redis, on a clock of the test's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.market.observation import Beat, DepthSeen, Observation, PollSeen
from shared.market.session import Session

SYMBOLS: Final = ("SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA")
VENUES: Final = {one: "ARCA" if one in ("SPY", "IWM") else "NASDAQ" for one in SYMBOLS}
# Mean pause between two trades, seconds: from every second to a few a quarter of an hour.
PAUSES_S: Final = dict(zip(SYMBOLS, (1, 1, 2, 3, 3, 10, 20, 60, 180, 400), strict=True))
POLLED_S: Final = {"options": 10.0, "sentiment": 300.0, "technicals": 60.0}
SLOTS: Final = 3
TURN_S: Final = 16.0
WINDOW_S: Final = 64.0
WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
Surface = tuple[str, str]


@dataclass
class Mute:
    """Nothing of these (surface, symbol) comes between two moments (Unix s)."""

    surfaces: frozenset[Surface]
    from_s: float
    to_s: float


@dataclass
class World:
    """`advance` moves it to a moment; `observation` is what could be read there."""

    seed: int
    trading: Callable[[float], bool]
    mutes: list[Mute] = field(default_factory=list)
    # Of these something ought to have come since the last that did.
    withheld: set[Surface] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._now_s = 0.0
        self._trade_due = dict.fromkeys(SYMBOLS, 0.0)
        self._news: dict[Surface, float] = {}
        self._last: dict[Surface, int] = {}
        self._slot_since: dict[str, float] = {}

    def muted(self, surface: str, symbol: str) -> bool:
        return any(
            (surface, symbol) in one.surfaces and one.from_s <= self._now_s < one.to_s
            for one in self.mutes
        )

    def advance(self, now_s: float) -> None:
        """One step: of some seconds while the market is open, of a minute at night."""
        opened = self.trading(now_s) and not self.trading(self._now_s)
        self._now_s = now_s
        if opened:
            # Polls that were slower until now are pulled in, spread over their interval.
            for name, interval_s in POLLED_S.items():
                for symbol in SYMBOLS:
                    due_s = now_s + self._random.uniform(0, interval_s)
                    self._news[name, symbol] = min(due_s, self._news.get((name, symbol), due_s))
        self._step(now_s)

    def _step(self, now_s: float) -> None:
        trading = self.trading(now_s)
        turn = int(now_s // TURN_S)
        holding = {SYMBOLS[(turn * SLOTS + slot) % len(SYMBOLS)] for slot in range(SLOTS)}
        for symbol in SYMBOLS:
            self._step_slot(symbol, symbol in holding, now_s)
            self._step_market(symbol, trading, now_s)
            for name, interval_s in POLLED_S.items():
                self._poll((name, symbol), interval_s if trading else 6 * interval_s, now_s)

    def _step_slot(self, symbol: str, holds: bool, now_s: float) -> None:
        if not holds:
            self._slot_since.pop(symbol, None)
            return
        # A subscription begins with the book as it stands; a slow one then rests for seconds.
        begins = self._slot_since.setdefault(symbol, now_s) == now_s
        row = begins or self._random.random() < min(1.0, 60 / PAUSES_S[symbol])
        if self.trading(now_s) and row:
            self._put("depth", symbol, now_s)

    def _step_market(self, symbol: str, trading: bool, now_s: float) -> None:
        # A healthy line vouches for its quote every ten seconds, at night too.
        self._put("quotes", symbol, now_s // 10 * 10)
        if not trading:
            return
        if self._news.get(("bars", symbol), now_s + 1) <= now_s:
            self._put("bars", symbol, self._news.pop(("bars", symbol)))
        if now_s >= self._trade_due[symbol]:
            self._trade_due[symbol] = now_s + self._random.expovariate(1 / PAUSES_S[symbol])
            self._put("trades", symbol, now_s)
            # Its bar comes when its five seconds are over.
            self._news.setdefault(("bars", symbol), now_s // 5 * 5 + 5)

    def _poll(self, name: Surface, interval_s: float, now_s: float) -> None:
        due_s = self._news.get(name, 0.0)
        if now_s >= due_s:
            self._news[name] = now_s + interval_s * self._random.uniform(0.95, 1.05)
            self._put(*name, now_s)

    def _put(self, surface: str, symbol: str, at_s: float) -> None:
        if self.muted(surface, symbol):
            self.withheld.add((surface, symbol))
        else:
            self.withheld.discard((surface, symbol))
            self._last[surface, symbol] = round(at_s * 1000)

    def observation(self, session: Session, started_s: float) -> Observation:
        now_ms = round(self._now_s * 1000)
        beats = {
            name: Beat(now_ms - 1500, "running", True, "", round(started_s * 1000))
            for name in WORKERS
        }
        return Observation(
            now_ms=now_ms,
            session=session,
            beats=beats,
            depth={(one, VENUES[one]): self._depth(one) for one in SYMBOLS},
            quotes=self._all("quotes"),
            trades=self._all("trades"),
            reported=self._all("trades"),
            bars=self._all("bars"),
            polls={
                name: {one: PollSeen(self._last.get((name, one))) for one in SYMBOLS}
                for name in ("options", "sentiment", "technicals")
            },
            rotation_window_s=WINDOW_S,
        )

    def _depth(self, symbol: str) -> DepthSeen:
        since_s = self._slot_since.get(symbol)
        since_ms = None if since_s is None else round(since_s * 1000)
        return DepthSeen(self._last.get(("depth", symbol)), since_ms)

    def _all(self, surface: str) -> dict[str, int]:
        return {one: self._last.get((surface, one), 0) for one in SYMBOLS}


def of(surfaces: Iterable[str], symbols: Iterable[str]) -> frozenset[Surface]:
    return frozenset((surface, symbol) for surface in surfaces for symbol in symbols)
