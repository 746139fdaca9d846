"""tickvisor status."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from scripts.configured import fail, settings_or_exit
from scripts.ops.asking import PROGRAM, ask, no_redis, redis_fault, until_interrupted
from scripts.ops.options import AsJson, Watch
from scripts.ops.screen import Picture
from scripts.ops.status_table import picture
from scripts.ops.supervised import read_programs
from shared.errors import StoreError
from shared.settings import WORKERS, Settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_reader import OpsReader, StatusSeen
from shared.views.expectation import expected
from shared.views.programs import ProgramSeen
from shared.views.rates import Rates
from shared.views.status import WATCHDOG, Board, board, document

# Between the two readings that a rate is made of.
_SAMPLE_S: Final = 1.0
_NO_SUPERVISORD: Final = "supervisord does not answer, try `make up`"


class StatusReading:
    """Reads again and again, and remembers what rates need."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._expected = expected(settings)
        self._rates = Rates()

    async def look(self, store: Store, keys: Keys) -> Board:
        """Raises StoreError only where supervisord does not answer either."""
        programs = await asyncio.to_thread(_programs, Path(self._settings.home))
        faults = [] if programs is not None else [_NO_SUPERVISORD]
        try:
            seen = await self._read(store, keys)
        except StoreError as error:
            if programs is None:
                raise
            return self.without_redis(programs, redis_fault(self._settings, error))
        rates = self._rates.observe(seen)
        return board(seen, programs, rates, self._expected, faults)

    def without_redis(self, programs: Sequence[ProgramSeen], fault: str) -> Board:
        return board(None, programs, {}, self._expected, [fault])

    async def twice(self, store: Store, keys: Keys) -> Board:
        first = await self.look(store, keys)
        if not first.redis:
            return first
        await asyncio.sleep(_SAMPLE_S)
        return await self.look(store, keys)

    async def _read(self, store: Store, keys: Keys) -> StatusSeen:
        workers = dict.fromkeys((*WORKERS, WATCHDOG))
        symbols = self._settings.depth_symbols()
        return await OpsReader(store, keys).status(workers, symbols)


def status(watch: Watch = False, as_json: AsJson = False) -> None:
    """Show every process, its heartbeat, rate and lag, and in words what is wrong.

    `starts` counts the starts of a program since supervisord began.
    `upd/s`: depth rows over the last ten seconds, trades over one,
    requests of the vendor's workers since their start.

    Exit codes: 0 all is well, 1 something is wrong or unreachable, 78 unusable settings.
    """
    settings = settings_or_exit(PROGRAM)
    reading = StatusReading(settings)
    shown = Picture(picture, document, as_json)
    if not settings.redis.url:
        found = _unasked(settings, reading)
    elif watch:
        until_interrupted(
            settings, lambda store, keys: shown.watch(lambda: reading.look(store, keys))
        )
        return
    else:
        found = ask(settings, reading.twice)
    shown.show(found)
    if not found.ok:
        raise typer.Exit(1)


def _unasked(settings: Settings, reading: StatusReading) -> Board:
    """No Redis is configured: supervisord may still say why."""
    programs = _programs(Path(settings.home))
    if programs is None:
        raise fail(PROGRAM, no_redis())
    return reading.without_redis(programs, no_redis())


def _programs(home: Path) -> list[ProgramSeen] | None:
    try:
        return read_programs(home)
    except OSError:
        return None
