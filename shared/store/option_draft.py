"""A chain on its way: what was read of it is written while the rest is still being read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.give_way import give_way
from shared.market.option import Chain, ChainPart


@dataclass(slots=True)
class Written:
    """What a write did; counts of greeks keys, `store_ms` from the chain's last part on."""

    changed: int = 0
    renewed: int = 0
    removed: int = 0
    store_ms: float = 0.0


class Whole(NamedTuple):
    """All parts have come; `digest` names the body."""

    chain: Chain
    digest: int


class Abandoned(NamedTuple):
    """It is no chain after all."""


Step = ChainPart | Whole | Abandoned


class Steps:
    """What the writer of one chain is handed, in order."""

    def __init__(self, symbol: str, fetched_ms: int) -> None:
        self.symbol = symbol
        self.fetched_ms = fetched_ms
        self._waiting: asyncio.Queue[Step] = asyncio.Queue()

    def put(self, step: Step) -> None:
        self._waiting.put_nowait(step)

    async def next(self) -> Step:
        # However many wait, others have their turn between two of them.
        await give_way()
        return await self._waiting.get()


class Draft:
    """The reader's end: parts go in; nobody can read any of them before `finish`."""

    def __init__(
        self, steps: Steps, write: Callable[[Steps], Coroutine[Any, Any, Written]]
    ) -> None:
        self._steps = steps
        self._writing = asyncio.ensure_future(write(steps))
        # A reader that gives up does not ask how the writing ended.
        self._writing.add_done_callback(lambda done: done.cancelled() or done.exception())

    def add(self, part: ChainPart) -> None:
        self._steps.put(part)

    async def finish(self, chain: Chain, digest: int) -> Written:
        """Make the chain readable, of which all parts were added. Raises as a write does."""
        started_s = time.perf_counter()
        self._steps.put(Whole(chain, digest))
        done = await self._writing
        done.store_ms = since_ms(started_s)
        return done

    def abandon(self) -> None:
        """What was written of it goes; what can be read stays as it is."""
        self._steps.put(Abandoned())


def since_ms(started_s: float) -> float:
    return round((time.perf_counter() - started_s) * 1000, 3)
