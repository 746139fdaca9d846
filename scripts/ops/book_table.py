"""A ladder with size bars, and the tape beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scripts.ops.book_view import BookView, Print, most_shares
from scripts.ops.fit import Cell, Column, table
from scripts.ops.words import age, bar, clock, count, price
from shared.market.nbbo import Row

LEVELS: Final = 10
TAPE: Final = LEVELS + 1
# Wide bars and the whole tape beside them need so many columns.
_WIDE: Final = 150
_BAR, _WIDE_BAR = 6, 24
_BETWEEN: Final = 3
_EMPTY: Final = ("", "", "", "")
_TAPE: Final = (
    Column("time"),
    Column("price", right=True),
    Column("size", right=True),
)
_WIDE_TAPE: Final = (*_TAPE, Column("venue"), Column("feed"), Column("cond"))


def picture(found: BookView, width: int) -> RenderableType:
    wide = width >= _WIDE
    grid = Table.grid(padding=(0, _BETWEEN, 0, 0), pad_edge=False)
    grid.add_column(vertical="top")
    grid.add_column(vertical="top")
    grid.add_row(_ladder(found, wide), _tape(found.trades, wide))
    return Group(Text(heading(found)), Text(quoted(found)), Text(), grid)


def heading(found: BookView) -> str:
    """`SPY@ARCA live, seq 4711, age 0.1s`."""
    name = f"{found.symbol}@{found.venue}" if found.venue else found.symbol
    if found.state == "none" and found.why:
        return f"{name}: no book, {found.why}"
    said = [f"{name} {found.state}"]
    if not found.venue and found.venues:
        said.append(f"of {', '.join(found.venues)}")
    if found.seq is not None:
        said.append(f"seq {found.seq}")
    return ", ".join([*said, f"age {age(found.age_s)}"])


def quoted(found: BookView) -> str:
    quote = found.quote
    spread, bps = quote.spread(), quote.spread_bps()
    if spread is None or bps is None:
        return "one-sided, no spread" if quote.bid or quote.ask else "no levels"
    crossed = ", crossed" if quote.crossed else ""
    return f"mid {price(quote.mid())}, spread {price(spread)} ({bps:.2f} bps){crossed}"


def _ladder(found: BookView, wide: bool) -> Table:
    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    cells = _WIDE_BAR if wide else _BAR
    for title, right, style in (
        ("venue", True, ""), ("size", True, ""), ("", True, "green"), ("bid", True, "green"),
        ("ask", False, "red"), ("", False, "red"), ("size", True, ""), ("venue", False, ""),
    ):  # fmt: skip
        drawn.add_column(
            title,
            justify="right" if right else "left",
            style=style,
            header_style="dim",
            no_wrap=True,
            min_width=cells if not title else 5,
        )
    most = most_shares((found.bids, found.asks)) or 1.0
    for place in range(LEVELS):
        bid, ask = _bid(found.bids, place, most, cells), _ask(found.asks, place, most, cells)
        drawn.add_row(*bid, *ask)
    return drawn


def _bid(rows: Sequence[Row], place: int, most: float, cells: int) -> Sequence[Cell]:
    if place >= len(rows):
        return _EMPTY
    at, size, venue = rows[place]
    return Text(venue), count(size), bar(size / most, cells, to_left=True), price(at)


def _ask(rows: Sequence[Row], place: int, most: float, cells: int) -> Sequence[Cell]:
    if place >= len(rows):
        return _EMPTY
    at, size, venue = rows[place]
    return price(at), bar(size / most, cells), count(size), Text(venue)


def _tape(trades: Sequence[Print], wide: bool) -> RenderableType:
    if not trades:
        return Text("no trades")
    columns = _WIDE_TAPE if wide else _TAPE
    rows = [_printed(one, wide) for one in trades[:LEVELS]]
    return table(columns, rows, _WIDE)


def _printed(one: Print, wide: bool) -> list[Cell]:
    cells: list[Cell] = [
        clock(one.ts_ms, milliseconds=wide),
        price(one.price),
        count(one.size),
    ]
    return [*cells, one.venue, one.feed, one.conditions] if wide else cells
