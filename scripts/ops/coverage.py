"""tickvisor coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.fit import Column, table
from scripts.ops.options import AsJson
from scripts.ops.screen import Picture
from shared.store.ops_reader import OpsReader
from shared.views.coverage import CoverageView, SymbolRow, document, view
from shared.views.words import age, age_of, bar, plain, plural

COLUMNS: Final = (
    Column("symbol"),
    Column("live", right=True),
    Column("share"),
    Column("for", right=True, drop=2),
    Column("last live", right=True),
    Column("subscriptions", right=True, drop=1),
    Column("now", least=36),
)
_BAR: Final = 14
_WIDE_BAR: Final = 60
_WIDE: Final = 120


def picture(found: CoverageView, width: int) -> RenderableType:
    wide = _WIDE_BAR if width >= _WIDE else _BAR
    rows = [
        [
            one.symbol,
            f"{one.share:.0%}",
            bar(one.share, wide),
            age(one.live_s),
            _ago(one, found.now_ms),
            str(one.subscriptions),
            one.now,
        ]
        for one in found.rows
    ]
    return Group(table(COLUMNS, rows, width), Text(), *_said(found))


def _ago(one: SymbolRow, now_ms: int) -> str:
    if one.live:
        return "now"
    return age(age_of(one.last_live_ms, now_ms)) if one.last_live_ms else "never"


def _said(found: CoverageView) -> Iterator[Text]:
    if not found.slots:
        yield Text("no slot is held")
        return
    yield Text(f"{plural(len(found.slots), 'slot')} held:")
    for one in found.slots:
        since = age(age_of(one.since_ms, found.now_ms))
        waits = "" if one.state == "live" else ", no row yet"
        yield Text(f"  {one.slot}  {plain(one.symbol)}@{plain(one.venue)} for {since}{waits}")


def coverage(as_json: AsJson = False) -> None:
    """Show how much of the time each symbol's book was live, and who holds the depth slots now.

    Shares count from the start of ibkr_depth.
    """
    settings = settings_or_exit(PROGRAM)
    seen = ask(settings, lambda store, keys: OpsReader(store, keys).coverage())
    found = view(seen, settings.depth_symbols())
    Picture(picture, document, as_json).show(found)
