"""A chain that is read with the one before it in mind is the chain that it is without."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.market.option import Chain
from shared.normalize import av_options
from shared.normalize.av_options import read_chain
from shared.normalize.av_rows_before import RowsBefore
from tests.support.option_bodies import NOW_MS, Row, option_body, option_row, option_rows
from tests.unit.normalize.test_av_options import IBM, read

ROWS = option_rows(60)
# Rows in a piece, of which there are six.
PIECE = 10
JUNK = {
    "implied_volatility": "0.01976", "delta": "1.00000", "gamma": "0.00000", "theta": "0.00000",
    "vega": "0.00000", "rho": "0.00000",
}  # fmt: skip


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    row = len(option_body(ROWS)) // len(ROWS)
    monkeypatch.setattr(av_options, "_PIECE_BYTES", (PIECE - 1) * row)


def read_after(before: Chain, rows: list[Row], now_ms: int = NOW_MS + 1) -> Chain:
    work = read_chain(option_body(rows), IBM, now_ms, before)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Chain = end.value
            return found


def check(before: list[Row], after: list[Row]) -> int:
    """How many contracts are those of the chain before."""
    first = read(option_body(before))
    second = read_after(first, after)
    assert second == read(option_body(after), now_ms=NOW_MS + 1)
    old = {id(one) for one in first.contracts}
    return sum(id(one) in old for one in second.contracts)


def test_what_did_not_change_is_not_read_again() -> None:
    assert check(ROWS, ROWS) == 60
    changed = [row | {"bid": "1.95"} if n % 20 == 0 else row for n, row in enumerate(ROWS)]
    assert check(ROWS, changed) == 57
    assert check(ROWS, [row | {"bid": "1.95"} for row in ROWS]) == 0


@pytest.mark.parametrize("name", [*option_row()][4:])
def test_every_value_of_a_row_is_compared(name: str) -> None:
    value = {"type": "put", "date": "2017-11-14"}.get(name, "7")
    before = [option_row(150.0), option_row(151.0)]
    if name == "type":
        value = "call"
        before[1] = before[1] | {"type": "put"}
    check(before, [before[0], before[1] | {name: value}])


def test_rows_that_come_and_go_cost_their_piece_at_most() -> None:
    new = option_row(999.0)
    assert check(ROWS, [new, *ROWS]) >= 60 - 2 * PIECE
    assert 59 - 2 * PIECE <= check(ROWS, ROWS[1:]) <= 59
    assert 54 - 2 * PIECE <= check(ROWS, [*ROWS[:20], *ROWS[26:]]) <= 54
    assert check(ROWS, [*ROWS, new]) == 60
    assert check(ROWS, []) == check([], ROWS) == 0


def test_junk_and_bad_values_are_counted_each_time() -> None:
    rows = [
        row | (JUNK if n % 12 == 0 else {"vega": ""} if n == 7 else {})
        for n, row in enumerate(ROWS)
    ]
    chain = read_after(read_after(read(option_body(rows)), rows), rows)
    assert (chain.metrics.junk_greeks, chain.faults.bad_values) == (5, 1)
    assert check(rows, rows) == 54


def test_a_doubled_row_is_counted_each_time() -> None:
    rows = [*ROWS[:50], ROWS[3], *ROWS[50:], ROWS[59]]
    chain = read_after(read(option_body(rows)), rows)
    assert (chain.faults.duplicates, len(chain.contracts)) == (2, 60)
    assert check(rows, rows) >= 60 - PIECE


def test_rows_without_identity_are_counted_each_time() -> None:
    rows = [row | {"expiration": "2030-01-01"} if n == 26 else row for n, row in enumerate(ROWS)]
    chain = read_after(read(option_body(rows)), rows)
    assert (chain.faults.dropped, len(chain.contracts)) == (1, 59)
    assert check(rows, rows) >= 59 - PIECE


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["change", "drop", "insert", "double", "junk", "spoil", "strange", "swap"]),
        st.integers(0, 59),
    ),
    max_size=12,
)


def edited(rows: list[Row], edits: list[tuple[str, int]]) -> list[Row]:
    rows = list(rows)
    for number, (kind, at) in enumerate(edits):
        at = min(at, len(rows) - 1)
        changes: dict[str, Any] = {
            "change": {"bid": f"{number}.25"}, "junk": JUNK, "spoil": {"theta": "None"},
            "strange": {"expiration": "2031-02-03"},
        }  # fmt: skip
        match kind:
            case "drop":
                del rows[at]
            case "insert":
                rows.insert(at, option_row(700.0 + number))
            case "double":
                rows.insert(at, rows[at // 2])
            case "swap":
                rows[at], rows[at // 2] = rows[at // 2], rows[at]
            case _:
                rows[at] = rows[at] | changes[kind]
    return rows


@given(first=EDITS, second=EDITS)
@settings(deadline=None, max_examples=60)
def test_whatever_changes_the_chain_is_the_same_as_read_alone(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    before = edited(ROWS, first)
    check(before, edited(before, second))


def test_nothing_is_known_without_a_chain_before() -> None:
    chain = read(option_body(ROWS))
    assert RowsBefore().matched(chain.rows) == []
    assert RowsBefore(chain).matched(chain.rows[:9]) == chain.contracts[:9]


@pytest.mark.parametrize("size", [1, 7, 60, 70])
def test_rows_are_compared_in_parts_of_any_size(size: int) -> None:
    chain, found = read(option_body(ROWS)), []
    before = RowsBefore(chain)
    for at in range(0, 60, size):
        found += before.matched(chain.rows[at : at + size])
    assert found == chain.contracts
    assert before.matched(chain.rows[:5]) == []
