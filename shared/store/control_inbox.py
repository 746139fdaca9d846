"""Commands of operators and the watchdog to one worker: taken, checked, obeyed, acknowledged.

A list of JSON objects `{command, symbol, by, id, ts}`, of which only `command` must be there. A
command is taken off before it is obeyed: one whose worker dies of it is not given to the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from loguru import logger

from shared.errors import StoreError
from shared.store.connection import Store
from shared.store.keys import Keys

INCIDENT: Final = "control"
POLL_EVERY_S: Final = 0.5
# What nobody has taken for so long was meant for another situation.
MAX_AGE_S: Final = 60.0
# A sender gone wild must not keep the worker from its feed.
MAX_WAITING: Final = 100
_AT_ONCE: Final = 20
_TEXT_MAX: Final = 40

# Takes the symbol; answers why it is not done, or an empty string.
Handler = Callable[[str], Awaitable[str]]
Report = Callable[[str, str, str], None]


class Command(msgspec.Struct, frozen=True):
    command: str
    symbol: str = ""
    by: str = ""
    id: str | int = ""
    # Unix ms; without it the command has no age.
    ts: int | None = None

    @property
    def title(self) -> str:
        """The command in words, for its acknowledgement."""
        asked = f", asked by {_short(self.by)}" if self.by else ""
        numbered = f", id {_short(str(self.id))}" if self.id != "" else ""
        return f"{_short(f'{self.command} {self.symbol}'.strip())}{asked}{numbered}"


def refusal(command: Command, known: Mapping[str, object], now_ms: int) -> str:
    """Why a command is not even given to the worker; empty when it is."""
    if command.command not in known:
        names = ", ".join(known) or "none"
        return f"refused: command was {_short(command.command)}, must be one of {names}"
    if command.ts is None:
        return ""
    age_s = (now_ms - command.ts) / 1000
    if age_s > MAX_AGE_S:
        return f"discarded: was {age_s:.0f} s old, must be at most {MAX_AGE_S:.0f} s"
    if age_s < -MAX_AGE_S:
        return f"discarded: ts was {-age_s:.0f} s ahead, must be at most {MAX_AGE_S:.0f} s"
    return ""


class ControlInbox:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        worker: str,
        handlers: Mapping[str, Handler],
        report: Report,
    ) -> None:
        """`report(kind, symbol, text)` writes an incident."""
        self._store = store
        self._key = keys.control(worker)
        self._handlers = handlers
        self._report = report
        self._failing = False

    async def run(self) -> None:
        """Obey for ever."""
        while True:
            for raw in await self._take():
                await self._obey(raw)
            await asyncio.sleep(POLL_EVERY_S)

    async def _take(self) -> list[bytes]:
        try:
            waiting, taken = await self._pop()
        except StoreError as error:
            if not self._failing:
                logger.debug("{} cannot be read: {}", self._key, error)
            self._failing = True
            return []
        self._failing = False
        if (beyond := waiting - MAX_WAITING) > 0:
            text = f"{beyond} oldest commands discarded, {waiting} waited, limit {MAX_WAITING}"
            self._acknowledge("", text)
        return taken

    async def _pop(self) -> tuple[int, list[bytes]]:
        async with self._store.client.pipeline(transaction=True) as pipe:
            pipe.llen(self._key)
            pipe.ltrim(self._key, -MAX_WAITING, -1)
            pipe.lpop(self._key, _AT_ONCE)
            waiting, _, taken = await self._store.call(pipe.execute())
        return int(waiting), list(taken or ())

    async def _obey(self, raw: bytes) -> None:
        try:
            command = msgspec.json.decode(raw, type=Command)
        except msgspec.ValidationError as error:
            self._acknowledge("", f"refused: {_first_lower(str(error))}, was {_shown(raw)}")
            return
        except (msgspec.DecodeError, ValueError, RecursionError):
            self._acknowledge("", f"refused: not json, was {_shown(raw)}")
            return
        why = refusal(command, self._handlers, time.time_ns() // 1_000_000)
        outcome = why or await self._outcome(command)
        self._acknowledge(_short(command.symbol), f"{command.title}: {outcome}")

    async def _outcome(self, command: Command) -> str:
        try:
            why = await self._handlers[command.command](command.symbol)
        except Exception as error:
            # A command must not cost the feed; what was wrong with it stands in the log.
            logger.opt(exception=error).error("command {} failed", command.title)
            return f"failed: {type(error).__name__}"
        return f"refused: {why}" if why else "done"

    def _acknowledge(self, symbol: str, text: str) -> None:
        logger.info("{}", text)
        self._report(INCIDENT, symbol, text)


def _short(text: str) -> str:
    """On one line, cut, and fit for UTF-8 and a log, whoever wrote it."""
    line = "".join(char if char.isprintable() else "?" for char in text[:_TEXT_MAX])
    return line.encode("utf-8", "replace").decode()


def _shown(raw: bytes) -> str:
    return _short(raw.decode("utf-8", "replace"))


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]
