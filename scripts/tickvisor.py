"""Operations from the command line: python3 scripts/tickvisor.py source [--reset]."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

if not __package__:
    # Run as a plain file: the root is not importable yet, the packages perhaps not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from scripts.interpreter import use_virtual_environment

    use_virtual_environment()

import typer

from scripts.configured import fail, settings_or_exit
from shared.errors import LeaseHeld, StoreError
from shared.settings import Settings, redacted_url
from shared.store import source as product_source
from shared.store.connection import Store
from shared.store.keys import Keys

PROGRAM: Final = "tickvisor"
Answer = TypeVar("Answer")
Question = Callable[[Store, Keys], Awaitable[Answer]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def tickvisor() -> None:
    """Look after a tickvisor installation."""


@app.command()
def source(
    reset: Annotated[
        bool, typer.Option("--reset", help="Delete every key of the product; no worker may run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a reset.")] = False,
) -> None:
    """Print whose data this Redis holds (live, sim, replay or none), or delete all of it."""
    settings = settings_or_exit(PROGRAM)
    held = ask(settings, product_source.current) or "none"
    if not reset:
        print(held)
        return
    url = redacted_url(settings.redis.url)
    if not yes:
        typer.confirm(f"delete all tickvisor data (source: {held}) in {url}?", abort=True)
    deleted = ask(settings, product_source.reset)
    print(f"deleted {deleted} keys; the next worker sets the source")


def ask(settings: Settings, question: Question[Answer]) -> Answer:
    """Put one question to the configured Redis; what goes wrong is one line and exit 1."""
    if not settings.redis.url:
        raise fail(
            PROGRAM, "no redis: REDIS_URL is not set and no embedded redis runs, try `make up`"
        )
    url = redacted_url(settings.redis.url)
    try:
        return asyncio.run(_ask(settings, question))
    except LeaseHeld as error:
        raise fail(PROGRAM, f"refused: {error}") from None
    except StoreError as error:
        raise fail(PROGRAM, f"redis at {url}: {error}") from None


async def _ask(settings: Settings, question: Question[Answer]) -> Answer:
    store = Store(settings.redis.url, settings.redis.connect_timeout_s)
    try:
        return await question(store, Keys(settings.redis.key_prefix))
    finally:
        await store.close()


def main() -> None:
    app(prog_name=PROGRAM)


if __name__ == "__main__":
    main()
