from __future__ import annotations

import pytest

from shared.control.trade_history import PublishedPrints
from shared.market.bar import Bar
from shared.market.trade import Halt, Trade, TradeFeed
from tests.unit.feeds.ticking import (
    BAR,
    BID,
    DELAYED,
    NOW_MS,
    PRINT,
    VOLUME_PRINT,
    Rig,
    streaming,
)


def test_a_print_of_the_line_is_published_with_the_days_volume() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.slice(VOLUME_PRINT)
    assert rig.outlet.trades == [
        Trade("SPY", 585.34, 100, None, 1_381_152_600_123, NOW_MS, TradeFeed.RT_VOLUME)
    ]
    assert (rig.outlet.volumes, rig.counters.trades) == ([("SPY", 12345, NOW_MS)], 1)


def test_the_days_volume_is_published_once_a_slice_and_only_when_it_changes() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.slice(VOLUME_PRINT, b"46|6|7|48|585.4;50;1381152600124;12395;585.2;true|")
    rig.slice(b"46|6|7|48|;0;1381152600125;12395;585.2;true|")
    assert rig.outlet.volumes == [("SPY", 12395, NOW_MS)]


def test_volume_without_a_price_is_no_print() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.slice(b"46|6|7|48|;0;1381152600123;12345;585.2;true|")
    assert (rig.outlet.trades, rig.outlet.volumes) == ([], [("SPY", 12345, NOW_MS)])


@pytest.mark.parametrize(
    ("mask", "past_limit", "unreported"),
    [(b"0", False, False), (b"1", True, False), (b"2", False, True), (b"3", True, True)],
)
def test_a_tick_by_tick_print_is_published_with_its_flags(
    mask: bytes, past_limit: bool, unreported: bool
) -> None:
    rig = streaming(TradeFeed.TICK_BY_TICK)
    rig.slice(PRINT.replace(b"|100|0|", b"|100|" + mask + b"|"))
    assert [(t.ts_ms, t.venue, t.conditions) for t in rig.outlet.trades] == [
        (1_381_152_600_000, "ARCA", " T I")
    ]
    assert [(t.past_limit, t.unreported) for t in rig.outlet.trades] == [(past_limit, unreported)]


def test_a_print_that_both_feeds_show_goes_out_once() -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    rig.slice(PRINT, VOLUME_PRINT)
    assert [(trade.feed, trade.size) for trade in rig.outlet.trades] == [("rtvolume", 100)]


@pytest.mark.parametrize(("single", "out"), [(b"false", [100]), (b"true", [100, 60, 40])])
def test_a_print_of_the_line_may_be_the_sum_of_others_where_it_says_so(
    single: bytes, out: list[float]
) -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    # The second in which the stream began is not compared.
    later = PRINT.replace(b"1381152600", b"1381152601")
    parts = [later.replace(b"|100|", size) for size in (b"|60|", b"|40|")]
    rig.slice(PRINT, *parts, b"46|6|7|48|585.34;100;1381152601500;9;585;" + single + b"|")
    assert [trade.size for trade in rig.outlet.trades] == out


def test_only_a_reported_print_promises_a_bar() -> None:
    rig = streaming(TradeFeed.TICK_BY_TICK)
    rig.slice(PRINT.replace(b"|100|0|", b"|100|2|"))
    assert (rig.feed.mute.print_t, rig.feed.mute.print_s) == (0, 101.5)
    rig.slice(PRINT)
    assert rig.feed.mute.print_t == 1_381_152_600


def test_a_print_of_the_line_shows_that_prints_come_and_promises_no_bar() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.slice(VOLUME_PRINT)
    assert (rig.feed.mute.print_t, rig.feed.mute.print_s) == (0, 101.5)


@pytest.mark.parametrize("delayed", [DELAYED, b"58|1|7|4|", b"1|6|7|66|585.33|18|0|"])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_print_of_a_delayed_line_is_not_published(delayed: bytes, allowed: bool) -> None:
    rig = Rig(allowed)
    rig.feed.splice.started(TradeFeed.RT_VOLUME)
    rig.slice(delayed, VOLUME_PRINT)
    assert (rig.outlet.trades, rig.counters.trades) == ([], 0)


@pytest.mark.parametrize("allowed", [False, True])
def test_the_days_volume_of_a_delayed_line_is_not_published(allowed: bool) -> None:
    rig = Rig(allowed)
    rig.slice(DELAYED, VOLUME_PRINT, b"46|6|7|48|;0;1381152600125;12395;585.2;true|")
    assert (rig.outlet.volumes, rig.feed.quote.volume) == ([], None)


def test_prints_and_volume_of_a_line_that_is_live_again_are_published() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.slice(DELAYED, VOLUME_PRINT, b"58|1|7|1|", VOLUME_PRINT.replace(b";100;", b";70;"))
    assert [trade.size for trade in rig.outlet.trades] == [70]
    assert rig.outlet.volumes == [("SPY", 12345, NOW_MS)]


@pytest.mark.parametrize(("mask", "halted"), [(b"1", True), (b"0", False)])
def test_a_marker_of_price_and_size_0_tells_a_halt_and_is_no_print(
    mask: bytes, halted: bool
) -> None:
    rig = streaming(TradeFeed.TICK_BY_TICK)
    rig.slice(b"99|8|2|1381152600|0|0|" + mask + b"|||")
    assert rig.halts == [Halt("SPY", halted, 1_381_152_600_000)]
    assert (rig.counters.halts, rig.published()) == (1, [])


@pytest.mark.parametrize("price", [b"-1", b"NaN", b"1.7976931348623157E308"])
def test_a_print_without_a_price_is_not_published(price: bytes) -> None:
    rig = streaming(TradeFeed.TICK_BY_TICK)
    rig.slice(PRINT.replace(b"585.34", price))
    assert (rig.published(), rig.halts, rig.feed.unreadable) == ([], [], {})


def test_a_bar_is_handed_on() -> None:
    rig = Rig()
    rig.slice(BAR)
    assert rig.bars == [Bar(1_381_152_600, 585, 586, 584, 585.5, 1200, 585.25, 7)]
    assert (rig.counters.bars, rig.feed.mute.bar_t, rig.feed.heard_s) == (1, 1_381_152_600, 101.5)


def test_a_bar_tells_up_to_when_the_symbols_own_bars_came() -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    rig.slice(BAR)
    rig.rows.now_ms = NOW_MS + 5000
    rig.slice(BID, VOLUME_PRINT, PRINT, BAR.replace(b"|585|", b"|x|"))
    assert (rig.feed.bar_heard_ms, rig.feed.heard_ms) == (NOW_MS, NOW_MS + 5000)
    rig.slice(BAR)
    assert rig.feed.bar_heard_ms == NOW_MS + 5000


def test_what_is_published_is_remembered_where_prints_may_be_fetched_back() -> None:
    rig = streaming(TradeFeed.RT_VOLUME)
    rig.rows.published = {"SPY": PublishedPrints()}
    rig.slice(VOLUME_PRINT)
    assert rig.rows.published["SPY"].missing(rig.outlet.trades * 2) == rig.outlet.trades


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((b"99|8|2|soon|585.34|100|0|ARCA||",), {"trades": (1, NOW_MS)}),
        ((b"46|6|7|48|585.34;100;1;2;3;maybe|",) * 3, {"trades": (3, NOW_MS)}),
        ((b"50|3|9|1381152601|1|1|1|1|1|1|1|",), {"bars": (1, NOW_MS)}),
        ((b"50|3|9|1381152600|",), {"bars": (1, NOW_MS)}),
        ((b"1|6|7|1|1_0|18|0|",), {}),
    ],
)
def test_what_cannot_be_read_is_counted_and_a_lost_print_or_bar_noted(
    frames: tuple[bytes, ...], expected: dict[str, tuple[int, int]]
) -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    rig.slice(*frames)
    assert (rig.feed.unreadable, rig.counters.bad_ticks) == (expected, len(frames))
    assert (rig.published(), rig.bars) == ([], [])


def test_unreadable_prints_keep_the_time_of_the_first() -> None:
    rig = Rig()
    rig.slice(PRINT.replace(b"585.34", b"x"))
    rig.rows.now_ms = NOW_MS + 5000
    rig.slice(PRINT.replace(b"585.34", b"x"))
    assert rig.feed.unreadable == {"trades": (2, NOW_MS)}


@pytest.mark.parametrize(
    "frame",
    [BID.replace(b"|7|", b"|70|", 1), VOLUME_PRINT.replace(b"|7|", b"|8|"), b"1|6",
     PRINT.replace(b"|8|", b"|7|"), b"99", BAR.replace(b"|9|", b"|7|"), b"50|3"],
)  # fmt: skip
def test_what_names_no_open_request_of_its_kind_is_a_straggler(frame: bytes) -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    rig.slice(frame)
    assert (rig.counters.stragglers, rig.counters.messages, rig.feed.heard_s) == (1, 0, 0.0)
    assert (rig.published(), rig.bars) == ([], [])


def test_messages_of_a_retired_request_publish_nothing() -> None:
    rig = streaming(TradeFeed.RT_VOLUME, TradeFeed.TICK_BY_TICK)
    for table in (rig.rows.lines, rig.rows.streams, rig.rows.bars):
        table.clear()
    rig.slice(BID, VOLUME_PRINT, PRINT, BAR, DELAYED)
    assert (rig.counters.stragglers, rig.published(), rig.bars) == (4, [], [])
    assert rig.feed.quote.delayed is False


def test_these_messages_are_read_here_and_not_by_ib_async() -> None:
    ids = [b"1", b"17", b"2", b"45", b"46", b"50", b"58", b"81", b"98", b"99"]
    assert sorted(Rig().rows.handlers) == ids


def test_what_is_handled_in_one_slice_shares_its_time() -> None:
    rig = Rig()
    rig.rows.on_slice()
    rig.slice(BID, BAR)
    assert (rig.rows.now_s, rig.feed.heard_s, rig.feed.heard_ms) == (105.0, 105.0, rig.rows.now_ms)


def test_the_smallest_price_step_is_of_no_use() -> None:
    rig = Rig()
    rig.slice(b"81|7|0.01|9c0001|3|")
    assert (rig.published(), rig.counters.bad_ticks, rig.counters.stragglers) == ([], 0, 0)


@pytest.mark.parametrize("frame", [BID, VOLUME_PRINT, PRINT, PRINT.replace(b"585.34", b"x")])
def test_the_first_tick_after_an_interruption_is_told(frame: bytes) -> None:
    rig = Rig()
    rig.feed.interrupted = (NOW_MS - 9000, "disconnect")
    rig.slice(frame, frame)
    assert rig.first == ["SPY"]


@pytest.mark.parametrize("frame", [BAR, DELAYED, BID.replace(b"|7|", b"|70|", 1)])
def test_what_is_no_tick_of_the_symbol_ends_no_interruption(frame: bytes) -> None:
    rig = Rig()
    rig.feed.interrupted = (NOW_MS - 9000, "disconnect")
    rig.slice(frame)
    assert rig.first == []


@pytest.mark.parametrize("frame", [b"17|12|a|b|0|", b"98|12|0|1|"])
def test_answers_of_history_are_handed_on_by_their_request(frame: bytes) -> None:
    rig = Rig()
    rig.slice(frame, frame[:2])
    assert rig.history == [(b"12", frame.split(b"|"))]
