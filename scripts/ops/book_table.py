"""A ladder with size bars, and the tape beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scripts.ops.fit import Cell, Column, table
from shared.market.nbbo import Row
from shared.views.book import BookView, Print, most_shares
from shared.views.words import age, aligned, bar, clock, count, price

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
    # Yellow: these prices were, and need not be any more.
    style = "green" if found.state == "live" else "bold yellow"
    return Group(Text(heading(found), style=style), Text(quoted(found)), Text(), grid)


def heading(found: BookView) -> str:
    """`SPY@ARCA live, seq 4711, age 0.1s`."""
    name = f"{found.symbol}@{found.venue}" if found.venue else found.symbol
    if found.state == "none" and found.why:
        return f"{name}: no book, {found.why}"
    at = f" at {', '.join(found.venues)}" if not found.venue and found.venues else ""
    known = ", the last known book" if found.state == "parked" else ""
    said = [f"{name} {found.state}{at}{known}"]
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
    shown = zip(
        _padded(_sides(found.bids, most, cells, to_left=True)),
        _padded(_sides(found.asks, most, cells)),
        strict=True,
    )
    for bid, ask in shown:
        drawn.add_row(*reversed(bid), *ask)
    return drawn


def _padded(rows: Sequence[Sequence[Cell]]) -> list[Sequence[Cell]]:
    return [*rows, *[_EMPTY] * (LEVELS - len(rows))]


def _sides(
    side: Sequence[Row], most: float, cells: int, *, to_left: bool = False
) -> list[Sequence[Cell]]:
    """From the price in the middle outwards."""
    prices = _prices([at for at, _, _ in side[:LEVELS]])
    return [
        (shown, bar(size / most, cells, to_left=to_left), count(size), Text(venue))
        for shown, (_, size, venue) in zip(prices, side[:LEVELS], strict=True)
    ]


def _tape(trades: Sequence[Print], wide: bool) -> RenderableType:
    if not trades:
        return Text("no trades")
    columns = _WIDE_TAPE if wide else _TAPE
    prices = _prices([one.price for one in trades[:LEVELS]])
    rows = [_printed(one, at, wide) for one, at in zip(trades, prices, strict=False)]
    return table(columns, rows, _WIDE)


def _prices(prices: Sequence[float | None]) -> list[Text]:
    """To the left, for what is right is stripped of the blanks that align it."""
    return [Text(one, justify="left") for one in aligned([price(at) for at in prices])]


def _printed(one: Print, at: Text, wide: bool) -> list[Cell]:
    cells: list[Cell] = [
        clock(one.ts_ms, milliseconds=wide),
        at,
        count(one.size),
    ]
    return [*cells, one.venue, one.feed, one.conditions] if wide else cells
