"""tickvisor book."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts.configured import fail, settings_or_exit
from scripts.ops.asking import PROGRAM, ask, chosen, known_symbol, until_interrupted
from scripts.ops.book_table import LEVELS, heading, picture
from scripts.ops.options import AsJson, Symbol, Watch
from scripts.ops.screen import Picture
from shared.market.venue import canonical
from shared.settings import Settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_market import read_book, venues_of
from shared.views.book import BookView, document, view

Venue = Annotated[
    str, typer.Option("--venue", help="The book of this venue; without it all live ones, merged.")
]


def book(symbol: Symbol, venue: Venue = "", watch: Watch = False, as_json: AsJson = False) -> None:
    """Show the ladder of a symbol, ten levels a side, and its newest trades.

    A symbol without a depth slot has its last known book, `parked`.

    Exit codes: 0 shown, 1 no book or no Redis, 2 unknown symbol or venue.
    """
    settings = settings_or_exit(PROGRAM)
    name = known_symbol(settings, symbol)
    venues = ask(settings, lambda store, keys: _venues(settings, store, keys, name))
    chosen_venue = chosen("venue", canonical(venue.upper()), venues) if venue else ""

    async def read(store: Store, keys: Keys) -> BookView:
        return view(await read_book(store, keys, name, venues, LEVELS), name, chosen_venue)

    shown = Picture(picture, document, as_json)
    if watch:
        until_interrupted(settings, lambda store, keys: shown.watch(lambda: read(store, keys)))
        return
    found = ask(settings, read)
    if found.state == "none" and not (as_json or found.trades):
        raise fail(PROGRAM, heading(found))
    shown.show(found)
    if found.state == "none":
        raise typer.Exit(1)


async def _venues(settings: Settings, store: Store, keys: Keys, symbol: str) -> list[str]:
    """Those of the universe, its primary exchange where it names none, and the newest seen."""
    instrument = settings.universe.by_symbol(symbol)
    named = instrument.venues or ((instrument.primary,) if instrument.primary else ())
    seen = await venues_of(store, keys, symbol)
    return list(dict.fromkeys([*map(canonical, named), *seen]))
