from __future__ import annotations

from pathlib import Path

import pytest

from simulators.errors import OptionError
from simulators.tws.book import INSERT, Row, RowOp
from simulators.tws.replay import Replay, parse_replay

DATA = Path(__file__).parents[4] / "shared/data/depth"

DOLLARS = '{"t": 10.0, "position": 0, "operation": 0, "side": 1, "price": 585.94, "size": 200}'
SCALED = '{"t": 10.5, "position": 0, "operation": 0, "side": 0, "price": 5859900, "size": 100}'
LATER = '{"t": 12.0, "position": 0, "operation": 0, "side": 1, "price": 585.95, "size": 100}'


def drained(replay: Replay) -> list[RowOp]:
    return replay.advance(0.0, 0.0, 1_000_000)


def test_prices_in_dollars_are_kept() -> None:
    expected = [RowOp(INSERT, 1, 0, Row(5_859_400, 200, "NSDQ"))]
    assert drained(parse_replay([DOLLARS], "f")) == expected


def test_prices_times_ten_thousand_become_dollars() -> None:
    expected = [RowOp(INSERT, 0, 0, Row(5_859_900, 100, "NSDQ"))]
    assert drained(parse_replay([SCALED], "f")) == expected


def test_operations_come_when_their_time_has_passed() -> None:
    replay = parse_replay([DOLLARS, LATER], "f")
    assert len(replay.advance(0.0, 1.0, 100)) == 1
    assert len(replay.advance(1.9, 1.0, 100)) == 0
    assert len(replay.advance(0.1, 1.0, 100)) == 1
    assert replay.finished


def test_a_doubled_speed_halves_the_wait() -> None:
    replay = parse_replay([DOLLARS, LATER], "f")
    assert len(replay.advance(1.0, 2.0, 100)) == 2


def test_no_more_than_the_limit_comes_at_once() -> None:
    replay = parse_replay([DOLLARS, LATER], "f")
    assert len(replay.advance(0.0, 0.0, 1)) == 1
    assert not replay.finished


def test_a_restarted_replay_begins_again_with_an_empty_book() -> None:
    replay = parse_replay([DOLLARS], "f")
    drained(replay)
    replay.restart()
    assert replay.book.bids == []
    assert len(drained(replay)) == 1


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "replay f:1 is not JSON, was '{'"),
        (DOLLARS.replace('"operation": 0', '"operation": 3'), "operation must be one of 0, 1, 2"),
        (DOLLARS.replace('"side": 1', '"side": true'), "side must be one of 0, 1, was True"),
        (DOLLARS.replace('"position": 0', '"position": -1'), "position must be 0 or more, was -1"),
        (DOLLARS.replace("585.94", '"x"'), "price must be a number, was 'x'"),
        ("", "replay f:1 is not JSON"),
    ],
)
def test_a_bad_line_is_named_with_its_value(line: str, error: str) -> None:
    with pytest.raises(OptionError, match=error):
        parse_replay([line], "f")


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(OptionError, match="replay f has no operations"):
        parse_replay([], "f")


@pytest.mark.parametrize(("style", "operations"), [("shift", 1603), ("replace", 6088)])
def test_the_recordings_build_the_last_recorded_book(style: str, operations: int) -> None:
    path = DATA / f"AAPL_20120621_{style}.jsonl"
    if not path.exists():
        pytest.skip("the recorded depth is not here")
    replay = parse_replay(path.read_text().splitlines(), path.name)
    assert len(drained(replay)) == operations
    row = (DATA / "AAPL_20120621_books.csv").read_text().splitlines()[-1].split(",")
    numbers = [int(field) for field in row]
    assert [(r.price_e4, r.size) for r in replay.book.asks] == list(
        zip(numbers[0::4], numbers[1::4], strict=True)
    )
    assert [(r.price_e4, r.size) for r in replay.book.bids] == list(
        zip(numbers[2::4], numbers[3::4], strict=True)
    )
