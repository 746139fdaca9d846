"""tickvisor gaps, tickvisor incidents."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Final

import typer

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask, chosen, known_symbol, until_interrupted
from scripts.ops.ledger_view import (
    Ledger,
    document,
    documents,
    gaps_picture,
    incident_line,
    incidents_picture,
)
from scripts.ops.options import AsJson, Last, OnlySymbol
from scripts.ops.screen import Picture, console, print_json
from shared.settings import Settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_ledgers import Entry, Wanted, after, newest, newest_id

FEEDS: Final = ("depth", "trades", "bars")
Feed = Annotated[str, typer.Option("--feed", help="Only of this feed: depth, trades or bars.")]
Kind = Annotated[str, typer.Option("--kind", help="Only of this kind: connected, control, ...")]
Follow = Annotated[
    bool, typer.Option("--follow", help="Then each new one as it comes, until Ctrl-C (exit 0).")
]


def gaps(
    last: Last = 20, feed: Feed = "", symbol: OnlySymbol = "", as_json: AsJson = False
) -> None:
    """Show what was lost, when, how much and why, newest last.

    `lost` is how many entries; `?` where nobody can know.
    """
    settings = settings_or_exit(PROGRAM)
    wanted = _wanted(
        feed=chosen("feed", feed, FEEDS) if feed else "",
        symbol=known_symbol(settings, symbol) if symbol else "",
    )
    found = _read(settings, Keys.gaps, last, wanted)
    Picture(gaps_picture, documents, as_json).show(found)


def incidents(
    last: Last = 20,
    kind: Kind = "",
    symbol: OnlySymbol = "",
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Show what happened: connects, refusals, resubscribes, suspensions, newest last.

    With --json a list; with --json --follow one document per line.
    """
    settings = settings_or_exit(PROGRAM)
    wanted = _wanted(kind=kind, symbol=known_symbol(settings, symbol) if symbol else "")
    if follow:
        _follow(settings, last, wanted, as_json)
        return
    found = _read(settings, Keys.incidents, last, wanted)
    Picture(incidents_picture, documents, as_json).show(found)


def _read(settings: Settings, key: Callable[[Keys], str], last: int, wanted: Wanted) -> Ledger:
    entries = ask(settings, lambda store, keys: newest(store, key(keys), last, wanted))
    return Ledger(_now_ms(), entries)


def _follow(settings: Settings, last: int, wanted: Wanted, as_json: bool) -> None:
    screen = console()

    def tell(entry: Entry) -> None:
        if as_json:
            print_json(document(entry))
            return
        screen.print(incident_line(entry, _now_ms(), screen.width))
        screen.file.flush()

    async def following(store: Store, keys: Keys) -> None:
        # Before the others are read: what comes meanwhile is told then, or by the loop.
        last_id = await newest_id(store, keys.incidents())
        for entry in await newest(store, keys.incidents(), last, wanted):
            tell(entry)
            last_id = max(last_id, entry.id, key=_order)
        while True:
            for entry in await after(store, keys.incidents(), last_id):
                last_id = entry.id
                if wanted(entry.fields):
                    tell(entry)

    until_interrupted(settings, following)


def _order(entry_id: str) -> tuple[int, int]:
    at_ms, _, number = entry_id.partition("-")
    return int(at_ms), int(number or 0)


def _wanted(**exact: str) -> Wanted:
    """Fields that are named must be equal."""
    asked = {name: value for name, value in exact.items() if value}
    return lambda fields: all(fields.get(name) == value for name, value in asked.items())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
