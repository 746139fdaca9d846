"""tickvisor chain."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from scripts.configured import fail, settings_or_exit
from scripts.ops.asking import PROGRAM, ask, known_symbol, wrong_usage
from scripts.ops.chain_table import picture
from scripts.ops.options import AsJson, Symbol
from scripts.ops.screen import Picture
from shared.store.ops_market import read_chain
from shared.views.chain import ChainView, document, no_chain, view

Expiration = Annotated[
    str, typer.Option("--expiration", help="YYYY-MM-DD; without it the expirations are listed.")
]
Near = Annotated[
    int, typer.Option("--near", min=0, help="So many strikes around the money, 0 for all.")
]


def chain(
    symbol: Symbol, expiration: Expiration = "", near: Near = 15, as_json: AsJson = False
) -> None:
    """Show the expirations of an option chain, or the strikes of one: calls, strike, puts.

    The strike at the money is marked where the ticker has a price of the underlying.

    Exit codes: 0 shown, 1 no chain or no Redis, 2 unknown symbol or expiration.
    """
    settings = settings_or_exit(PROGRAM)
    name = known_symbol(settings, symbol)
    seen = ask(settings, lambda store, keys: read_chain(store, keys, name))
    found = view(seen, name, expiration, near)
    if found is None and name not in settings.vendor_symbols():
        raise fail(PROGRAM, f"no chain of {name}: it is an index, its options are not fetched")
    if found is None:
        raise fail(PROGRAM, no_chain(seen, name))
    if expiration and not found.strikes:
        raise wrong_usage(_no_such(found, expiration))
    Picture(picture, document, as_json).show(found)


def _no_such(found: ChainView, expiration: str) -> str:
    names = [one.expiration for one in found.expirations]
    near = difflib.get_close_matches(expiration, names, n=1, cutoff=0.0)
    nearest = f", nearest is {near[0]}" if near else ""
    return f"unknown expiration {expiration!r} of {found.symbol}{nearest}"
