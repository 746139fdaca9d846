"""The one task that reads Redis, at its own pace, for however many browsers look."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from loguru import logger

from shared.dashboard.background import Background
from shared.dashboard.hub import PULSE, Hub
from shared.dashboard.topics import Topic, Topics
from shared.errors import StoreError, StoreRefused

TICK_S: Final = 0.25
# After a read that failed; a Redis that is away need not be asked four times a second.
_AWAY_S: Final = 0.5
_PULSE_S: Final = 0.5
# The part of a topic that says why there is no other.
REFUSED: Final = "refused"
# A read takes milliseconds.
_MUTE_MS: Final = 2_000


class Sampler:
    def __init__(self, hub: Hub, topics: Topics, background: Background) -> None:
        self._hub = hub
        self._topics = topics
        self._background = background
        self._made: dict[str, Topic] = {}
        self._due_s: dict[str, float] = {}
        # In each second of the clock once: a second without a look is a hole in the heatmap.
        self._looked_at = 0
        self._fault = "Redis was not read yet"
        self._failures = 0
        self._refused: set[str] = set()
        self._read_ms = 0
        self._wake = asyncio.Event()

    @property
    def fault(self) -> str:
        """Why Redis cannot be read, empty when it can."""
        return self._fault

    def look_now(self) -> None:
        """Somebody began to look: what he looks at is due."""
        self._wake.set()

    async def run(self) -> None:
        """For ever; the process ends with it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sample())
            tasks.create_task(self._beat())

    async def _sample(self) -> None:
        while True:
            began_s = time.monotonic()
            pause_s = TICK_S
            try:
                await self._tick(began_s)
            except StoreError as error:
                self._failed(error)
                pause_s = _AWAY_S
            await self._paused(began_s + pause_s - time.monotonic())

    async def _beat(self) -> None:
        """Who gets no pulse for some seconds knows that this process is gone.

        Beside the reading, not in it: a Redis that stands still must not look like that.
        """
        while True:
            now_ms, read_ms = self._background.now_ms(), self._read_ms
            mute = now_ms - (read_ms or self._background.began_ms) > _MUTE_MS
            fault = self._fault or ("Redis does not answer" if mute else "")
            self._hub.publish(PULSE, {"at": [now_ms, read_ms or None, fault]})
            await asyncio.sleep(_PULSE_S)

    async def _tick(self, now_s: float) -> None:
        second = self._background.now_ms() // 1000
        if second != self._looked_at:
            await self._background.look()
            self._looked_at = second
        wanted = self._hub.looked_at()
        self._drop(wanted)
        for name in sorted(wanted):
            if now_s < self._due_s.get(name, 0.0):
                continue
            topic = self._made.get(name) or self._made.setdefault(name, self._topics.make(name))
            self._hub.publish(name, await self._parts(name, topic))
            # Ticks come a little late each time; without slack every other one would be missed.
            self._due_s[name] = now_s + topic.period_s - TICK_S / 2
        self._read()

    async def _parts(self, name: str, topic: Topic) -> dict[str, Any]:
        """What cannot be shown of one topic keeps nobody from the others."""
        try:
            found = await topic.read()
        except StoreRefused as error:
            return self._refusal(name, f"Redis refuses to tell: {error}", None)
        except StoreError:
            raise
        except Exception as error:
            # Something that no view expects stands in Redis.
            why = "what Redis holds cannot be shown, see the dashboard's log"
            return self._refusal(name, why, error)
        self._refused.discard(name)
        return found

    def _refusal(self, name: str, why: str, error: Exception | None) -> dict[str, Any]:
        if name not in self._refused:
            logger.opt(exception=error).warning("{} cannot be shown: {}", name, why)
        self._refused.add(name)
        return {REFUSED: why}

    def _drop(self, wanted: frozenset[str]) -> None:
        for name in self._made.keys() - wanted:
            del self._made[name]
            self._due_s.pop(name, None)
        self._hub.forget(self._hub.held() - wanted)

    def _read(self) -> None:
        self._read_ms = self._background.now_ms()
        if self._failures:
            logger.info("redis is read again after {} failures", self._failures)
        self._fault, self._failures = "", 0

    def _failed(self, error: StoreError) -> None:
        self._failures += 1
        if self._failures == 1:
            logger.warning("redis cannot be read: {}", error)
        self._fault = "Redis does not answer"

    async def _paused(self, pause_s: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(max(0.0, pause_s)):
                await self._wake.wait()
        except TimeoutError:
            return
