"""Ladders as a picture for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from scripts.ladder import Ladder, caption, table_rows

# Two of these and the space between them fit into 80 columns.
_MIN_COLUMNS: Final = 36


def side_by_side(ladders: Sequence[Ladder]) -> Table:
    grid = Table.grid(padding=(0, 3))
    for _ in ladders:
        grid.add_column(vertical="top")
    grid.add_row(*(_table(ladder) for ladder in ladders))
    return grid


def _table(ladder: Ladder) -> Table:
    state = "" if ladder.state == "live" else f" ({ladder.state})"
    table = Table(
        title=Text(f"{ladder.name}{state}", style="bold"),
        caption=Text(caption(ladder)),
        box=None,
        padding=(0, 0, 0, 1),
        pad_edge=False,
        min_width=_MIN_COLUMNS,
    )
    for heading, style in (("venue", ""), ("size", ""), ("bid", "green")):
        table.add_column(heading, style=style, justify="right", no_wrap=True)
    for heading, style in (("ask", "red"), ("size", ""), ("venue", "")):
        table.add_column(heading, style=style, justify="left", no_wrap=True)
    for row in table_rows(ladder):
        table.add_row(*row)
    return table
