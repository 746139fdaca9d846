from __future__ import annotations

import random
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from shared.control.freshness import Freshness, FreshnessPolicy, Stale
from shared.market.session import TradingDay, session_at
from shared.session.calendar import MarketCalendar
from tests.unit.control.trading_days import SYMBOLS, VENUES, WORKERS, Mute, Surface, World, of

NEW_YORK: Final = ZoneInfo("America/New_York")
POLICY: Final = FreshnessPolicy(
    depth_s=15, quotes_s=30, trades_s=120, bars_s=20, options_s=60, sentiment_s=900,
    technicals_s=300, heartbeat_s=6, slowdown=6.0,
)  # fmt: skip
TICK_S: Final = 10.0
MARKET: Final = ("depth", "quotes", "trades", "bars")
VENDOR: Final = ("options", "sentiment", "technicals")
# Clocks went back on the 1st of November; Thanksgiving, then a day that ends at 13:00.
STRETCHES: Final = (
    (date(2026, 10, 29), date(2026, 11, 4)),
    (date(2026, 11, 24), date(2026, 12, 1)),
)


def choices(rng: random.Random) -> frozenset[Surface]:
    """One symbol, one surface, one venue, the gateway's farm or the vendor."""
    kind = rng.choice(("symbol", "surface", "venue", "farm", "vendor"))
    if kind == "symbol":
        return of((*MARKET, *VENDOR), [rng.choice(SYMBOLS)])
    if kind == "surface":
        return of([rng.choice((*MARKET, *VENDOR))], SYMBOLS)
    if kind == "venue":
        venue = rng.choice(sorted(set(VENUES.values())))
        return of(["depth"], [one for one in SYMBOLS if VENUES[one] == venue])
    return of(MARKET if kind == "farm" else VENDOR, SYMBOLS)


def mutes_of(day: TradingDay, rng: random.Random) -> list[Mute]:
    """Two a day, each long enough for the slowest budget of the active symbols."""
    opens_s, closes_s = day.opens_ms / 1000, day.closes_ms / 1000
    half_s = (closes_s - opens_s) / 2
    found = []
    for part in range(2):
        from_s = opens_s + part * half_s + rng.uniform(600, half_s - 4200)
        found.append(Mute(choices(rng), from_s, from_s + 2400))
    return found


class Watch:
    """Runs the judge over a stretch of days and keeps when what was reported."""

    def __init__(self, seed: int, first: date, last: date) -> None:
        rng = random.Random(seed)
        calendar = MarketCalendar("XNYS")
        begin_s = datetime(first.year, first.month, first.day, 3, tzinfo=NEW_YORK).timestamp()
        self.end_s = datetime(last.year, last.month, last.day, 21, tzinfo=NEW_YORK).timestamp()
        self.days = [
            one
            for one in calendar.days(round(begin_s * 1000))
            if begin_s <= one.opens_ms / 1000 <= self.end_s
        ]
        self.mutes = [mute for day in self.days for mute in mutes_of(day, rng)]
        self.world = World(seed, self.trades_at, self.mutes)
        self.judge = Freshness(POLICY, WORKERS, round(begin_s * 1000))
        self.calendar_days = calendar.days(round(begin_s * 1000))
        self.begin_s = begin_s
        # When, what was reported, and of what something had been withheld.
        self.reports: list[tuple[float, dict[str, Stale], set[Surface]]] = []

    def trades_at(self, now_s: float) -> bool:
        return any(one.opens_ms <= now_s * 1000 < one.closes_ms for one in self.days)

    def run(self) -> None:
        now_s = self.begin_s
        while now_s < self.end_s:
            self.world.advance(now_s)
            session = session_at(round(now_s * 1000), self.calendar_days, "XNYS")
            seen = self.world.observation(session, self.begin_s)
            self.reports.append((now_s, self.judge.judge(seen), set(self.world.withheld)))
            now_s += TICK_S if self.trades_at(now_s) else 60.0

    def fields_of(self, mute: Mute) -> set[str]:
        return {f"{surface}:{symbol}" for surface, symbol in mute.surfaces}


@pytest.fixture(scope="module", params=range(len(STRETCHES)))
def watch(request: pytest.FixtureRequest) -> Watch:
    found = Watch(request.param + 1, *STRETCHES[request.param])
    found.run()
    return found


def test_the_days_are_those_that_are_hard(watch: Watch) -> None:
    assert len(watch.days) == 5
    dates = [one.date for one in watch.days]
    assert "2026-11-26" not in dates
    assert [one.date for one in watch.days if one.early_close] == (
        ["2026-11-27"] if dates[0] > "2026-11-10" else []
    )


def test_nothing_is_reported_that_is_not_mute(watch: Watch) -> None:
    wrong = [
        (now_s, one)
        for now_s, stale, withheld in watch.reports
        for one in stale.values()
        if (one.surface, one.symbol) not in withheld
    ]
    assert wrong == []


def test_what_is_mute_is_reported_within_its_budget_and_a_tick(watch: Watch) -> None:
    late, quiet = [], 0
    for mute in watch.mutes:
        for field in sorted(watch.fields_of(mute)):
            first = next(
                (
                    (now_s, stale[field])
                    for now_s, stale, _ in watch.reports
                    if mute.from_s <= now_s < mute.to_s and field in stale
                ),
                None,
            )
            if first is None:
                quiet += 1
                assert is_excused(watch, mute, field), (field, mute)
            elif first[0] - first[1].since_ms / 1000 > TICK_S:
                late.append((field, first))
    assert late == []


def is_excused(watch: Watch, mute: Mute, field: str) -> bool:
    """A symbol whose own pauses are long, and a bar of which no trade is proof."""
    surface, _, symbol = field.partition(":")
    if surface == "bars":
        return ("trades", symbol) in mute.surfaces or symbol in SYMBOLS[-3:]
    return surface in ("trades", "depth") and symbol in SYMBOLS[-3:]


def test_nothing_is_reported_outside_the_session(watch: Watch) -> None:
    outside = [stale for now_s, stale, _ in watch.reports if not watch.trades_at(now_s)]
    assert len(outside) > 1000
    assert {field for stale in outside for field in stale} == set()
