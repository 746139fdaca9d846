"""One question to the configured Redis; what goes wrong is one line and an exit code."""

from __future__ import annotations

import asyncio
import difflib
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

import typer

from scripts.configured import fail
from shared.errors import LeaseHeld, StoreError
from shared.settings import Settings, redacted_url
from shared.store.connection import Store
from shared.store.keys import Keys

PROGRAM: Final = "tickvisor"
EXIT_USAGE: Final = 2
# How alike a name must be to be taken for a slip of the keyboard, of 1.
_NEAR: Final = 0.6
Answer = TypeVar("Answer")
Question = Callable[[Store, Keys], Awaitable[Answer]]


def ask(settings: Settings, question: Question[Answer]) -> Answer:
    """Put one question to the configured Redis; what goes wrong is one line and exit 1."""
    if not settings.redis.url:
        raise fail(PROGRAM, no_redis())
    try:
        return asyncio.run(_ask(settings, question))
    except LeaseHeld as error:
        raise fail(PROGRAM, f"refused: {error}") from None
    except StoreError as error:
        raise fail(PROGRAM, redis_fault(settings, error)) from None


def until_interrupted(settings: Settings, question: Question[None]) -> None:
    """As `ask`, for what goes on until Ctrl-C, which is its proper end."""
    try:
        ask(settings, question)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def no_redis() -> str:
    return "no redis: REDIS_URL is not set and no embedded redis runs, try `make up`"


def redis_fault(settings: Settings, error: StoreError) -> str:
    return f"redis at {redacted_url(settings.redis.url)}: {error}"


def wrong_usage(reason: str) -> typer.Exit:
    """One line on stderr; the caller raises what this returns (exit 2)."""
    print(f"{PROGRAM}: {reason}", file=sys.stderr)
    return typer.Exit(EXIT_USAGE)


def known_symbol(settings: Settings, text: str) -> str:
    """The symbol of the universe, however it was capitalised."""
    return chosen("symbol", text, settings.universe.symbols())


def chosen(what: str, text: str, known: Iterable[str]) -> str:
    """One of the known names, or exit 2 with the nearest of them."""
    names = list(known)
    for name in names:
        if name.casefold() == text.strip().casefold():
            return name
    raise wrong_usage(unknown(what, text, names))


def unknown(what: str, text: str, known: Sequence[str]) -> str:
    """Names the nearest, or all where none is near."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:40]) or "''"
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(text.casefold(), folded, n=1, cutoff=_NEAR)
    if near:
        return f"unknown {what} {shown}, nearest is {folded[near[0]]}"
    return f"unknown {what} {shown}" + (f", must be one of {', '.join(known)}" if known else "")


async def _ask(settings: Settings, question: Question[Answer]) -> Answer:
    store = Store(settings.redis.url, settings.redis.connect_timeout_s)
    try:
        return await question(store, Keys(settings.redis.key_prefix))
    finally:
        await store.close()
