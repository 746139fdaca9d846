"""Rows that come late, all at once, in a bad order, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import Entry, holes
from tests.support.depth_rig import DepthPlan, DepthRig, running_depth
from tests.support.gateway_process import BASE_PRICES

# Prices of a symbol stay this close to where they start; the next symbol's are farther away.
NEAR: Final = 0.06
LATE_TURNS: Final = 12
STRAYS: Final = 25


@pytest.fixture(scope="module")
def rig(module_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepthRig]:
    """Three symbols that are never rotated; a sweep locks the book for an instant."""
    flags = ("--rate", "50", "--style", "replace", "--transit", "crossed")
    home = tmp_path_factory.mktemp("rows")
    with running_depth(home, module_redis_url, DepthPlan(gateway=flags)) as started:
        started.wait_fresh(15)
        yield started


def foreign_rows(symbol: str, entries: list[Entry]) -> list[list[Any]]:
    base = BASE_PRICES[symbol]
    rows = [row for entry in entries for row in (*entry.bids, *entry.asks)]
    return [row for row in rows if row[0] is not None and abs(row[0] / base - 1) > NEAR]


def unsorted_sides(entries: list[Entry]) -> list[Entry]:
    def ordered(side: list[list[Any]], sign: int) -> bool:
        prices = [sign * row[0] for row in side if row[0] is not None]
        return prices == sorted(prices) and None not in [row[0] for row in side[: len(prices)]]

    return [e for e in entries if not (ordered(e.bids, -1) and ordered(e.asks, 1))]


def test_rows_after_a_cancel_reach_no_book_and_are_counted(start_depth: StartDepth) -> None:
    venues = {symbol: ("ISLAND",) for symbol in BASE_PRICES}
    rig = start_depth(
        DepthPlan(
            venues, ibkr={"rotation_s": 1.0}, gateway=("--rate", "50", "--late-rows-ms", "400")
        )
    )
    rig.wait_until(lambda: rig.gateway.stats()["cancelled"] >= LATE_TURNS, 20, "turns")
    rig.gateway.call("stray_rows", rows=STRAYS)
    rig.gateway.call("pause")
    records = rig.gateway.records()
    sent = sum(record["rows"] for record in records)
    assert sum(record["late_rows"] for record in records) > 100

    def accounted() -> bool:
        metrics = rig.keys.metrics()
        return bool(metrics["updates"] + metrics["stragglers"] == sent + STRAYS)

    rig.wait_until(accounted, 5, f"{sent} rows and {STRAYS} strays accounted for")
    for symbol in venues:
        entries = rig.keys.entries(symbol)
        assert foreign_rows(symbol, entries) == [], symbol
        assert {entry.venue for entry in entries} == {"NASDAQ"}
    stored = sum(rig.keys.last_seq(symbol) for symbol in venues)
    assert stored == rig.keys.metrics()["updates"]


def test_a_reset_empties_the_book_until_it_is_refilled(rig: DepthRig) -> None:
    before, req_id = rig.keys.last_seq("SPY"), rig.gateway.live_ids()["SPY"]
    rig.gateway.call("reset", symbol="SPY", refill_after_ms=1500)
    rig.wait_until(lambda: rig.keys.venue_book("SPY", "ARCA")["state"] == "reset", 3, "state reset")
    assert rig.keys.venue_book("SPY", "ARCA")["bids"] == [[None, 0, None]] * 10
    rig.wait_until(lambda: rig.keys.live_venues("SPY") is None, 1.4, "ownership withdrawn")
    assert "bid" not in rig.keys.hash("market:SPY:ticker")
    rig.wait_until(lambda: rig.keys.venue_book("SPY", "ARCA")["state"] == "live", 4, "state live")
    rig.wait_until(lambda: rig.keys.live_venues("SPY") == ["ARCA"], 3, "ownership back")
    later = [entry for entry in rig.keys.entries("SPY") if entry.seq > before]
    assert [entry.empty for entry in later].count(True) == 1
    assert rig.gateway.live_ids()["SPY"] == req_id


def test_books_locked_in_transit_are_no_fault(rig: DepthRig) -> None:
    rig.wait_until(lambda: rig.keys.last_seq("QQQ") > 300, 15, "300 rows")
    entries = rig.keys.entries("QQQ")
    two_sided = [e for e in entries if e.bids[0][0] and e.asks[0][0]]
    assert any(entry.bids[0][0] >= entry.asks[0][0] for entry in two_sided)
    assert unsorted_sides(entries) == []
    assert rig.keys.incidents("integrity") == []


def test_a_book_that_stays_crossed_is_resubscribed_once(rig: DepthRig) -> None:
    opened = len(rig.gateway.records("SPY"))
    rig.gateway.call("cross", symbol="SPY")
    rig.wait_until(lambda: rig.keys.incidents("integrity", "SPY"), 4, "an integrity incident")
    rig.wait_until(lambda: len(rig.gateway.records("SPY")) == opened + 1, 3, "a new request")
    assert "crossed" in rig.keys.incidents("integrity", "SPY")[0]["text"]
    rig.wait_fresh(3)
    rig.wait_until(lambda: rig.keys.json("market:SPY:book")["crossed"], 3, "crossed published")
    seen = rig.keys.last_seq("SPY")
    # Still crossed for some seconds more: the next repair comes after a minute at the earliest.
    rig.wait_until(lambda: rig.keys.last_seq("SPY") > seen + 120, 10, "120 more rows")
    assert len(rig.gateway.records("SPY")) == opened + 1
    assert rig.keys.metrics()["crossed_books"] >= 1
    assert [gap.reason[:9] for gap in rig.keys.gaps("SPY")] == ["integrity"]
    rig.gateway.call("heal", symbol="SPY")


def test_a_book_that_stays_unsorted_is_published_sorted_and_repaired(rig: DepthRig) -> None:
    req_id = rig.gateway.live_ids()["QQQ"]
    rig.gateway.call("unsort", symbol="QQQ", heal_on_resubscribe=True)
    rig.wait_until(lambda: rig.keys.incidents("integrity", "QQQ"), 4, "an integrity incident")
    rig.wait_until(lambda: rig.gateway.live_ids().get("QQQ", req_id) != req_id, 3, "a new request")
    rig.wait_fresh(3, ["QQQ"])
    assert unsorted_sides(rig.keys.entries("QQQ")) == []
    assert [gap.reason[:9] for gap in rig.keys.gaps("QQQ")] == ["integrity"]


def test_a_symbol_gone_mute_is_resubscribed_alone(rig: DepthRig) -> None:
    before = rig.gateway.live_ids()
    rig.gateway.call("freeze", symbol="TSLA")
    rig.wait_until(lambda: rig.keys.incidents("mute", "TSLA"), 8, "an incident of kind mute")
    rig.wait_until(
        lambda: rig.gateway.live_ids().get("TSLA") not in (None, before["TSLA"]), 3, "a new request"
    )
    rig.gateway.call("thaw", symbol="TSLA")
    rig.wait_fresh(4, ["TSLA"])
    after = rig.gateway.live_ids()
    assert {s for s in before if before[s] != after[s]} == {"TSLA"}
    assert [gap.reason for gap in rig.keys.gaps("TSLA")] == ["mute"]


def test_a_halted_book_is_asked_for_again(rig: DepthRig) -> None:
    req_id = rig.gateway.live_ids()["TSLA"]
    rig.gateway.call("halt", symbol="TSLA")
    rig.wait_fresh(8, ["TSLA"])
    assert rig.gateway.live_ids()["TSLA"] != req_id
    assert rig.gateway.mistakes() == {}


def test_every_row_of_a_burst_has_its_entry(rig: DepthRig) -> None:
    rig.gateway.call("set", rate=0)
    rig.gateway.call("burst", symbol="QQQ", rows=20_000)

    def accounted() -> bool:
        metrics = rig.keys.metrics()
        seen = metrics["updates"] + metrics["stragglers"]
        return bool(seen == rig.gateway.stats()["rows_total"] and metrics["queue_depth"] == 0)

    rig.wait_until(accounted, 15, "every row accounted for")
    assert rig.keys.last_seq("QQQ") > 20_000
    assert [holes(rig.keys.seqs(symbol)) for symbol in rig.symbols] == [set()] * 3
    # One entry per row of a live request, and one per reset.
    metrics = rig.keys.metrics()
    assert sum(map(rig.keys.last_seq, rig.symbols)) == metrics["updates"] + metrics["resets"]
    rig.gateway.call("set", rate=50)
