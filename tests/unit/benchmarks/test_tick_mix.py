from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from benchmarks.tick_mix import BAR_S, Prepared, Requests, Tape, prepare

BASE_S = 1_700_000_000
PER_S = 1_000.0
Fields = list[str]


def tapes() -> list[Tape]:
    """Ten symbols, the first five with streams, with lines 10.., streams 30.., bars 50.."""
    return [
        Tape(f"S{n}", Requests(str(10 + n), str(30 + n) if n < 5 else "", str(50 + n)), n + 1)
        for n in range(10)
    ]


def fields(frame: bytes) -> Fields:
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return frame[4:].decode().split("\0")[:-1]


def volume_ticks(made: Prepared, line: str) -> list[list[str]]:
    rows = [fields(frame) for frame in made.frames]
    return [row[4].split(";") for row in rows if row[:1] + row[2:4] == ["46", line, "48"]]


def stream_prints(made: Prepared, stream: str) -> list[Fields]:
    return [row for row in map(fields, made.frames) if row[:2] == ["99", stream]]


def test_there_are_as_many_frames_as_asked_for_and_as_many_prints_of_each_symbol() -> None:
    made = prepare(tapes(), 5_000, PER_S, BASE_S)
    assert 5_000 <= len(made.frames) < 5_100
    assert len({len(places) for places in made.prints.values()}) == 1


def test_the_mix_is_the_one_that_is_told() -> None:
    kinds = Counter(
        {"99": "AllLast", "50": "bars"}.get(row[0])
        or {"1": "quote", "2": "quote", "0": "quote", "3": "quote", "48": "rtvolume"}.get(
            row[3], "last"
        )
        for row in map(fields, prepare(tapes(), 50_000, PER_S, BASE_S).frames)
    )
    shares = {kind: count / kinds.total() for kind, count in kinds.items()}
    assert shares["quote"] == pytest.approx(0.64, abs=0.01)
    assert shares["rtvolume"] == pytest.approx(0.16, abs=0.01)
    assert shares["AllLast"] == pytest.approx(0.08, abs=0.01)


def test_both_feeds_of_a_streamed_symbol_carry_the_same_prints_in_one_order() -> None:
    made = prepare(tapes(), 5_000, PER_S, BASE_S)
    by_volume = [(price, size, int(ms) // 1000) for price, size, ms, *_ in volume_ticks(made, "12")]
    by_stream = [(row[4], row[5], int(row[3])) for row in stream_prints(made, "32")]
    assert by_volume == by_stream
    assert len(by_stream) == len(made.prints["S2"])


def test_a_symbol_without_a_stream_has_its_prints_on_its_line_alone() -> None:
    made = prepare(tapes(), 5_000, PER_S, BASE_S)
    assert len(volume_ticks(made, "17")) == len(made.prints["S7"])
    assert stream_prints(made, "") == []


def test_the_volume_of_the_day_rises_by_every_print_over_all_runs() -> None:
    all_tapes = tapes()
    prepare(all_tapes, 2_000, PER_S, BASE_S)
    before = all_tapes[0].volume
    ticks = volume_ticks(prepare(all_tapes, 2_000, PER_S, BASE_S), "10")
    totals = [before, *(int(tick[3]) for tick in ticks)]
    assert [b - a for a, b in pairwise(totals)] == [int(tick[1]) for tick in ticks]
    assert totals[-1] == all_tapes[0].volume


@pytest.mark.parametrize(("symbol", "ids"), [("S2", ("99", "32")), ("S7", ("46", "17"))])
def test_the_place_of_a_print_is_that_of_its_first_frame(symbol: str, ids: tuple[str, str]) -> None:
    made = prepare(tapes(), 2_000, PER_S, BASE_S)
    for place in made.prints[symbol]:
        row = fields(made.frames[place])
        assert (row[0], row[1] if row[0] == "99" else row[2]) == ids


def test_a_quote_is_never_crossed_and_ends_as_the_tape_says() -> None:
    all_tapes = tapes()
    made = prepare(all_tapes, 5_000, PER_S, BASE_S)
    shown: dict[str, str] = {"1": "0", "2": "1e9"}
    for row in map(fields, made.frames):
        if row[0] in ("1", "2") and row[2] == "13" and row[3] in ("0", "1", "2", "3"):
            shown[row[3]] = row[4]
            assert float(shown["1"]) < float(shown["2"])
    tape = all_tapes[3]
    assert [float(shown["1"]), float(shown["2"])] == [tape.price(1) / 100, tape.price(2) / 100]
    assert [int(shown["0"]), int(shown["3"])] == [tape.sizes[1], tape.sizes[2]]


def test_new_sizes_differ_from_those_before() -> None:
    made = prepare(tapes(), 5_000, PER_S, BASE_S)
    rows = list(map(fields, made.frames))
    sizes = [row[4] for row in rows if row[:1] + row[2:4] == ["2", "13", "0"]]
    assert all(a != b for a, b in pairwise(sizes))


def test_every_symbol_has_a_bar_for_every_five_seconds() -> None:
    rows = list(map(fields, prepare(tapes(), 12_000, PER_S, BASE_S).frames))
    starts = [int(row[3]) for row in rows if row[:1] + row[2:3] == ["50", "57"]]
    assert starts == [BASE_S, BASE_S + BAR_S]


def test_a_bar_holds_the_prints_of_its_time() -> None:
    all_tapes = tapes()
    made = prepare(all_tapes, 6_000, PER_S, BASE_S)
    rows = list(map(fields, made.frames))
    bar = next(row for row in rows if row[:1] + row[2:3] == ["50", "57"])
    prints = [
        (float(price), int(size))
        for price, size, ms, *_ in volume_ticks(made, "17")
        if int(ms) < (BASE_S + BAR_S) * 1000
    ]
    assert int(bar[8]) == sum(size for _, size in prints)
    assert int(bar[10]) == len(prints)
    assert float(bar[5]) >= max(price for price, _ in prints)
    assert float(bar[6]) <= min(price for price, _ in prints)


def test_stamps_advance_as_fast_as_the_frames_are_to_be_sent() -> None:
    made = prepare(tapes(), 3_000, PER_S, BASE_S)
    for place in made.prints["S7"]:
        ms = int(fields(made.frames[place])[4].split(";")[2])
        assert ms == BASE_S * 1000 + place
