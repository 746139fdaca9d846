"""Where pictures and documents go: a terminal, or a pipe that has no width and no colours."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

import orjson
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from shared.errors import StoreError

# A pipe has no width of its own; COLUMNS gives it one.
PIPE_COLUMNS: Final = 160
_EVERY_S: Final = 1.0

Seen = TypeVar("Seen")


def console() -> Console:
    """Colours on a terminal alone, and there not with NO_COLOR."""
    terminal = sys.stdout.isatty()
    plain = not terminal or bool(os.environ.get("NO_COLOR"))
    given = os.environ.get("COLUMNS", "")
    width = None if terminal or given.isdigit() else PIPE_COLUMNS
    return Console(
        force_terminal=terminal,
        color_system=None if plain else "auto",
        width=int(given) if given.isdigit() and int(given) else width,
        highlight=False,
        markup=False,
        soft_wrap=False,
    )


def print_json(document: Any) -> None:
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")
    sys.stdout.flush()


class Picture(Generic[Seen]):
    """How one reading is shown: `document` as JSON, else `draw(reading, width)`."""

    def __init__(
        self,
        draw: Callable[[Seen, int], RenderableType],
        document: Callable[[Seen], Any],
        as_json: bool,
    ) -> None:
        self._draw = draw
        self._document = document
        self._as_json = as_json

    def show(self, seen: Seen) -> None:
        if self._as_json:
            print_json(self._document(seen))
            return
        screen = console()
        screen.print(self._draw(seen, screen.width))

    async def watch(self, read: Callable[[], Awaitable[Seen]]) -> None:
        """Once a second until cancelled; a Redis that is away is said, and tried again."""
        screen = console()
        if self._as_json or not screen.is_terminal:
            while True:
                await self._print_next(read)
                await asyncio.sleep(_EVERY_S)
        with Live(console=screen, auto_refresh=False) as live:
            while True:
                live.update(await self._picture(read, screen.width), refresh=True)
                await asyncio.sleep(_EVERY_S)

    async def _print_next(self, read: Callable[[], Awaitable[Seen]]) -> None:
        try:
            self.show(await read())
        except StoreError as error:
            print(f"redis: {error}", file=sys.stderr)
        sys.stdout.flush()

    async def _picture(self, read: Callable[[], Awaitable[Seen]], width: int) -> RenderableType:
        try:
            return self._draw(await read(), width)
        except StoreError as error:
            return Text(f"redis: {error}", style="red")
