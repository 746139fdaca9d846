"""Every key of the depth worker as the Redis contract states it, read from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.depth_rig import DepthPlan, DepthRig, running_depth

VENUES: Final = ("ARCA", "BATS")
# SPY's two venues hold two of three slots, 18 others take turns on the third: the rotation window
# is ceil((20 - 2) / (3 - 2)) x (2 s dwell + 0.5 s cool-down) = 45 s.
OTHERS: Final = [f"QA{letter}" for letter in "ABCDEFGHIJKLMNOPQR"]
HB_TTL_S: Final = 45
VENUE_BOOK_TTL_S: Final = 68
SIDE: Final = {"bids", "asks"}
KNOWN_KEYS: Final = re.compile(
    r"raw:ibkr:depth:(stream|last|hb):\w+|market:\w+(:\w+)?:book|market:\w+:ticker"
    r"|heartbeat:(ibkr_depth|ibkr_ingestion)|ibkr:connected"
    r"|monitoring:(ibkr:metrics|gaps|depth:coverage|depth:rotation|incidents)"
    r"|coord:(source|lease:ibkr_depth|depth:live:\w+|depth:fallback|quote:ts)"
)


@pytest.fixture(scope="module")
def rig(module_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepthRig]:
    plan = DepthPlan(
        venues={"SPY": VENUES, **{symbol: ("ISLAND",) for symbol in OTHERS}},
        pinned=("SPY",),
        ibkr={"depth_stale_s": 30.0},
        gateway=("--rate", "50"),
    )
    with running_depth(tmp_path_factory.mktemp("keys"), module_redis_url, plan) as started:
        started.wait_until(lambda: started.keys.rotation("cancel"), 15, "a first rotation")
        yield started


@pytest.fixture
def still(rig: DepthRig) -> Iterator[DepthRig]:
    """No row is on its way: what Redis holds belongs together."""
    rig.gateway.call("pause")
    rig.wait_until(lambda: settled(rig), 5, "the last row stored")
    yield rig
    rig.gateway.call("resume")


def settled(rig: DepthRig) -> bool:
    rows = sum(record["rows"] for record in rig.gateway.records("SPY"))
    return bool(rig.keys.last_seq("SPY") == rows)


def parked_symbol(rig: DepthRig) -> str:
    return rig.keys.rotation("cancel")[0]["symbol"]


def ttl(rig: DepthRig, key: str) -> int:
    return int(str(rig.keys.redis.ttl(key)))


def check_side(rows: list[list[Any]], best_is_highest: bool) -> None:
    assert [len(row) for row in rows] == [3] * 10
    levels = [row for row in rows if row[0] is not None]
    assert rows[len(levels) :] == [[None, 0, None]] * (10 - len(levels))
    prices = [row[0] for row in levels]
    assert prices == sorted(prices, reverse=best_is_highest)
    assert all(price > 0 and price == round(price, 4) for price in prices)
    assert all(size > 0 and venue for _, size, venue in levels)


def test_no_key_outside_the_contract_exists(rig: DepthRig) -> None:
    names: Any = rig.keys.redis.keys("*")
    assert [name for name in names if not KNOWN_KEYS.fullmatch(name)] == []


def test_nothing_in_redis_is_nan_or_infinite(rig: DepthRig) -> None:
    texts = [f"{fields}" for _, fields in rig.keys.stream("raw:ibkr:depth:stream:SPY")]
    texts += [str(rig.keys.hash(f"market:SPY:{name}")) for name in ("ticker",)]
    texts += [str(rig.keys.text(f"market:SPY:{name}")) for name in ("book", "ARCA:book")]
    texts += [str(rig.keys.metrics()), str(rig.keys.hash("monitoring:depth:coverage"))]
    assert [text for text in texts if re.search(r"nan|inf(inity)?\b", text, re.IGNORECASE)] == []


def test_a_stream_entry_has_exactly_its_five_fields_and_no_expiry(rig: DepthRig) -> None:
    found = rig.keys.stream("raw:ibkr:depth:stream:SPY")
    assert {tuple(sorted(fields)) for _, fields in found} == {
        ("asks", "bids", "seq", "ts", "venue")
    }
    assert ttl(rig, "raw:ibkr:depth:stream:SPY") == -1


def test_every_published_side_is_sorted_and_has_ten_rows(rig: DepthRig) -> None:
    entries = rig.keys.entries("SPY")
    assert len(entries) > 100
    for entry in entries:
        check_side(entry.bids, best_is_highest=True)
        check_side(entry.asks, best_is_highest=False)
        assert entry.venue in VENUES


def test_seq_counts_every_row_of_all_venues_from_1(still: DepthRig) -> None:
    seqs = still.keys.seqs("SPY")
    assert seqs == list(range(1, still.gateway.rows_sent("SPY") + 1))


def test_the_last_hash_is_the_newest_entry(still: DepthRig) -> None:
    last = still.keys.hash("raw:ibkr:depth:last:SPY")
    entry_id, newest = still.keys.stream("raw:ibkr:depth:stream:SPY")[-1]
    expected = {name: newest[name] for name in ("ts", "seq", "venue")}
    best = still.keys.entries("SPY")[-1]
    assert last == {
        **expected,
        "bids_json": newest["bids"],
        "asks_json": newest["asks"],
        "bid0": str(best.bids[0][0]),
        "ask0": str(best.asks[0][0]),
    }
    assert ttl(still, "raw:ibkr:depth:last:SPY") == -1


def test_the_depth_heartbeat_lives_as_long_as_the_rotation_window(rig: DepthRig) -> None:
    assert HB_TTL_S - 5 <= ttl(rig, "raw:ibkr:depth:hb:SPY") <= HB_TTL_S
    assert abs(rig.keys.received_ms("SPY") - rig.keys.entries("SPY")[-1].ts) < 1000


@pytest.mark.parametrize("venue", VENUES)
def test_a_venue_book_is_the_gateways_own_book(still: DepthRig, venue: str) -> None:
    book = still.keys.venue_book("SPY", venue)
    true = still.gateway.call("book", symbol="SPY", venue=venue)
    newest = [entry for entry in still.keys.entries("SPY") if entry.venue == venue][-1]
    assert book == {
        "symbol": "SPY",
        "venue": venue,
        "ts": newest.ts,
        "received_ts": newest.ts,
        "seq": newest.seq,
        **{side: [[price, size, venue] for price, size, _ in true[side][:10]] for side in SIDE},
        "state": "live",
    }
    assert VENUE_BOOK_TTL_S - 5 <= ttl(still, f"market:SPY:{venue}:book") <= VENUE_BOOK_TTL_S


def test_the_merged_book_is_that_of_all_live_venues(still: DepthRig) -> None:
    books = [still.keys.venue_book("SPY", venue) for venue in VENUES]
    bids = sorted((row for book in books for row in book["bids"]), key=lambda r: (-r[0], -r[1]))
    asks = sorted((row for book in books for row in book["asks"]), key=lambda r: (r[0], -r[1]))
    merged = still.keys.json("market:SPY:book")
    levels = {side: [row[:2] for row in merged[side]] for side in SIDE}
    assert levels == {"bids": [r[:2] for r in bids[:10]], "asks": [r[:2] for r in asks[:10]]}
    newest_ts = max(book["ts"] for book in books)
    assert {name: merged[name] for name in merged.keys() - SIDE} == {
        "symbol": "SPY",
        "venues": list(VENUES),
        "ts": newest_ts,
        "received_ts": newest_ts,
        "crossed": bids[0][0] > asks[0][0],
    }
    assert 0 < ttl(still, "market:SPY:book") <= 60


def test_the_ticker_holds_the_best_quote_over_all_venues(still: DepthRig) -> None:
    merged = still.keys.json("market:SPY:book")
    ticker = still.keys.hash("market:SPY:ticker")
    (bid, bid_size, bid_venue), (ask, ask_size, ask_venue) = merged["bids"][0], merged["asks"][0]
    ts = ticker.pop("ts")
    numbers = {name: float(ticker.pop(name)) for name in ("mid", "spread", "spread_bps")}
    assert ticker == {
        **{"bid": str(bid), "bid_size": str(bid_size), "bid_venue": bid_venue},
        **{"ask": str(ask), "ask_size": str(ask_size), "ask_venue": ask_venue},
        **{"quote_ts": str(merged["ts"]), "quote_received_ts": str(merged["ts"])},
        "quote_source": "depth",
    }
    mid = (bid + ask) / 2
    assert numbers == pytest.approx(
        {"mid": mid, "spread": ask - bid, "spread_bps": (ask - bid) / mid * 10_000}, abs=1e-4
    )
    assert int(ts) == merged["ts"]
    assert 0 < ttl(still, "market:SPY:ticker") <= 60


def test_rows_of_market_makers_name_the_maker(rig: DepthRig) -> None:
    rows = rig.keys.entries(parked_symbol(rig))[-1].bids
    makers = {row[2] for row in rows if row[2]}
    assert "NSDQ" in makers or len(makers) > 1
    assert rig.keys.entries(parked_symbol(rig))[-1].venue == "NASDAQ"
