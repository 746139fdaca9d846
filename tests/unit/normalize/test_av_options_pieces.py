"""A body is read in pieces; where one ends must not be seen in the result."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.market.option import Chain, Contract
from shared.normalize import av_options
from shared.normalize.av_options import read_chain
from tests.support.option_bodies import (
    NOW_MS,
    REALTIME,
    Row,
    option_body,
    option_row,
    option_rows,
    without,
)
from tests.unit.normalize.test_av_options import IBM, read

# Of 392 rows of this layout a piece has about all, of 393 it has not.
PIECE_BYTES = 262_144
SIZES = (1, 2, 391, 392, 393, 394, 800, 10_000)


def crlf(body: bytes) -> bytes:
    return body.replace(b"\n", b"\r\n")


def steps(body: bytes) -> int:
    return sum(1 for _ in read_chain(body, IBM, NOW_MS))


def shown(chain: Chain) -> list[Row]:
    return [json.loads(bytes(row)) for row in chain.rows]


def expected_price(text: str) -> float | None:
    return float(text) or None


def check(chain: Chain, rows: list[Row]) -> None:
    """Every figure against one counted here from the rows as they were sent."""
    assert shown(chain) == rows
    assert [one.contractID for one in chain.contracts] == [row["contractID"] for row in rows]
    assert [one.bid for one in chain.contracts] == [expected_price(row["bid"]) for row in rows]
    assert [one.last for one in chain.contracts] == [expected_price(row["last"]) for row in rows]
    assert [one.delta for one in chain.contracts] == [float(row["delta"]) for row in rows]
    puts = [row for row in rows if row["type"] == "put"]
    volume, put_volume = (sum(int(row["volume"]) for row in some) for some in (rows, puts))
    metrics = chain.metrics
    assert (metrics.contracts, metrics.puts) == (len(rows), len(puts))
    assert (metrics.calls, metrics.with_greeks) == (len(rows) - len(puts), len(rows))
    assert metrics.volume == volume
    assert metrics.open_interest == sum(int(row["open_interest"]) for row in rows)
    assert metrics.two_sided == sum(float(row["bid"]) > 0 for row in rows)
    calls_volume = volume - put_volume
    ratio = round(put_volume / calls_volume, 6) if calls_volume else None
    assert metrics.put_call_volume_ratio == ratio
    assert {one.expiration: one.calls + one.puts for one in chain.expirations} == Counter(
        row["expiration"] for row in rows
    )


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("indent", [None, 4])
def test_a_chain_of_any_size_reads_as_plain_json_does(count: int, indent: int | None) -> None:
    rows = option_rows(count)
    check(read(option_body(rows, indent=indent)), rows)


@pytest.mark.parametrize("indent", [1, 4])
def test_line_ends_of_another_kind_make_no_difference(indent: int) -> None:
    rows = option_rows(600)
    check(read(crlf(option_body(rows, indent=indent))), rows)


def test_no_size_of_a_piece_makes_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = option_rows(5)
    body = option_body(rows)
    for size in range(1, len(body), 3):
        monkeypatch.setattr(av_options, "_PIECE_BYTES", size)
        check(read(body), rows)


def test_every_step_is_about_a_piece() -> None:
    # One step for the head, two for each piece begun.
    for count in (1, 196, 1_000, 10_000):
        body = option_body(option_rows(count))
        pieces = -(-len(body) // PIECE_BYTES)
        assert 2 * pieces - 1 <= steps(body) <= 1 + 2 * pieces
    assert steps(option_body([])) == 1


def test_no_step_reads_more_than_a_piece_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    body = option_body(option_rows(2_000), indent=None)
    read_so_far: list[int] = []

    def bare_prices(some: list[Contract]) -> list[Contract]:
        read_so_far.append(len(some))
        return []

    monkeypatch.setattr(av_options, "bare_prices", bare_prices)
    steps(body)
    assert (
        max(read_so_far) <= PIECE_BYTES // len(json.dumps(option_row(), separators=(",", ":"))) + 20
    )
    assert (sum(read_so_far), len(read_so_far)) == (2_000, steps_of(body))


def steps_of(body: bytes) -> int:
    return -(-len(body) // PIECE_BYTES)


# Braces, commas and escapes inside values

TRICKS: tuple[Any, ...] = (
    "}",
    "},",
    "}, {",
    "},{",
    "}]",
    "}]}",
    '"},{"',
    '\\"},{\\"',
    "\\",
    "\\\\},",
    "},\r\n    {",
    "é},{é",
    "\u2028},{",
    {"a": {"b": {}}, "c": 1},
    [{"a": 1}, {"b": 2}],
    [[], [{}], {}],
)


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("indent", [None, 4])
def test_a_brace_inside_a_value_ends_no_row(
    monkeypatch: pytest.MonkeyPatch, trick: Any, indent: int | None
) -> None:
    rows = [option_row(100.0 + n, note=trick, after=n) for n in range(3)]
    rows.append({"first": trick} | option_row(200.0))
    for escaped in (False, True):
        body = option_body(rows, indent=indent)
        if escaped:
            body = json.dumps(json.loads(body), ensure_ascii=True, indent=indent).encode()
        for size in range(1, len(body), 7):
            monkeypatch.setattr(av_options, "_PIECE_BYTES", size)
            assert shown(read(body)) == rows


def test_a_piece_that_ends_inside_a_value_of_a_long_chain_is_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = option_rows(40)
    for number in range(0, 40, 3):
        rows[number] = rows[number] | {"note": "},{" * 50}
    monkeypatch.setattr(av_options, "_PIECE_BYTES", 2_000)
    check(read(option_body(rows, indent=None)), rows)


def test_rows_with_an_object_of_their_own_are_still_cut_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [option_row(100.0 + n) | {"book": {"a": 1}, "after": n} for n in range(40)]
    monkeypatch.setattr(av_options, "_PIECE_BYTES", 2_000)
    body = option_body(rows, indent=None)
    assert steps(body) > 5
    assert shown(read(body)) == rows


# What a reader of the stored rows could not read


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\udc00x", b"\\ud83d"])
def test_rows_that_are_no_utf_8_are_refused(text: bytes) -> None:
    body = option_body([option_row(note="NOTE")])
    with pytest.raises(BadDocument, match="chain of IBM"):
        read(body.replace(b"NOTE", text))
    with pytest.raises(BadDocument, match="chain of IBM"):
        read(body.replace(b'"call"', b'"%b"' % text))


@pytest.mark.parametrize("text", ["é", "\U0001f680", "\\u00e9", "\\ud83d\\ude80", "\x7f"])
def test_text_in_any_language_is_kept(text: str) -> None:
    body = option_body([option_row(note="NOTE")]).replace(b"NOTE", text.encode())
    assert shown(read(body)) == json.loads(body)["data"]


# The same chain in another order or form


def test_bad_rows_in_every_piece_cost_nothing_but_themselves() -> None:
    rows = option_rows(1_000)
    spoiled = {number: without(rows[number], "contractID") for number in range(0, 1_000, 100)}
    sent = [spoiled.get(number, row) for number, row in enumerate(rows)]
    chain = read(option_body(sent))
    check(chain, [row for number, row in enumerate(rows) if number not in spoiled])
    assert (chain.faults.dropped, chain.faults.bad_values) == (10, 0)


def test_a_row_that_comes_again_pieces_later_is_doubled() -> None:
    rows = option_rows(1_000)
    chain = read(option_body([*rows, *rows[:300]]))
    check(chain, rows)
    assert chain.faults.duplicates == 300


def test_a_wrong_symbol_in_the_last_piece_refuses_the_chain() -> None:
    sent = [*option_rows(1_000), option_row(symbol="ZZQ")]
    with pytest.raises(BadDocument, match="symbol of a contract: was 'ZZQ'"):
        read(option_body(sent))


def test_the_message_may_come_after_the_data() -> None:
    rows = option_rows(600)
    text = {"data": rows, "new": None, "message": "success", "endpoint": REALTIME}
    check(read(json.dumps(text).encode()), rows)


# What stands around the rows


def around(before: str = "", after: str = "", rows: list[Row] | None = None) -> bytes:
    """`before` and `after` the member that has the rows."""
    data = json.dumps(option_rows(400) if rows is None else rows, indent=4)
    head = f'"endpoint": "{REALTIME}", "message": "success"'
    return f'{{{head}{before}, "data": {data}{after}}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        around(),
        around(after="\r\n  "),
        around(before=', "note": "a ] and a \\" and data: ["'),
        around(before=', "count": 3'),
        around(before=f', "note": "{"x" * 500}"'),
        around(before=', "data": "none"'),
        around(after=', "count": 3'),
        around(after=', "warnings": []'),
        around(after=', "warnings": [{"text": "late"}]'),
        around(after=', "note": "]"'),
        b" \n" + around() + b"\n",
        around().replace(b'{"endpoint"', b'{"more": {"a": []}, "endpoint"'),
    ],
)
def test_members_beside_the_rows_make_no_difference(body: bytes) -> None:
    check(read(body), option_rows(400))


def test_the_rows_may_come_first() -> None:
    rows = option_rows(400)
    text = json.dumps({"data": rows, "message": "success", "endpoint": REALTIME})
    check(read(text.encode()), rows)


@pytest.mark.parametrize("extra", [{"note": "a ] in a text"}, {"legs": [{"a": 1}, []]}])
def test_a_row_may_have_brackets_of_its_own(extra: dict[str, Any]) -> None:
    rows = option_rows(400)
    rows[200] = rows[200] | extra
    check(read(around(rows=rows)), rows)


@pytest.mark.parametrize(
    "after", ["]", "}", ", 3", ', "note"', ', "warnings": [', " x", ', "warnings": [}', "\0"]
)
def test_what_is_no_json_behind_the_rows_is_refused(after: str) -> None:
    with pytest.raises(BadDocument):
        read(around(after=after))


@pytest.mark.parametrize("before", [', "note": "\x01"', ', "note": 3.', ', "note: "x"', ", "])
def test_what_is_no_json_before_the_rows_is_refused(before: str) -> None:
    with pytest.raises(BadDocument):
        read(around(before=before))


def test_the_last_of_two_messages_counts_as_everywhere() -> None:
    with pytest.raises(BadDocument, match="message"):
        read(around(before=', "message": "failure"'))
