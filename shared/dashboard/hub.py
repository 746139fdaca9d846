"""What browsers are sent: of each part of each topic the newest, encoded once for all of them.

A browser that reads slowly finds, when it reads, the newest state of everything, and never what was
between: what waits for it is one message a part, however long it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import orjson

BROWSERS: Final = 40
PULSE: Final = "pulse"
# Browsers wait so long before they connect again.
_RETRY: Final = b"retry: 1000\n\n"

_Part = tuple[str, str]


class TooManyBrowsers(Exception):
    """Whoever asks is told to come back later."""


class Browser:
    """What waits for one browser."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._waiting: dict[_Part, bytes] = {}
        self._wake = asyncio.Event()
        self._begun = False

    def offer(self, part: _Part, message: bytes) -> None:
        self._waiting[part] = message
        self._wake.set()

    async def take(self) -> bytes:
        """All that waits, as soon as there is something."""
        await self._wake.wait()
        self._wake.clear()
        found = b"".join(self._waiting.values())
        self._waiting.clear()
        if not self._begun:
            self._begun = True
            return _RETRY + found
        return found


class Hub:
    def __init__(self) -> None:
        self._browsers: set[Browser] = set()
        self._newest: dict[str, dict[str, bytes]] = {}

    @contextmanager
    def browser(self, topics: Iterable[str]) -> Iterator[Browser]:
        """A browser that looks at these topics, for as long as it does.

        Raises:
            TooManyBrowsers.
        """
        if self.full():
            raise TooManyBrowsers
        found = Browser(frozenset(topics))
        for topic in (PULSE, *found.topics):
            for part, message in self._newest.get(topic, {}).items():
                found.offer((topic, part), message)
        self._browsers.add(found)
        try:
            yield found
        finally:
            self._browsers.discard(found)

    def looked_at(self) -> frozenset[str]:
        return frozenset[str]().union(*(one.topics for one in self._browsers))

    def full(self) -> bool:
        return len(self._browsers) >= BROWSERS

    def publish(self, topic: str, parts: Mapping[str, Any]) -> None:
        """Send the parts that changed; a part that is no longer there is sent as null."""
        before = self._newest.get(topic, {})
        now = {part: _message(topic, part, value) for part, value in parts.items()}
        gone = {part: _message(topic, part, None) for part in before if part not in now}
        self._newest[topic] = now
        changed = {part: one for part, one in now.items() if before.get(part) != one}
        for part, message in {**changed, **gone}.items():
            self._send(topic, part, message)

    def forget(self, topics: Iterable[str]) -> None:
        """What nobody looks at grows old: who looks next is not shown it."""
        for topic in topics:
            self._newest.pop(topic, None)

    def held(self) -> frozenset[str]:
        return frozenset(self._newest) - {PULSE}

    def _send(self, topic: str, part: str, message: bytes) -> None:
        for one in self._browsers:
            if topic == PULSE or topic in one.topics:
                one.offer((topic, part), message)


def _message(topic: str, part: str, value: Any) -> bytes:
    body = orjson.dumps({"topic": topic, "part": part, "value": value}, option=_OPTIONS)
    return b"data: " + body + b"\n\n"


_OPTIONS: Final = orjson.OPT_NON_STR_KEYS
