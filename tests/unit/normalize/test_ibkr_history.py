from __future__ import annotations

import pytest

from shared.errors import BadRow
from shared.market.trade import Trade, TradeFeed
from shared.normalize.ibkr_history import HistoricalTrades, historical_trades
from shared.normalize.ibkr_ticks import TickParser

RECEIVED_MS = 1_381_152_700_900
FIRST = b"1381152600|0|167.41|100|ARCA| T I|"
SECOND = b"1381152601|2|167.5|30|D||"
HALT = b"1381152602|1|0|0|||"


def told(frame: bytes, parser: TickParser | None = None) -> HistoricalTrades:
    return historical_trades(frame.split(b"|"), parser or TickParser(), "SPY", RECEIVED_MS)


def answer(*ticks: bytes) -> HistoricalTrades:
    return told(b"98|41|%d|" % len(ticks) + b"".join(ticks) + b"1|")


def test_every_print_of_an_answer_is_told_in_its_order() -> None:
    assert answer(FIRST, SECOND).trades == [
        Trade(
            "SPY", 167.41, 100, "ARCA", 1_381_152_600_000, RECEIVED_MS, TradeFeed.HISTORY, " T I",
            past_limit=False, unreported=False,
        ),
        Trade(
            "SPY", 167.5, 30, "FINRA", 1_381_152_601_000, RECEIVED_MS, TradeFeed.HISTORY, "",
            past_limit=False, unreported=True,
        ),
    ]  # fmt: skip


def test_the_newest_second_is_told_wherever_it_stands() -> None:
    later = FIRST.replace(b"1381152600", b"1381152609")
    assert answer(FIRST, later, SECOND).newest_s == 1_381_152_609


@pytest.mark.parametrize("frame", [b"98|41|0|1|", b"98|41|0|1", b"98|41|0|0"])
def test_an_answer_without_a_print_has_no_newest_second(frame: bytes) -> None:
    assert told(frame) == HistoricalTrades([], 0, 0, 0)


def test_a_time_that_cannot_be_read_is_no_newest_second() -> None:
    assert answer(FIRST.replace(b"1381152600", b"soon")) == HistoricalTrades([], 1, 1, 0)


@pytest.mark.parametrize(
    ("mask", "past_limit", "unreported"),
    [(b"0", False, False), (b"1", True, False), (b"2", False, True), (b"3", True, True)],
)
def test_the_mask_stands_before_the_price(mask: bytes, past_limit: bool, unreported: bool) -> None:
    trade = answer(FIRST.replace(b"|0|", b"|" + mask + b"|", 1)).trades[0]
    assert (trade.past_limit, trade.unreported) == (past_limit, unreported)


@pytest.mark.parametrize(
    "bad",
    [
        FIRST.replace(b"167.41", b"x"),
        FIRST.replace(b"|100|", b"|1_0|"),
        FIRST.replace(b"|0|", b"|?|", 1),
        FIRST.replace(b"ARCA", b"AR\xffCA"),
        FIRST.replace(b"1381152600", b"soon"),
    ],
    ids=["price", "size", "mask", "venue", "time"],
)
def test_one_print_that_cannot_be_read_is_counted_and_does_not_cost_the_others(
    bad: bytes,
) -> None:
    found = answer(bad, SECOND)
    counts = (found.unreadable, found.rows)
    assert ([trade.price for trade in found.trades], counts) == ([167.5], (1, 2))


@pytest.mark.parametrize("none", [FIRST.replace(b"167.41", b"-1"), FIRST.replace(b"|100|", b"|0|")])
def test_a_row_without_a_price_or_size_is_neither_a_print_nor_unreadable(none: bytes) -> None:
    found = answer(none, SECOND)
    counts = (found.unreadable, found.rows)
    assert ([trade.price for trade in found.trades], counts) == ([167.5], (0, 2))


def test_a_halt_marker_is_no_print_and_its_second_was_told() -> None:
    found = answer(FIRST, HALT)
    assert (len(found.trades), found.unreadable, found.newest_s) == (1, 0, 1_381_152_602)


@pytest.mark.parametrize("bad", [(b"167.5", b"x"), (b"1381152601", b"99999999999999")])
def test_the_second_of_a_print_that_cannot_be_read_says_nothing(bad: tuple[bytes, bytes]) -> None:
    assert answer(FIRST, SECOND.replace(*bad)).newest_s == 1_381_152_600


def test_an_unknown_venue_is_counted_with_those_of_the_live_prints() -> None:
    parser = TickParser()
    told(b"98|41|1|" + FIRST.replace(b"ARCA", b"U") + b"1|", parser)
    assert parser.unknown_venues == {"U": 1}


@pytest.mark.parametrize("end", [b"1", b"0", b"1|", b"0|"])
def test_an_answer_ends_with_whether_it_is_done_and_perhaps_an_empty_field(end: bytes) -> None:
    assert len(told(b"98|41|1|" + FIRST + end).trades) == 1


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b"98|41|0", "historical ticks have too few fields, was 3, need 4"),
        (b"98", "historical ticks have too few fields, was 1, need 4"),
        (b"98|41|x|1|", "number of ticks was b'x', must be a whole number of at most 9 digits"),
        (b"98|41|-1|1|", "number of ticks was b'-1', must be a whole number of at most 9 digits"),
        (b"98|41|2|" + FIRST + b"1|", "2 ticks need 13 fields, was 8"),
        (b"98|41|1|" + FIRST[:-1], "1 ticks need 7 fields, was 6"),
        (b"98|41|0|" + FIRST + b"1|", "0 ticks need 1 fields, was 8"),
        (b"98|41|1|" + FIRST + b"1||", "1 ticks need 7 fields, was 9"),
    ],
)
def test_an_answer_of_another_number_of_prints_than_it_says_is_refused(
    frame: bytes, expected: str
) -> None:
    with pytest.raises(BadRow) as caught:
        told(frame)
    assert str(caught.value) == expected


@pytest.mark.parametrize(("until_s", "unreadable"), [(1_381_152_601, 0), (1_381_152_602, 1)])
def test_what_cannot_be_read_behind_the_window_is_not_missed(until_s: int, unreadable: int) -> None:
    frame = b"98|41|2|" + FIRST + SECOND.replace(b"167.5", b"x") + b"1|"
    found = historical_trades(frame.split(b"|"), TickParser(), "SPY", RECEIVED_MS, until_s)
    assert (len(found.trades), found.unreadable) == (1, unreadable)
