from __future__ import annotations

import pytest

import shared.normalize.ibkr_ticks as module
from shared.errors import BadRow
from shared.market.quote import Field, Tick
from shared.market.trade import Halt, Trade, TradeFeed
from shared.normalize.ibkr_ticks import RtVolume, TickParser
from shared.normalize.ibkr_values import amount, digits, whole

DBL_MAX = b"1.7976931348623157E308"
RECEIVED_MS = 1_381_152_600_900
PRINT = [b"99", b"7", b"2", b"1381152600", b"167.41", b"100", b"0", b"ARCA", b" T I", b""]


def print_with(place: int, raw: bytes) -> list[bytes]:
    return [*PRINT[:place], raw, *PRINT[place + 1 :]]


def parsed(fields: list[bytes]) -> Trade:
    trade = TickParser().trade(fields, "SPY", RECEIVED_MS)
    assert isinstance(trade, Trade)
    return trade


def line(*fields: bytes) -> Tick | RtVolume | None:
    return TickParser().line([fields[0], b"6", b"7", *fields[1:], b""], "SPY", RECEIVED_MS)


def rt_volume(text: bytes) -> RtVolume:
    made = line(b"46", b"48", text)
    assert isinstance(made, RtVolume)
    return made


@pytest.mark.parametrize("kind", [b"1", b"2"])
def test_a_tick_by_tick_print_keeps_the_second_of_the_wire(kind: bytes) -> None:
    assert parsed(print_with(2, kind)) == Trade(
        "SPY",
        167.41,
        100,
        "ARCA",
        1_381_152_600_000,
        RECEIVED_MS,
        TradeFeed.TICK_BY_TICK,
        " T I",
        past_limit=False,
        unreported=False,
    )


@pytest.mark.parametrize(
    ("mask", "past_limit", "unreported"),
    [(b"0", False, False), (b"1", True, False), (b"2", False, True), (b"7", True, True)],
)
def test_the_mask_flags_past_limit_and_unreported(
    mask: bytes, past_limit: bool, unreported: bool
) -> None:
    trade = parsed(print_with(6, mask))
    assert (trade.past_limit, trade.unreported) == (past_limit, unreported)


def test_the_second_of_each_print_counts() -> None:
    parser = TickParser()
    parser.trade(PRINT, "SPY", RECEIVED_MS)
    later = parser.trade(print_with(3, b"1381152601"), "SPY", RECEIVED_MS)
    assert later is not None
    assert later.ts_ms == 1_381_152_601_000


@pytest.mark.parametrize(
    ("exchange", "venue"), [(b"P", "ARCA"), (b"ISLAND", "NASDAQ"), (b"MEMX", "MEMX"), (b"", None)]
)
def test_the_exchange_becomes_the_venue(exchange: bytes, venue: str | None) -> None:
    assert parsed(print_with(7, exchange)).venue == venue


def test_an_unknown_letter_is_kept_and_each_of_its_prints_counted() -> None:
    parser = TickParser()
    trades = [parser.trade(print_with(7, b"U"), "SPY", RECEIVED_MS) for _ in range(2)]
    assert [trade.venue for trade in trades if isinstance(trade, Trade)] == ["U", "U"]
    assert parser.unknown_venues == {"U": 2}


@pytest.mark.parametrize(("mask", "halted"), [(b"1", True), (b"0", False)])
def test_nothing_for_nothing_is_a_halt_and_no_print(mask: bytes, halted: bool) -> None:
    fields = [*PRINT[:4], b"0", b"0.0", mask, b"", b"", b""]
    parser = TickParser()
    assert parser.trade(fields, "SPY", RECEIVED_MS) == Halt("SPY", halted, 1_381_152_600_000)
    assert parser.valueless == 0


@pytest.mark.parametrize("place", [4, 5])
@pytest.mark.parametrize("raw", [b"", b"-1", b"0", b"nan", b"Infinity", DBL_MAX])
def test_a_print_without_price_or_size_is_none_and_counted(place: int, raw: bytes) -> None:
    parser = TickParser()
    assert parser.trade(print_with(place, raw), "SPY", RECEIVED_MS) is None
    assert parser.valueless == 1


@pytest.mark.parametrize(
    ("place", "raw", "error"),
    [
        (2, b"3", "tick-by-tick type was b'3', must be 1 or 2"),
        (3, b"", "time was b'', must be a whole number of at most 11 digits"),
        (3, b"1381152600.5", "time was b'1381152600.5', must be a whole number"),
        (4, b"1_0", "price was b'1_0', must be a number"),
        (5, b" 100", "size was b' 100', must be a number"),
        (6, b"-1", "mask was b'-1', must be a whole number of at most 4 digits"),
        (7, b"A\nB", r"exchange was b'A\\nB', must be printable ASCII, at most 64"),
        (8, b"x" * 65, "conditions was b'x+', must be printable ASCII, at most 64"),
    ],
)
def test_a_print_that_cannot_be_one_is_refused(place: int, raw: bytes, error: str) -> None:
    with pytest.raises(BadRow, match=error):
        TickParser().trade(print_with(place, raw), "SPY", RECEIVED_MS)


def test_a_print_with_too_few_fields_is_refused() -> None:
    with pytest.raises(BadRow, match="tick-by-tick has too few fields, was 8, need 9"):
        TickParser().trade(PRINT[:8], "SPY", RECEIVED_MS)


def test_rtvolume_is_a_print_with_the_days_total() -> None:
    made = rt_volume(b"701.28;1;1348075471534;67854;701.46918464;true")
    trade = Trade("SPY", 701.28, 1, None, 1_348_075_471_534, RECEIVED_MS, TradeFeed.RT_VOLUME)
    assert made == RtVolume(trade, 67_854, 701.46918464, single=True)


def test_rtvolume_cannot_say_conditions_or_flags() -> None:
    trade = rt_volume(b"701.28;1;1348075471534;67854;701.46;false").trade
    assert trade is not None
    assert (trade.conditions, trade.past_limit, trade.unreported) == (None, None, None)


def test_rtvolume_without_a_price_is_volume_alone() -> None:
    assert rt_volume(b";0;1348075471534;67854;701.46;false") == RtVolume(
        None, 67_854, 701.46, single=False
    )


def test_rtvolume_without_a_time_has_the_one_it_was_received() -> None:
    trade = rt_volume(b"701.28;1;;67854;701.46;false").trade
    assert trade is not None
    assert trade.ts_ms == RECEIVED_MS


@pytest.mark.parametrize("text", [b"0;0;1;67854;701.46;true", b"701.28;0;1;67854;701.46;true"])
def test_rtvolume_with_an_unusable_print_is_volume_alone_and_counted(text: bytes) -> None:
    parser = TickParser()
    made = parser.line([b"46", b"6", b"7", b"48", text, b""], "SPY", RECEIVED_MS)
    assert made == RtVolume(None, 67_854, 701.46, single=True)
    assert parser.valueless == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"701.28;1;1348075471534;67854;701.46", "rtvolume was .*, must be price;size;ms;total"),
        (b"701.28;1;1348075471534;67854;701.46;maybe", "must be price;size;ms;total;vwap;true or"),
        (b"x;1;1348075471534;67854;701.46;true", "price was b'x', must be a number"),
        (b"701.28;1;soon;67854;701.46;true", "rtvolume time was b'soon', must be a whole number"),
        (b"701.28;1;1348075471534;many;701.46;true", "total volume was b'many', must be a number"),
    ],
)
def test_rtvolume_that_cannot_be_one_is_refused(text: bytes, error: str) -> None:
    with pytest.raises(BadRow, match=error):
        rt_volume(text)


@pytest.mark.parametrize(
    ("fields", "tick"),
    [
        ((b"1", b"1", b"167.4", b"300", b"1"), Tick(Field.BID, 167.4, 300)),
        ((b"1", b"2", b"167.44", b"200", b"1"), Tick(Field.ASK, 167.44, 200)),
        ((b"1", b"4", b"167.41", b"100", b"0"), Tick(Field.LAST, 167.41, 100)),
        ((b"1", b"68", b"255.45", b"200", b"0"), Tick(Field.LAST, 255.45, 200, delayed=True)),
        ((b"1", b"66", b"255.4", b"1", b"0"), Tick(Field.BID, 255.4, 1, delayed=True)),
        ((b"1", b"67", b"255.5", b"1", b"0"), Tick(Field.ASK, 255.5, 1, delayed=True)),
        ((b"1", b"76", b"255.5", b"0", b"0"), Tick(Field.OPEN, 255.5, None, delayed=True)),
        ((b"1", b"1", b"-1", b"0", b"1"), Tick(Field.BID, None, None)),
        ((b"1", b"1", DBL_MAX, b"", b"1"), Tick(Field.BID, None, None)),
        ((b"2", b"0", b"300"), Tick(Field.BID_SIZE, 300)),
        ((b"2", b"3", b"0.5"), Tick(Field.ASK_SIZE, 0.5)),
        ((b"2", b"0", b"-1"), Tick(Field.BID_SIZE, None)),
        ((b"2", b"74", b"312894"), Tick(Field.DAY_LOTS, 312_894, delayed=True)),
        ((b"45", b"49", b"0.0"), Tick(Field.HALTED, 0)),
        ((b"45", b"49", b"2"), Tick(Field.HALTED, 2)),
        ((b"45", b"49", b"-1"), Tick(Field.HALTED, None)),
        ((b"45", b"90", b"1"), Tick(Field.HALTED, 1, delayed=True)),
        ((b"46", b"45", b"1381152600"), Tick(Field.LAST_TIME, 1_381_152_600_000)),
        ((b"46", b"45", b"0"), Tick(Field.LAST_TIME, None)),
        ((b"46", b"88", b"7"), Tick(Field.LAST_TIME, 7_000, delayed=True)),
        ((b"46", b"84", b"P"), Tick(Field.LAST_VENUE, None, venue="ARCA")),
    ],
)
def test_a_tick_becomes_its_field(fields: tuple[bytes, ...], tick: Tick) -> None:
    assert line(*fields) == tick


def test_tick_ids_without_a_use_are_none_and_counted() -> None:
    parser = TickParser()
    for fields in ([b"46", b"6", b"7", b"77", b"1;2;3;4;5;true"], [b"2", b"6", b"7", b"110", b"5"]):
        assert parser.line([*fields, b""], "SPY", RECEIVED_MS) is None
    assert parser.ignored == {"77": 1, "110": 1}


def test_a_flood_of_tick_ids_is_counted_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_COUNTED", 1)
    parser = TickParser()
    for tick in (b"200", b"201", b"202", b"200"):
        parser.line([b"2", b"6", b"7", tick, b"5", b""], "SPY", RECEIVED_MS)
    assert parser.ignored == {"200": 2, "others": 2}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([b"1", b"6", b"7", b"1"], "tick has too few fields, was 4, need 5"),
        ([b"1", b"6", b"7", b"1", b"5"], "tick price has too few fields, was 5, need 6"),
        ([b"2", b"6", b"7", b"x", b"5", b""], "tick type was b'x', must be a whole number"),
        ([b"2", b"6", b"7", b"0", b"x", b""], "size was b'x', must be a number"),
        ([b"45", b"6", b"7", b"49", b"x", b""], "size was b'x', must be a number"),
        ([b"46", b"6", b"7", b"45", b"x", b""], "last time was b'x', must be a whole number"),
    ],
)
def test_a_tick_that_cannot_be_one_is_refused(fields: list[bytes], error: str) -> None:
    with pytest.raises(BadRow, match=error):
        TickParser().line(fields, "SPY", RECEIVED_MS)


def test_a_tick_without_a_use_is_counted_each_time() -> None:
    parser = TickParser()
    for _ in range(3):
        parser.line([b"2", b"6", b"7", b"110", b"5", b""], "SPY", RECEIVED_MS)
    assert parser.ignored == {"110": 3}


def test_a_tick_that_cannot_be_one_is_refused_each_time() -> None:
    parser = TickParser()
    for _ in range(2):
        with pytest.raises(BadRow):
            parser.line([b"1", b"6", b"7", b"1", b"x", b"18", b""], "SPY", RECEIVED_MS)


@pytest.mark.parametrize("raw", [b"", b"-1", b"-0.5", b"0", b"NaN", b"Infinity", DBL_MAX])
def test_what_is_no_amount_is_absent(raw: bytes) -> None:
    assert amount(raw, "price") is None


def test_a_whole_size_has_no_fraction() -> None:
    assert [repr(whole(raw, "size")) for raw in (b"100", b"100.0", b"0.5")] == ["100", "100", "0.5"]


def test_a_number_with_too_many_digits_is_refused() -> None:
    with pytest.raises(BadRow, match="time was b'1234', must be a whole number of at most 3"):
        digits(b"1234", "time", 3)
