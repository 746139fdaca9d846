from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from simulators.errors import OptionError
from simulators.tws.bars import Bar, merged
from simulators.tws.prints import UNREPORTED, RawPrint
from simulators.tws.replay_trades import (
    TradeReplay,
    load_trade_replay,
    midnight_ms,
    read_bars,
    read_prints,
    read_window,
)

RECORDINGS = Path(__file__).parents[4] / "shared/data/bars"
# Midnight in New York, 2013-10-07.
DAY_MS = 1_381_118_400_000


def recording(kind: str) -> Path:
    path = RECORDINGS / f"SPY_20131007_{kind}_trade.zip"
    if not path.exists():
        pytest.skip("the recorded bars are not here")
    return path


def prints(*ms: int) -> list[RawPrint]:
    return [RawPrint(at, 1_000_000, 100, "P") for at in ms]


def test_the_date_in_the_name_is_one_in_new_york() -> None:
    assert midnight_ms("SPY_20131007_tick_trade.zip") == DAY_MS


def test_the_date_may_stand_in_the_name_of_the_packed_file() -> None:
    assert midnight_ms("spy.zip", "20131007_spy_Trade_Tick.csv") == DAY_MS


def test_a_name_without_a_date_is_refused() -> None:
    with pytest.raises(OptionError, match="needs a date YYYYMMDD in the file name, was 'spy.zip'"):
        midnight_ms("spy.zip", "99999999.csv")


def test_a_tick_row_is_a_print() -> None:
    (made,) = read_prints(["14400464,1674100,100,P,20002000,0"], DAY_MS, "x")
    assert made == RawPrint(DAY_MS + 14_400_464, 1_674_100, 100, "P", "20002000", 0)


def test_a_suspicious_row_is_unreported() -> None:
    (made,) = read_prints(["14400464,1674100,100,P,1,1"], DAY_MS, "x")
    assert made.mask == UNREPORTED


def test_second_bars_become_five_second_bars() -> None:
    rows = [
        "14400000,1674100,1674200,1674000,1674100,200",
        "14404000,1674100,1674900,1674100,1674800,100",
        "14405000,1674700,1674700,1673700,1673700,50",
    ]
    value_e4 = 200 * 1_674_100 + 100 * 1_674_475
    assert read_bars(rows, DAY_MS, "x") == [
        Bar(1_381_132_800, 1_674_100, 1_674_900, 1_674_000, 1_674_800, 300, value_e4, 2),
        Bar(1_381_132_805, 1_674_700, 1_674_700, 1_673_700, 1_673_700, 50, 50 * 1_674_200, 1),
    ]


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "replay x has no rows"),
        (["1,2,3"], "replay x:1 must have 6 fields, was '1,2,3'"),
        (["1,2,3,4,5,z"], "replay x:1 must be whole numbers"),
        (["2000,1,1,1,1,1", "1000,1,1,1,1,1"], "replay x:2 goes back in time"),
        (["0,1,1,1,1,1", "60000,1,1,1,1,1"], "needs second bars or ticks, x has minute bars"),
    ],
)
def test_bad_bars_are_named(rows: list[str], error: str) -> None:
    with pytest.raises(OptionError, match=error):
        read_bars(rows, DAY_MS, "x")


def test_a_window_is_hours_and_minutes() -> None:
    assert read_window("09:30-09:45") == (34_200, 35_100)


@pytest.mark.parametrize("text", ["", "9:30-9:45", "09:45-09:30", "09:30-24:01"])
def test_a_bad_window_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="--replay-window must read HH:MM-HH:MM"):
        read_window(text)


def test_speed_scales_the_time_of_the_recording() -> None:
    replay = TradeReplay(prints(1_000, 2_000, 5_000), [])
    assert replay.clock_ms == 1_000
    assert [p.ms for p in replay.advance(0.1, 10.0, 99)[0]] == [1_000, 2_000]
    assert replay.clock_ms == 2_000
    assert replay.advance(0.2, 10.0, 99) == ([], [])
    assert replay.clock_ms == 4_000
    assert [p.ms for p in replay.advance(0.1, 10.0, 99)[0]] == [5_000]
    assert replay.finished


def test_speed_zero_gives_as_much_as_the_limit() -> None:
    replay = TradeReplay(prints(1_000, 2_000, 5_000), [])
    assert [p.ms for p in replay.advance(0.0, 0.0, 2)[0]] == [1_000, 2_000]
    assert (replay.clock_ms, replay.sent, replay.total) == (2_000, 2, 3)


def test_a_clock_held_back_by_the_limit_waits_for_what_is_left() -> None:
    replay = TradeReplay(prints(1_000, 1_500, 9_000), [])
    assert len(replay.advance(60.0, 1.0, 1)[0]) == 1
    assert replay.clock_ms == 1_000


def test_a_bar_is_due_at_its_end() -> None:
    replay = TradeReplay([], [Bar(100, 1, 1, 1, 1, 1, 1, 1)])
    assert replay.clock_ms == 100_000
    assert replay.advance(4.9, 1.0, 9) == ([], [])
    assert [bar.start_s for bar in replay.advance(0.1, 1.0, 9)[1]] == [100]


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "SPY_20131007_tick.zip"
    path.write_text("no archive")
    with pytest.raises(OptionError, match="--replay-trades cannot be read"):
        load_trade_replay(path)


def test_only_the_window_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "SPY_20131007_tick.zip"
    with zipfile.ZipFile(path, "w") as archive:
        rows = (f"{ms},1674100,100,P,1,0" for ms in (34_199_999, 34_200_000, 35_100_000))
        archive.writestr("x.csv", "\n".join(rows))
    replay = load_trade_replay(path, (34_200, 35_100))
    assert (replay.kind, replay.total) == ("prints", 1)


def test_the_recorded_seconds_add_up_to_the_recorded_minutes() -> None:
    with zipfile.ZipFile(recording("minute")) as archive:
        rows = [line.split(",") for line in archive.read(archive.namelist()[0]).decode().split()]
    expected = [tuple(map(int, row[:5])) for row in rows]
    replay = load_trade_replay(recording("second"))
    _, bars = replay.advance(0.0, 0.0, 1_000_000)
    minutes = [(m.start_s * 1000 - DAY_MS, *m[1:5]) for m in merged(bars, 60)]
    assert len(minutes) == 828
    assert minutes == expected


def test_the_recorded_tape_is_read_in_full() -> None:
    replay = load_trade_replay(recording("tick"))
    assert (replay.kind, replay.total) == ("prints", 250_601)
    assert load_trade_replay(recording("tick"), (34_200, 35_100)).total == 21_429
