"""What is read each second whether or not anybody looks: it is what the views remember."""

from __future__ import annotations

import time

from shared.settings import WORKERS, Settings
from shared.store.connection import Store
from shared.store.dashboard_reader import DashboardReader
from shared.store.keys import Keys
from shared.store.ops_reader import OpsReader, StatusSeen
from shared.views.expectation import expected
from shared.views.heat import Heat, Pulse
from shared.views.machine import Lives
from shared.views.rates import Rates
from shared.views.status import WATCHDOG, Board, board


class Background:
    """Rates of a minute, books of ten minutes, restarts: since this process began."""

    def __init__(self, settings: Settings, store: Store, keys: Keys) -> None:
        self._settings = settings
        self._reader = DashboardReader(store, keys)
        self._ops = OpsReader(store, keys)
        self._symbols = settings.market_symbols()
        self._expected = expected(settings)
        self._rates = Rates()
        self._heat = {symbol: Heat() for symbol in self._symbols}
        self.pulse = Pulse()
        self.lives = Lives()
        self.status = StatusSeen(0)
        self.board: Board = board(None, None, {}, self._expected)
        self.began_ms = self.now_ms()

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    def heat(self, symbol: str) -> Heat:
        return self._heat[symbol]

    async def look(self) -> None:
        """Raises StoreUnavailable, StoreRefused."""
        sample = await self._reader.sample(self._symbols)
        self.pulse.add(sample)
        for symbol, one in sample.symbols.items():
            self._heat[symbol].add(sample.now_ms // 1000, one)
        workers = dict.fromkeys((*WORKERS, WATCHDOG))
        seen = await self._ops.status(workers, self._settings.depth_symbols())
        self.lives.observe(seen)
        self.status = seen
        self.board = board(seen, None, self._rates.observe(seen), self._expected)
