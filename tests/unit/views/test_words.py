from __future__ import annotations

import pytest

from shared.views import words

NOW_MS = 1_795_709_176_500


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-3.0, "0.0s"),
        (0.0, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (119.4, "119s"),
        (120.0, "2m00s"),
        (723.0, "12m03s"),
        (3_599.0, "59m59s"),
        (3_600.0, "1h00m"),
        (172_799.0, "47h59m"),
        (172_800.0, "2d00h"),
        (183_600.0, "2d03h"),
    ],
)
def test_an_age_is_short_at_every_size(seconds: float | None, text: str) -> None:
    assert words.age(seconds) == text


def test_a_time_that_never_was_has_no_age_and_one_ahead_is_no_younger_than_now() -> None:
    assert words.age_of(None, NOW_MS) is None
    assert words.age_of(0, NOW_MS) is None
    assert words.age_of(NOW_MS + 900, NOW_MS) == 0.0
    assert words.age_of(NOW_MS - 1_500, NOW_MS) == 1.5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (61.5, "61.5"),
        (9_999, "9999"),
        (10_000, "10.0k"),
        (99_940, "99.9k"),
        (285_000, "285k"),
        (999_949, "1000k"),
        (999_950, "1.0M"),
        (3_140_000_000, "3.1G"),
    ],
)
def test_a_count_has_at_most_five_characters(value: float | None, text: str) -> None:
    assert words.count(value) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (585.0, "585.00"), (0.1234, "0.1234"), (584.925, "584.925"), (1e5, "100000.00")],
)
def test_a_price_has_two_decimals_or_as_many_as_it_needs(value: float | None, text: str) -> None:
    assert words.price(value) == text


@pytest.mark.parametrize(
    ("share", "right", "left"),
    [
        (0.0, "    ", "    "),
        (0.001, "▏   ", "   ▐"),
        (0.25, "█   ", "   █"),
        (0.3, "█▎  ", "   █"),
        (0.4, "█▋  ", "  ▐█"),
        (1.0, "████", "████"),
        (7.0, "████", "████"),
    ],
)
def test_a_bar_fills_its_share_from_either_side(share: float, right: str, left: str) -> None:
    assert words.bar(share, 4) == right
    assert words.bar(share, 4, to_left=True) == left


def test_a_moment_names_the_date_where_it_is_not_todays() -> None:
    assert words.moment(NOW_MS - 60_000, NOW_MS) == "16:05:16"
    assert words.moment(NOW_MS - 86_400_000, NOW_MS) == "11-25 16:06:16"
    assert words.moment(None, NOW_MS) == "-"


def test_a_clock_may_show_milliseconds() -> None:
    assert words.clock(NOW_MS) == "16:06:16"
    assert words.clock(NOW_MS, milliseconds=True) == "16:06:16.500"
    assert words.clock(0) == "-"


def test_text_of_others_is_one_line_without_control_characters() -> None:
    assert words.plain("cause\n\t of \x1b[31mred") == "cause of ?[31mred"


@pytest.mark.parametrize(
    ("value", "number"),
    [("12.5", 12.5), (b"7", 7.0), (3, 3.0), (None, None), ("", None), ("x", None), (True, None),
     ("nan", None), ("inf", None), ([], None)],
)  # fmt: skip
def test_a_number_is_one_or_nothing(value: object, number: float | None) -> None:
    assert words.number(value) == number


@pytest.mark.parametrize(
    ("prices", "shown"),
    [
        (["585.16", "585.1777"], ["585.16  ", "585.1777"]),
        (["99.99", "100.00"], [" 99.99", "100.00"]),
        (["9.50"], [" 9.50"]),
        (["-", "1.00"], ["  -  ", " 1.00"]),
        ([], []),
    ],
)
def test_decimal_points_of_prices_stand_under_each_other(
    prices: list[str], shown: list[str]
) -> None:
    assert words.aligned(prices) == shown
