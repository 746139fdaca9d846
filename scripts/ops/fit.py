"""Tables that fit the terminal: no row is ever wrapped. Pure.

A column that may go is not shown where it says nothing. Where room is short, columns that may be
cut are cut to their least, then columns that may go go, least important first; what room is left
is given back to those that were cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

Cell = str | Text
GAP: Final = 2
_SILENT: Final = ("", "-")


@dataclass(frozen=True, slots=True)
class Column:
    """`drop`: the highest go first, equal ones together, 0 never. `least`: may be cut to it."""

    title: str
    right: bool = False
    drop: int = 0
    least: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which columns are shown, and how wide."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]


def fit(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> Fitted:
    natural = [
        max([cell_len(column.title), *(cell_len(_plain(row[place])) for row in rows)])
        for place, column in enumerate(columns)
    ]
    idle = _idle_ranks(columns, rows)
    shown = [place for place, column in enumerate(columns) if column.drop not in idle]
    least = [
        min(wide, max(column.least, cell_len(column.title))) if column.least else wide
        for column, wide in zip(columns, natural, strict=True)
    ]
    while _total(shown, least) > width:
        droppable = [place for place in shown if columns[place].drop]
        if not droppable:
            break
        first = max(columns[place].drop for place in droppable)
        shown = [place for place in shown if columns[place].drop != first]
    return Fitted(tuple(shown), _widened(shown, least, natural, width))


def _idle_ranks(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> set[int]:
    """Ranks of columns that may go and of which none says anything in any row."""
    ranks = {column.drop for column in columns if column.drop and rows}
    speaking = {
        column.drop
        for place, column in enumerate(columns)
        if any(_plain(row[place]) not in _SILENT for row in rows)
    }
    return ranks - speaking


def _total(shown: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[place] for place in shown) + GAP * (len(shown) - 1)


def _widened(
    shown: Sequence[int], least: Sequence[int], natural: Sequence[int], width: int
) -> tuple[int, ...]:
    room = max(0, width - _total(shown, least))
    widths = []
    for place in shown:
        more = min(room, natural[place] - least[place])
        widths.append(least[place] + more)
        room -= more
    return tuple(widths)


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int, title: str = ""
) -> Table:
    fitted = fit(columns, rows, width)
    drawn = Table(
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
        collapse_padding=True,
        title=Text(title, style="bold") if title else None,
        title_justify="left",
    )
    for place, wide in zip(fitted.shown, fitted.widths, strict=True):
        column = columns[place]
        drawn.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            style=column.style,
            header_style="dim",
            width=wide,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in rows:
        drawn.add_row(*(_text(row[place]) for place in fitted.shown))
    return drawn


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def _text(cell: Cell) -> Text:
    """Never markup: what stands in Redis may hold brackets."""
    return cell if isinstance(cell, Text) else Text(cell)
