from __future__ import annotations

from rich.text import Text

from scripts.ops.fit import Column, fit, table
from tests.unit.scripts.drawing import drawn

COLUMNS = (
    Column("name", least=6),
    Column("count", right=True),
    Column("extra", drop=1),
    Column("more", drop=2),
)
ROWS = [("alphavantage", "12", "extra words", "more words"), ("b", "3", "x", "y")]


def shown(width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    fitted = fit(COLUMNS, ROWS, width)
    return fitted.shown, fitted.widths


def test_where_there_is_room_every_column_has_what_it_needs() -> None:
    assert shown(160) == ((0, 1, 2, 3), (12, 5, 11, 10))
    assert shown(44) == ((0, 1, 2, 3), (12, 5, 11, 10))


def test_a_column_that_may_be_cut_is_cut_before_another_goes() -> None:
    assert shown(43) == ((0, 1, 2, 3), (11, 5, 11, 10))
    assert shown(38) == ((0, 1, 2, 3), (6, 5, 11, 10))


def test_the_least_important_column_goes_first_and_its_room_is_used() -> None:
    assert shown(37) == ((0, 1, 2), (12, 5, 11))
    assert shown(25) == ((0, 1), (12, 5))


def test_columns_of_one_rank_go_together() -> None:
    columns = (Column("a"), Column("b", drop=1), Column("c", drop=1))
    assert fit(columns, [("aaaa", "bbbb", "cccc")], 12).shown == (0,)


def test_a_column_that_may_go_and_says_nothing_is_not_shown() -> None:
    columns = (Column("a"), Column("b", drop=1), Column("c"))
    assert fit(columns, [("x", "-", "-"), ("y", "", "-")], 80).shown == (0, 2)
    assert fit(columns, [], 80).shown == (0, 1, 2)
    pair = (Column("a", drop=1), Column("b"), Column("c", drop=1))
    assert fit(pair, [("-", "x", "y")], 80).shown == (0, 1, 2)


def test_no_row_is_wrapped_however_narrow_it_becomes() -> None:
    assert drawn(table(COLUMNS, ROWS, 16), 16) == [
        "name       count",
        "alphavan…     12",
        "b              3",
    ]


def test_brackets_are_text_and_no_markup() -> None:
    rows = [("[red]x[/red]", Text("[b]"))]
    assert drawn(table((Column("a"), Column("b")), rows, 80), 80)[1] == "[red]x[/red]  [b]"


def test_wide_characters_count_twice() -> None:
    assert fit((Column("a"),), [("日本",)], 80).widths == (4,)
