"""Trades, bars and limits on evidence by hand: each invariant can fail."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.oracle.check_bars import BarEvidence, check_bars
from tests.oracle.check_trades import TradeEvidence, check_trades
from tests.oracle.evidence import Gap, Print, Trade
from tests.oracle.limits import check_gateway, check_vendor

BEGIN: Final = 1_700_000_040_000
MINUTE: Final = BEGIN // 1_000 // 60 * 60


def prints(count: int = 6) -> list[Print]:
    return [
        Print(n, BEGIN + 300 * n, 5_000_000 + 100 * (n % 3), 100.0) for n in range(1, 1 + count)
    ]


def trades(of: list[Print], feed: str = "rtvolume") -> list[Trade]:
    found = []
    for seq, one in enumerate(of, 1):
        ts = one.ms if feed == "rtvolume" else one.ms // 1_000 * 1_000
        found.append(Trade(seq, ts, one.ms + 5, one.price_e4, one.size, feed))
    return found


def renumbered(found: list[Trade]) -> list[Trade]:
    return [trade._replace(seq=seq) for seq, trade in enumerate(found, 1)]


def gap(feed: str, from_ms: int, to_ms: int, reason: str = "restart", **seq: int) -> Gap:
    first, last = seq.get("first"), seq.get("last")
    return Gap(feed, "SPY", "", first, last, from_ms, to_ms, reason)


def broken(of: list[Print], found: list[Trade], *gaps: Gap) -> set[str]:
    return set(check_trades(TradeEvidence("SPY", of, found, gaps)).by_invariant)


@pytest.mark.parametrize("feed", ["rtvolume", "tbt"])
def test_every_print_once_and_in_order_is_right(feed: str) -> None:
    assert broken(prints(), trades(prints(), feed)) == set()


def test_a_print_that_is_missing_is_lost_unless_a_gap_says_so() -> None:
    of = prints()
    found = trades([*of[:2], *of[4:]])
    assert broken(of, found) == {"no trade lost"}
    assert broken(of, found, gap("trades", of[1].ms, of[4].ms)) == set()
    assert broken(of, found, gap("depth", of[1].ms, of[4].ms)) == {"no trade lost"}


def test_a_number_in_a_gap_explains_one_print() -> None:
    of = prints()
    found = [trade for trade in trades(of) if trade.seq != 3]
    assert broken(of, found) == {"no trade lost", "seq without holes"}
    assert broken(of, found, gap("trades", 0, 0, first=3, last=3)) == set()


def test_a_trade_that_stands_there_twice_is_found() -> None:
    found = trades(prints())
    twice = renumbered([*found[:3], found[2], *found[3:]])
    assert broken(prints(), twice) == {"trades once, in order"}


def test_trades_out_of_order_are_found() -> None:
    found = trades(prints())
    swapped = renumbered([found[0], found[2], found[1], *found[3:]])
    assert "trades once, in order" in broken(prints(), swapped)


def test_a_trade_nobody_printed_is_found() -> None:
    found = trades(prints())
    found[2] = found[2]._replace(price_e4=1)
    assert "trades once, in order" in broken(prints(), found)


def bar(t: int, close: float = 500.0) -> dict[str, Any]:
    prices = {"open": 500.0, "high": 501.0, "low": 499.0, "close": close}
    return {"t": t, **prices, "volume": 300.0, "wap": 500.5, "count": 3}


def bars() -> list[dict[str, Any]]:
    return [bar(MINUTE + 5 * n) for n in range(12)]


def candle(**changes: Any) -> dict[str, Any]:
    whole = {**bar(MINUTE), "volume": 3_600.0, "count": 36, "bars": 12, "complete": True}
    return {**whole, **changes}


def wrong(
    found: list[dict[str, Any]],
    candles: list[dict[str, Any]],
    *gaps: Gap,
    covered_s: int = MINUTE + 70,
) -> set[str]:
    window = (MINUTE, MINUTE + 60, covered_s)
    return set(check_bars(BarEvidence("SPY", bars(), found, candles, gaps, *window)).by_invariant)


def test_bars_and_candles_as_they_were_are_right() -> None:
    assert wrong(bars(), [candle()]) == set()


def test_a_bar_with_another_close_is_wrong() -> None:
    assert wrong([*bars()[:11], bar(MINUTE + 55, 499.5)], [candle()]) == {"bars right"}


def test_a_missing_bar_is_wrong_unless_it_is_entered_as_lost_or_still_fetched() -> None:
    short, lame = bars()[:11], [candle(bars=11, complete=False)]
    assert wrong(short, lame) == {"bars right", "candles right"}
    window = (1_000 * (MINUTE + 50), 1_000 * (MINUTE + 60))
    assert wrong(short, lame, gap("bars", *window, "restart: not filled, no answer")) == set()
    told = wrong(short, lame, gap("bars", *window, "restart: filled, 1 bars"))
    assert told == {"bars right", "candles right"}
    assert wrong(short, lame, covered_s=MINUTE + 50) == set()


def test_a_whole_candle_may_be_in_doubt_while_a_window_behind_it_is_fetched() -> None:
    doubtful = [candle(complete=False)]
    assert wrong(bars(), doubtful, covered_s=MINUTE + 69) == set()
    assert wrong(bars(), doubtful, covered_s=MINUTE + 70) == {"candles right"}


def test_a_candle_that_calls_itself_complete_must_be() -> None:
    window = (1_000 * (MINUTE + 50), 1_000 * (MINUTE + 60))
    unfilled = gap("bars", *window, "restart: not filled, no answer")
    assert wrong(bars()[:11], [candle(bars=11, volume=3_300.0)], unfilled) == {"candles right"}


def test_two_bars_of_one_start_are_found() -> None:
    assert wrong([*bars(), bars()[0]], [candle()]) == {"one bar per start"}


GATEWAY: Final[dict[str, Any]] = {
    "distinct_contracts_max": 3,
    "messages_per_s_peak": {"777": 20, "788": 18},
    "errors_sent": {},
    "opened": 200,
    **dict.fromkeys(
        ("cancel_unknown", "cancel_refused", "cancel_dropped", "cancel_with_other_flag",
         "double_cancel", "reused_live_id", "reused_retired_id", "smart_requests", "phantom_309",
         "own_309", "late_ticks", "malformed"), 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        ({"distinct_contracts_max": 4}, {"depth cap"}),
        ({"own_309": 1}, {"depth cap"}),
        ({"messages_per_s_peak": {"777": 30, "788": 21}}, {"message rate"}),
        ({"errors_sent": {"100": 1}}, {"message rate"}),
        ({"cancel_refused": 1}, {"gateway's rules"}),
        ({"phantom_309": 1}, {"gateway's rules"}),
    ],
)
def test_the_gateway_counts_what_it_allows(change: dict[str, Any], expected: set[str]) -> None:
    assert set(check_gateway({**GATEWAY, **change}, 3).by_invariant) == expected


def test_a_gateway_that_was_held_up_may_count_a_slot_as_taken() -> None:
    stats = {**GATEWAY, "phantom_309": 3, "late_ticks": 1}
    assert set(check_gateway(stats, 3).by_invariant) == set()
    stats["phantom_309"] = 4
    assert set(check_gateway(stats, 3).by_invariant) == {"gateway's rules"}


@pytest.mark.parametrize(
    ("minute", "second", "outcomes", "expected"),
    [
        (590, 19, {"ok": 5}, set()),
        (601, 19, {"ok": 5}, {"vendor's limits"}),
        (590, 21, {"ok": 5}, {"vendor's limits"}),
        (590, 19, {"burst": 1}, {"vendor's limits"}),
    ],
)
def test_the_vendor_counts_what_it_allows(
    minute: int, second: int, outcomes: dict[str, int], expected: set[str]
) -> None:
    record = {"requests": 5, "peak_60s": minute, "peak_1s": second, "outcomes": outcomes}
    stats = {"limits": {"per_minute": 600, "per_second": 20}, "keys": {"abc": record}}
    assert set(check_vendor(stats).by_invariant) == expected


def test_prints_that_nothing_tells_apart_are_matched_as_explains_more() -> None:
    """Two alike within one second: the first was missed in an outage, the second came."""
    times_and_prices = ((0, 100), (100, 200), (200, 300), (900, 200), (950, 400))
    of = [Print(n, BEGIN + ms, e4, 1.0) for n, (ms, e4) in enumerate(times_and_prices, 1)]
    came = [Trade(n, BEGIN, one.ms + 5, one.price_e4, 1.0, "tbt")
            for n, one in enumerate((of[0], of[3], of[4]), 1)]  # fmt: skip
    assert broken(of, came, gap("trades", BEGIN + 5, BEGIN + 850)) == set()
    assert broken(of, came) == {"no trade lost"}
