from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.control.trade_feed import Splice
from shared.market.trade import Trade
from tests.unit.control.spliced import RTV, TBT, print_of

MOST_LAG_S = 1.0


class Entry(NamedTuple):
    """One print of the tape: how long after the one before, and how late each feed is."""

    gap_s: float
    price: float
    size: int
    rtv_lag_s: float
    tbt_lag_s: float
    # Whether RTVolume sums it with the one before.
    joins: bool


class Arrival(NamedTuple):
    at_s: float
    trade: Trade
    summed: bool


ENTRIES = st.lists(
    st.builds(
        Entry,
        gap_s=st.sampled_from([0.0, 0.0, 0.01, 0.25, 0.9, 5.0]),
        price=st.sampled_from([10.0, 10.01]),
        size=st.sampled_from([100, 100, 200, 300]),
        rtv_lag_s=st.floats(0.01, MOST_LAG_S),
        tbt_lag_s=st.floats(0.01, MOST_LAG_S),
        joins=st.booleans(),
    ),
    max_size=60,
)


def arrivals(tape: list[Entry], from_s: float, to_s: float, sums: bool) -> list[Arrival]:
    """Both feeds' prints in the order of their arrival; each feed keeps the tape's order."""
    now_s, rtv_s, tbt_s = 100.0, 0.0, 0.0
    rtv: list[Arrival] = []
    tbt: list[Arrival] = []
    for entry in tape:
        now_s += entry.gap_s
        rtv_s = max(rtv_s, now_s + entry.rtv_lag_s)
        trade = print_of(RTV, now_s, entry.size, entry.price)
        last = rtv[-1].trade if rtv else None
        same = last is not None and last.price == trade.price and last.ts_ms == trade.ts_ms
        if sums and entry.joins and same and last is not None:
            size = last.size + entry.size
            rtv[-1] = Arrival(rtv_s, print_of(RTV, now_s, size, entry.price), True)
        else:
            rtv.append(Arrival(rtv_s, trade, sums))
        tbt_s = max(tbt_s, now_s + entry.tbt_lag_s)
        if now_s > from_s and tbt_s < to_s:
            tbt.append(Arrival(tbt_s, print_of(TBT, now_s, entry.size, entry.price), False))
    return sorted(rtv + tbt, key=lambda arrival: arrival.at_s)


def spliced(tape: list[Entry], from_s: float, to_s: float, sums: bool) -> list[Trade]:
    """What goes out when tick by tick runs from `from_s` to `to_s` beside RTVolume."""
    splice, out = Splice(), list[Trade]()
    splice.started(RTV)
    started = ended = False
    for arrival in arrivals(tape, from_s, to_s, sums):
        if not started and arrival.at_s >= from_s:
            splice.started(TBT)
            started = True
        if not ended and arrival.at_s >= to_s:
            out += splice.ended(TBT)
            ended = True
        out += splice.due(arrival.at_s)
        out += splice.take(arrival.trade, arrival.summed, arrival.at_s)
    return out + splice.lost()


@settings(max_examples=60, deadline=None)
@given(tape=ENTRIES, from_s=st.floats(95, 110), lasts_s=st.floats(0, 20))
def test_every_print_goes_out_once_wherever_a_stream_begins_and_ends(
    tape: list[Entry], from_s: float, lasts_s: float
) -> None:
    out = spliced(tape, from_s, from_s + lasts_s, sums=False)
    expected = Counter((entry.price, entry.size) for entry in tape)
    assert Counter((trade.price, trade.size) for trade in out) == expected


@settings(max_examples=60, deadline=None)
@given(tape=ENTRIES, from_s=st.floats(95, 110), lasts_s=st.floats(0, 20))
def test_volume_is_kept_where_rtvolume_sums_prints(
    tape: list[Entry], from_s: float, lasts_s: float
) -> None:
    out = spliced(tape, from_s, from_s + lasts_s, sums=True)
    for price in (10.0, 10.01):
        shown = sum(trade.size for trade in out if trade.price == price)
        assert shown == sum(entry.size for entry in tape if entry.price == price)
