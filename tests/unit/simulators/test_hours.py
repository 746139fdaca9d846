from __future__ import annotations

import pytest

from simulators.tws.hours import duration_s, eastern_text, moment_s, regular_hours


@pytest.mark.parametrize(
    ("text", "epoch_s"),
    [
        ("20231114 22:13:20 UTC", 1_700_000_000),
        ("20231114-22:13:20", 1_700_000_000),
        ("20231114 17:13:20 US/Eastern", 1_700_000_000),
        ("20231114 17:13:20 America/New_York", 1_700_000_000),
        ("20231114 17:13:20", 1_700_000_000),
        ("20231114 17:13", 1_699_999_980),
        ("20131007 09:30:00 US/Eastern", 1_381_152_600),
    ],
)
def test_an_end_time_may_be_written_in_several_ways(text: str, epoch_s: int) -> None:
    assert moment_s(text) == epoch_s


@pytest.mark.parametrize("text", ["yesterday", "20231114", "20231314 22:13:20", "20231114 1:1 ?"])
def test_what_is_no_time_is_noticed(text: str) -> None:
    assert moment_s(text) is None


def test_an_unknown_zone_is_noticed() -> None:
    assert moment_s("20231114 22:13:20 Mars/Olympus") is None


def test_times_are_printed_as_recorded() -> None:
    assert eastern_text(1_700_000_000) == "20231114 17:13:20 US/Eastern"


def test_durations_are_seconds_days_or_weeks() -> None:
    assert [duration_s(text) for text in ("600 S", "1 D", "2 W")] == [600, 86_400, 1_209_600]


@pytest.mark.parametrize("text", ["", "600", "1 M", "0 S", "-5 S"])
def test_other_durations_are_none(text: str) -> None:
    assert duration_s(text) is None


def test_regular_hours_are_half_past_nine_to_four_on_weekdays() -> None:
    opens_s = 1_381_152_600
    assert [regular_hours(opens_s + s) for s in (-1, 0, 23_399, 23_400)] == [
        False,
        True,
        True,
        False,
    ]
    assert not regular_hours(opens_s + 5 * 86_400)
