from __future__ import annotations

from simulators.tws.prints import PAST_LIMIT, UNREPORTED, RawPrint
from simulators.tws.quotes import Quote
from simulators.tws.trade_flow import FlowShape, TradeFlow

MS = 1_700_000_000_000
QUOTE = Quote(5_850_000, 300, 5_850_100, 200)
ORDINARY = FlowShape(0, 0, 0)


def flow_for(s: int, rate: float, shape: FlowShape = ORDINARY, seed: str = "x") -> list[RawPrint]:
    flow = TradeFlow(seed)
    flow.due(MS, rate, QUOTE, shape)
    return [p for ms in range(0, s * 1000, 5) for p in flow.due(MS + ms, rate, QUOTE, shape)]


def test_the_same_seed_trades_the_same() -> None:
    assert flow_for(20, 50) == flow_for(20, 50)
    assert flow_for(20, 50) != flow_for(20, 50, seed="y")


def test_the_rate_is_prints_per_second_on_average() -> None:
    assert 1_850 <= len(flow_for(20, 100)) <= 2_150


def test_prints_come_at_random_times_in_order() -> None:
    times = [p.ms for p in flow_for(20, 100)]
    assert times == sorted(times)
    assert len({b - a for a, b in zip(times, times[1:], strict=False)}) > 20


def test_an_ordinary_print_is_at_the_quote() -> None:
    prints = flow_for(20, 100)
    assert {p.price_e4 for p in prints} == {5_850_000, 5_850_100}
    assert {p.mask for p in prints} == {0}
    assert all(p.size >= 1 for p in prints)


def test_prints_come_from_several_venues_with_odd_lots_among_them() -> None:
    prints = flow_for(20, 100)
    assert {"Q", "P", "Z", "D"} <= {p.letter for p in prints}
    assert 0.2 < sum(p.size < 100 for p in prints) / len(prints) < 0.5


def test_the_share_of_unreported_prints_is_as_told() -> None:
    prints = flow_for(100, 100, FlowShape(0.1, 0, 0))
    unreported = [p for p in prints if p.mask & UNREPORTED]
    assert 0.08 < len(unreported) / len(prints) < 0.12
    assert {p.conditions for p in unreported} == {"W", "4", "B"}


def test_odd_prints_are_at_a_part_of_a_cent() -> None:
    odd = [p for p in flow_for(20, 100, FlowShape(0, 1, 0)) if p.price_e4 % 100]
    assert len(odd) > 1_000


def test_some_prints_are_past_limit() -> None:
    assert {p.mask for p in flow_for(20, 10, FlowShape(0, 0, 1))} == {PAST_LIMIT}


def test_no_rate_is_no_trade() -> None:
    assert flow_for(20, 0) == []


def test_a_skipped_time_has_no_trades_afterwards() -> None:
    flow = TradeFlow("x")
    flow.due(MS, 100, QUOTE, ORDINARY)
    flow.skip()
    assert flow.due(MS + 60_000, 100, QUOTE, ORDINARY) == []


def test_the_past_is_in_order_and_ends_near_the_quote() -> None:
    past = TradeFlow("x").past(MS, 600, 5, (QUOTE, ORDINARY))
    times = [p.ms for p in past]
    assert times == sorted(times)
    assert times[0] >= MS - 600_000
    assert times[-1] < MS
    assert 2_500 < len(past) <= 3_300
    assert past[-1].price_e4 in (5_850_000, 5_850_100)


def test_the_past_of_a_busy_symbol_is_thinned_out() -> None:
    assert len(TradeFlow("x").past(MS, 600, 10_000, (QUOTE, ORDINARY))) < 3_300


def test_no_history_is_no_past() -> None:
    assert TradeFlow("x").past(MS, 0, 5, (QUOTE, ORDINARY)) == []
