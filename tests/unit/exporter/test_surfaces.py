from __future__ import annotations

from typing import Any

from shared.exporter import surfaces
from shared.market.observation import DepthSeen, Observation
from shared.market.session import Session
from shared.store.ops_reader import StaleSeen
from shared.views.wall import SURFACES, Cell, Row
from tests.unit.exporter.samples import EXPECTED, NOW_MS, exported, of, told

STALE = {"age_s": 40.0, "budget_s": 15.0, "since_ts": NOW_MS, "reason": "mute: nothing comes"}
NOTHING = Cell("absent")


def row(symbol: str, **cells: Cell) -> Row:
    return Row(symbol, "", None, tuple(cells.get(name, NOTHING) for name in SURFACES))


def tell(*rows: Row, **changes: Any) -> dict[str, float]:
    return told(lambda sheet: surfaces.tell(sheet, exported(**changes), rows, EXPECTED))


def test_an_age_stands_beside_its_budget() -> None:
    found = tell(row("SPY", depth=Cell("ok", NOW_MS - 2_500, 15.0)))
    assert of(found, "feed_age_seconds") == {'feed="depth",symbol="SPY"': 2.5}
    assert of(found, "feed_budget_seconds") == {'feed="depth",symbol="SPY"': 15.0}
    assert of(found, "feed_stale") == {'feed="depth",symbol="SPY"': 0}


def test_what_is_not_expected_has_no_age() -> None:
    found = tell(row("SPY", depth=Cell("refused", NOW_MS, 15.0), sentiment=NOTHING))
    assert of(found, "feed_age_seconds") == of(found, "feed_stale") == {}


def test_what_never_came_has_a_budget_and_no_age() -> None:
    found = tell(row("SPY", trades=Cell("ok", None, 120.0)))
    assert of(found, "feed_age_seconds") == {}
    assert of(found, "feed_budget_seconds") == {'feed="trades",symbol="SPY"': 120.0}


def test_the_watchdog_says_what_is_stale_and_why_in_one_word() -> None:
    stale = StaleSeen({"depth:SPY": STALE}, NOW_MS - 500)
    rows = [row(one, depth=Cell("ok", NOW_MS - 40_000, 15.0)) for one in ("SPY", "QQQ")]
    found = tell(*rows, stale=stale)
    assert of(found, "feed_stale") == {
        'feed="depth",symbol="SPY"': 1,
        'feed="depth",symbol="QQQ"': 0,
    }
    assert of(found, "feed_stale_reason") == {'feed="depth",reason="mute",symbol="SPY"': 1}


def test_while_nobody_looks_nothing_is_called_fresh() -> None:
    cell = row("SPY", depth=Cell("ok", NOW_MS, 15.0))
    for stale in (StaleSeen(), StaleSeen({"depth:SPY": STALE}, NOW_MS - 7_100)):
        found = tell(cell, stale=stale)
        assert of(found, "feed_stale") == of(found, "feed_stale_reason") == {}
        assert of(found, "feed_age_seconds") == {'feed="depth",symbol="SPY"': 0}


def test_numbers_and_coverage_are_told_of_symbols_of_the_universe_alone() -> None:
    found = tell(
        row("SPY"),
        numbers={"trades:SPY": 40, "bars:SPY": 8, "trades:EVIL": 9, "junk": 1},
        updates={"SPY": 154},
        live=frozenset(("SPY",)),
        coverage={"SPY": {"live_s": 4.5, "share": 0.2, "subscriptions": 1}, "EVIL": {"share": 1}},
    )
    assert [name for name in found if "EVIL" in name] == []
    assert found['trades_total{symbol="SPY"}'] == 40
    assert found['bar_writes_total{symbol="SPY"}'] == 8
    assert found['depth_updates_total{symbol="SPY"}'] == 154
    assert found['depth_live{symbol="SPY"}'] == 1
    assert found['depth_coverage_ratio{symbol="SPY"}'] == 0.2


def test_refusals_name_symbol_and_venue() -> None:
    refused: dict[str, Any] = {"SPY:ARCA": {}, "EVIL:ARCA": {}, "SPY:" + "x" * 40: {}, "SPY": {}}
    found = of(tell(row("SPY"), refused=refused), "depth_refused")
    assert found == {'symbol="SPY",venue="ARCA"': 1}


def test_every_venue_of_a_symbol_has_an_age_and_may_hold_a_slot() -> None:
    depth = {
        ("SPY", "ARCA"): DepthSeen(NOW_MS - 1_500, NOW_MS - 9_000),
        ("SPY", "NASDAQ"): DepthSeen(None, None),
        ("SPY", "IEX"): DepthSeen(NOW_MS, NOW_MS, "(10092) no deep data"),
        ("SPY", 'x"' * 20): DepthSeen(NOW_MS, NOW_MS),
    }
    session = Session("XNYS", "2026-11-27", "regular", 1, 2, None, False, True)
    observed = Observation(NOW_MS, session, depth=depth)
    found = told(lambda sheet: surfaces.tell_venues(sheet, observed))
    assert found == {
        'depth_venue_age_seconds{symbol="SPY",venue="ARCA"}': 1.5,
        'depth_venue_slot{symbol="SPY",venue="ARCA"}': 1,
        'depth_venue_slot{symbol="SPY",venue="NASDAQ"}': 0,
    }


def test_losses_are_counted_by_feed_and_symbol_from_zero_on() -> None:
    gaps = {("depth", "SPY", "yes"): 2, ("depth", "SPY", "unknown"): 1, ("bars", "", "no"): 4}
    found = tell(row("SPY"), gaps=gaps, lost={("depth", "SPY", "yes"): 17})
    entries = of(found, "gaps_total")
    assert len(entries) == 9
    assert {name: count for name, count in entries.items() if count} == {
        'feed="depth",lost="yes"': 2,
        'feed="depth",lost="unknown"': 1,
        'feed="bars",lost="no"': 4,
    }
    items = of(found, "gap_items_total")
    assert len(items) == 6
    assert {name: count for name, count in items.items() if count} == {
        'feed="depth",symbol="SPY"': 17
    }


def test_incidents_are_counted_by_worker_and_kind() -> None:
    found = tell(incidents={("guardian", "restart"): 3})
    assert of(found, "incidents_total") == {'kind="restart",worker="guardian"': 3}
