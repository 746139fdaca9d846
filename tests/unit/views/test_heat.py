from __future__ import annotations

from typing import Any

import orjson
import pytest

from shared.store.dashboard_reader import MarketSample, Print, SymbolSample
from shared.views.heat import COLUMNS, RATES, Heat, Pulse, bands, column

NONE: list[Any] = [None, 0, None]
BOOK = {
    "bids": [[9.99, 300, "ARCA"], [9.98, 100, "ARCA"], NONE],
    "asks": [[10.01, 200, "ARCA"], NONE, NONE],
}


def sample(*trades: Print, live: bool = True) -> SymbolSample:
    return SymbolSample(BOOK, live, 7, trades)


def told(found: Heat, after_s: int = 0) -> list[dict[str, Any]]:
    return [orjson.loads(orjson.dumps(one)) for one in found.columns(after_s)]


def test_a_column_holds_price_and_size_of_the_levels_there_are() -> None:
    assert column(5, sample(), []) == {
        "t": 5,
        "b": [[9.99, 300.0], [9.98, 100.0]],
        "a": [[10.01, 200.0]],
    }


def test_a_parked_book_is_not_what_the_market_showed_then() -> None:
    assert column(5, sample(live=False), []) == {"t": 5, "b": [], "a": []}


def test_trades_at_one_price_are_summed() -> None:
    prints = [Print(1, 10.0, 100, 1), Print(2, 10.0, 50, 2), Print(3, 9.5, 10, 3)]
    assert column(5, sample(), prints)["x"] == [(9.5, 10.0), (10.0, 150.0)]


def test_of_many_prices_the_largest_are_kept() -> None:
    prints = [Print(1, 10 + at, 1 + at, at) for at in range(25)]
    found = column(5, sample(), prints)["x"]
    assert (len(found), found[0], found[-1]) == (20, (15.0, 6.0), (34.0, 25.0))


def test_only_trades_since_the_last_look_are_in_a_column() -> None:
    heat = Heat()
    heat.add(1, sample(Print(1, 10.0, 100, 5)))
    heat.add(2, sample(Print(2, 10.1, 7, 6), Print(1, 10.0, 100, 5)))
    assert [one.get("x") for one in told(heat)] == [None, [[10.1, 7.0]]]


def test_a_second_has_one_column() -> None:
    heat = Heat()
    for at_s in (4, 4, 3, 5):
        heat.add(at_s, sample())
    assert [one["t"] for one in told(heat)] == [4, 5]


def test_no_more_than_ten_minutes_are_kept() -> None:
    heat = Heat()
    for at_s in range(COLUMNS + 30):
        heat.add(at_s, sample())
    found = told(heat)
    assert (len(found), found[0]["t"], found[-1]["t"]) == (COLUMNS, 30, COLUMNS + 29)


def test_the_newest_columns_and_those_after_a_time_can_be_had() -> None:
    heat = Heat()
    for at_s in range(1, 9):
        heat.add(at_s, sample())
    assert [one["t"] for one in told(heat, after_s=6)] == [7, 8]
    assert [orjson.loads(orjson.dumps(one))["t"] for one in heat.newest(2)] == [7, 8]


def market(now_ms: int, updates: int, trades: int) -> MarketSample:
    return MarketSample(now_ms, {"SPY": SymbolSample(updates=updates)}, {"SPY": trades})


def test_rates_are_differences_over_the_time_between() -> None:
    pulse = Pulse()
    for moment in (market(1_000, 100, 10), market(2_000, 150, 12), market(4_000, 150, 18)):
        pulse.add(moment)
    assert pulse.lines() == {"SPY": {"depth": [50.0, 0.0], "trades": [2.0, 3.0]}}


def test_numbers_that_began_anew_are_no_negative_rate() -> None:
    pulse = Pulse()
    for moment in (market(1_000, 100, 10), market(2_000, 3, 1)):
        pulse.add(moment)
    assert pulse.lines() == {"SPY": {"depth": [0.0], "trades": [0.0]}}


def test_a_line_is_a_minute_long() -> None:
    pulse = Pulse()
    for second in range(RATES + 9):
        pulse.add(market(second * 1_000, second * 5, 0))
    assert pulse.lines()["SPY"]["depth"] == [5.0] * RATES


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ({"feed": "depth", "symbol": "SPY", "from_ts": "70", "to_ts": "90"}, True),
        ({"feed": "depth", "symbol": "", "from_ts": "70", "to_ts": "90"}, True),
        ({"feed": "depth", "symbol": "QQQ", "from_ts": "70", "to_ts": "90"}, False),
        ({"feed": "trades", "symbol": "SPY", "from_ts": "70", "to_ts": "90"}, False),
        ({"feed": "depth", "symbol": "SPY", "from_ts": "20", "to_ts": "49"}, False),
    ],
)
def test_a_band_is_a_loss_of_this_depth_that_reaches_into_the_picture(
    entry: dict[str, str], shown: bool
) -> None:
    band = {"from_ms": 70, "to_ms": 90, "why": ""}
    assert bands([entry], "SPY", 50) == ([band] if shown else [])
