from __future__ import annotations

from typing import Final

import pytest

from shared.market.nbbo import FieldValue
from tests.unit.feeds.ticking import ASK, BID, DELAYED, NOW_MS, Rig

DELAYED_BID, DELAYED_ASK = b"1|6|7|66|585.33|18|0|", b"1|6|7|67|585.35|20|0|"
LIVE = b"58|1|7|1|"
WHOLE_QUOTE: Final[dict[str, FieldValue]] = {
    "bid": 585.33,
    "bid_size": 18,
    "bid_venue": "SMART",
    "ask": 585.35,
    "ask_size": 20,
    "ask_venue": "SMART",
    "mid": 585.34,
    "spread": 0.02,
    "spread_bps": 0.3417,
}


def test_bid_and_ask_of_one_slice_are_published_once_and_whole() -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    assert rig.outlet.quotes == [(WHOLE_QUOTE, NOW_MS, False)]


def test_every_slice_publishes_what_it_changed() -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.slice(b"2|6|7|0|25|")
    assert rig.outlet.quotes[1:] == [({**WHOLE_QUOTE, "bid_size": 25}, NOW_MS, False)]


def test_a_quote_that_is_told_again_is_published_with_its_new_time() -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.rows.now_ms = NOW_MS + 500
    rig.slice(BID)
    assert rig.outlet.quotes[1:] == [(WHOLE_QUOTE, NOW_MS + 500, False)]


@pytest.mark.parametrize("frame", [b"1|6|7|6|590.1|0|0|", b"46|6|7|45|1381152600|", b"2|6|7|8|99|"])
def test_ticks_that_are_no_part_of_a_quote_publish_none(frame: bytes) -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.rows.now_ms = NOW_MS + 500
    rig.slice(frame)
    assert len(rig.outlet.quotes) == 1


@pytest.mark.parametrize("price", [b"-1", b"-1.0", b"0", b"NaN", b"", b"Infinity"])
def test_a_price_that_is_none_leaves_its_side_empty(price: bytes) -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.slice(b"1|6|7|1|" + price + b"|0|0|")
    assert rig.outlet.quotes[-1][0] == {
        **dict.fromkeys(WHOLE_QUOTE), "ask": 585.35, "ask_size": 20, "ask_venue": "SMART",
    }  # fmt: skip


def test_a_bid_without_a_size_is_not_shown() -> None:
    rig = Rig()
    rig.slice(b"1|6|7|1|585.33|0|0|", ASK)
    assert rig.outlet.quotes[-1][0] == {
        **dict.fromkeys(WHOLE_QUOTE), "ask": 585.35, "ask_size": 20, "ask_venue": "SMART",
    }  # fmt: skip


@pytest.mark.parametrize(
    "frames",
    [(DELAYED, BID, ASK), (b"58|1|7|4|", BID, ASK), (DELAYED_BID, DELAYED_ASK)],
    ids=["type 3", "type 4", "delayed ticks"],
)
@pytest.mark.parametrize(("allowed", "expected"), [(False, None), (True, WHOLE_QUOTE)])
def test_a_delayed_line_is_shown_only_where_it_is_allowed(
    frames: tuple[bytes, ...], allowed: bool, expected: dict[str, FieldValue] | None
) -> None:
    rig = Rig(allowed)
    rig.slice(*frames)
    assert rig.outlet.quotes == [(expected, NOW_MS, True)]


def test_a_line_that_turns_delayed_withdraws_its_live_quote_and_never_mixes_them() -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.slice(DELAYED)
    rig.slice(LIVE)
    rig.slice(BID)
    assert [values for values, _, _ in rig.outlet.quotes[1:3]] == [None, None]
    assert rig.outlet.quotes[3][0] == {
        **dict.fromkeys(WHOLE_QUOTE), "bid": 585.33, "bid_size": 18, "bid_venue": "SMART",
    }  # fmt: skip


def test_a_delayed_tick_of_any_kind_withdraws_the_live_quote() -> None:
    rig = Rig()
    rig.slice(BID, ASK)
    rig.rows.now_ms = NOW_MS + 500
    rig.slice(b"1|6|7|68|585.34|100|0|")
    assert rig.outlet.quotes[1:] == [(None, 0, True)]


def test_a_kind_of_data_that_cannot_be_read_is_counted_and_changes_nothing() -> None:
    rig = Rig()
    rig.slice(b"58|1|7|x|")
    assert (rig.counters.bad_ticks, rig.published(), rig.feed.unreadable) == (1, [], {})
