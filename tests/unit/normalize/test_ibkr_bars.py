from __future__ import annotations

import pytest

from shared.errors import BadRow
from shared.market.bar import Bar
from shared.normalize.ibkr_bars import historical_bars, real_time_bar

ROW = [b"1381152600", b"167.41", b"167.5", b"167.3", b"167.42", b"2049", b"167.4123", b"31"]
BAR = Bar(1381152600, 167.41, 167.5, 167.3, 167.42, 2049, 167.4123, 31)
BACKFILLED = Bar(1381152600, 167.41, 167.5, 167.3, 167.42, 2049, 167.4123, 31, backfilled=True)


def message(row: list[bytes]) -> list[bytes]:
    return [b"50", b"3", b"7", *row, b""]


def with_field(place: int, raw: bytes) -> list[bytes]:
    return message([*ROW[:place], raw, *ROW[place + 1 :]])


def history(*rows: list[bytes]) -> list[bytes]:
    fields = [field for row in rows for field in row]
    return [b"17", b"7", b"start", b"end", b"%d" % len(rows), *fields, b""]


def test_message_50_is_a_bar_by_its_start() -> None:
    assert real_time_bar(message(ROW)) == BAR


@pytest.mark.parametrize(
    ("place", "raw", "error"),
    [
        (0, b"", "bar start was b'', must be a whole number"),
        (0, b"1381152601", "bar start was 1381152601, must be a multiple of 5 s"),
        (0, b"13811526000000", "bar start was .*, must be a whole number of at most 11 digits"),
        (1, b"0", "bar open was b'0', must be a price above 0"),
        (2, b"-1", "bar high was b'-1', must be a price above 0"),
        (3, b"nan", "bar low was b'nan', must be a price above 0"),
        (4, b"1.7976931348623157E308", "bar close was .*, must be a price above 0"),
        (4, b"x", "bar close was b'x', must be a number"),
        (2, b"167.415", "bar was 167.41 167.415 167.3 167.42, must lie between"),
        (3, b"167.415", "bar was 167.41 167.5 167.415 167.42, must lie between"),
        (5, b"many", "bar volume was b'many', must be a number"),
        (7, b"1.5", "bar count was b'1.5', must be a whole number"),
    ],
)
def test_a_bar_that_cannot_be_one_is_refused(place: int, raw: bytes, error: str) -> None:
    with pytest.raises(BadRow, match=error):
        real_time_bar(with_field(place, raw))


def test_a_bar_with_too_few_fields_is_refused() -> None:
    with pytest.raises(BadRow, match="bar has too few fields, was 10, need 11"):
        real_time_bar(message(ROW)[:10])


def test_volume_wap_and_count_may_be_unknown() -> None:
    bar = real_time_bar(message([*ROW[:5], b"-1", b"-1", b"-1"]))
    assert (bar.volume, bar.wap, bar.count) == (0, None, 0)


def test_a_fractional_volume_keeps_its_decimals() -> None:
    assert real_time_bar(with_field(5, b"10.25")).volume == 10.25


def test_historical_bars_are_backfilled() -> None:
    later = [b"1381152605", *ROW[1:]]
    bars, refused = historical_bars(history(ROW, later))
    assert bars[0] == BACKFILLED
    assert [bar.t for bar in bars] == [1381152600, 1381152605]
    assert refused == []


def test_one_bad_historical_bar_does_not_cost_the_others() -> None:
    bars, refused = historical_bars(history([b"20131007", *ROW[1:]], ROW, [b"0", b"0", *ROW[2:]]))
    assert bars == [BACKFILLED]
    assert [str(reason) for reason in refused] == [
        "bar start was 20131007, must be a multiple of 5 s",
        "bar open was b'0', must be a price above 0",
    ]


def test_a_reply_without_bars_is_empty() -> None:
    assert historical_bars(history()) == ([], [])


def test_a_reply_that_is_not_as_long_as_it_says_is_refused() -> None:
    with pytest.raises(BadRow, match="2 historical bars need 16 fields, was 8"):
        historical_bars([b"17", b"7", b"start", b"end", b"2", *ROW])
