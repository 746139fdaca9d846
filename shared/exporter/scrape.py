"""One answer to Prometheus: Redis is read now, and what cannot be known now is not told."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from loguru import logger

from shared.errors import StoreError
from shared.exporter import surfaces, vendor, workers
from shared.exporter.sheet import Sheet
from shared.freshness_budgets import freshness_policy
from shared.market.observation import Observation
from shared.settings import Settings
from shared.store.connection import Store
from shared.store.export_reader import Exported, ExportReader
from shared.store.keys import Keys
from shared.store.market_session import session_of
from shared.store.token_policy import BucketPolicy
from shared.store.watch_reader import WatchReader
from shared.version import VERSION
from shared.views.expectation import expected
from shared.views.wall import rows

_REGULAR: Final = "regular"


class Scrape:
    """Reads whenever it is asked, one after the other, and remembers nothing of what it told."""

    def __init__(self, settings: Settings, store: Store) -> None:
        keys = Keys(settings.redis.key_prefix)
        self._exported = ExportReader(store, keys, settings)
        # Scrapes are far enough apart for the larger documents.
        self._ages = WatchReader(store, keys, settings, documents_every=1)
        self._teller = Teller(settings)
        self._turn = asyncio.Lock()
        self._failures = 0
        self._away = False

    async def sheet(self, deadline_s: float) -> Sheet:
        """What Redis holds; without an answer in time, that it is away and nothing else of it."""
        sheet, began_s = Sheet(), time.monotonic()
        try:
            async with asyncio.timeout(deadline_s), self._turn:
                seen = await self._exported.read()
                observed = await self._ages.read(seen.now_ms, session_of(seen.session))
        except (StoreError, TimeoutError) as error:
            self._failed(error)
        else:
            self._succeeded()
            self._teller.tell(sheet, seen, observed)
        sheet.put("redis_up", not self._away)
        if self._away:
            sheet.put("up", 0)
        sheet.put("build_info", 1, VERSION)
        sheet.put("scrape_duration_seconds", time.monotonic() - began_s)
        sheet.put("scrape_failures_total", self._failures)
        return sheet

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if not self._away:
            logger.warning("redis was not read: {}", str(error) or "no answer in time")
        self._away = True

    def _succeeded(self) -> None:
        if self._away:
            logger.info("redis is read again, {} scrapes failed so far", self._failures)
        self._away = False


class Teller:
    """Everything that was seen, as samples."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._expected = expected(settings)
        self._freshness = freshness_policy(settings)
        self._bucket = BucketPolicy.from_settings(settings.alpha_vantage)
        indicators = settings.alpha_vantage.indicators
        self._kinds = frozenset(("options", "sentiment", *indicators))

    def tell(self, sheet: Sheet, seen: Exported, observed: Observation) -> None:
        self._tell_whole(sheet, seen)
        workers.tell(sheet, seen, self._expected)
        symbols = self._settings.universe.symbols()
        wall = rows(observed, seen.stale.rows, self._freshness, symbols)
        surfaces.tell(sheet, seen, wall, self._expected)
        surfaces.tell_venues(sheet, observed)
        vendor.tell_budget(sheet, seen, self._bucket)
        vendor.tell_breakers(sheet, seen, symbols, self._kinds)
        vendor.tell_polls(sheet, workers.living(seen, self._expected), self._kinds)

    def _tell_whole(self, sheet: Sheet, seen: Exported) -> None:
        state = seen.session.get("state", "")
        if state:
            open_ = state == _REGULAR
            sheet.put("session_open", open_)
            sheet.put("staleness_judged", open_ or self._expected.after_hours)
            for one in ("pre", "regular", "post", "closed"):
                sheet.put("session_state", one == state, one)
        if seen.source in ("live", "sim", "replay"):
            sheet.put("source_info", 1, seen.source)
        if seen.memory is not None:
            used, most = seen.memory
            sheet.put("redis_memory_used_bytes", used)
            sheet.put("redis_memory_max_bytes", most or None)
        if seen.stale.checked_ms:
            age_s = max(0.0, (seen.now_ms - seen.stale.checked_ms) / 1000)
            sheet.put("watchdog_check_age_seconds", age_s)
