from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shared.control.backfill import Hole
from shared.errors import BadRow
from shared.feeds.ibkr.tick_history import Told
from shared.feeds.ibkr.tick_rows import TickRows
from shared.feeds.ibkr.tick_state import SymbolFeed, TickPolicy
from shared.feeds.ibkr.ticks import TickFeed
from shared.market.loss import Loss
from shared.market.trade import Trade, TradeFeed
from shared.settings import IbkrSettings
from tests.unit.feeds.bar_keeping import M, Outlet, in_loop, stock
from tests.unit.feeds.requesting import SPY, Wire

NOW_MS = (M + 50) * 1000 + 250
BID = b"1|6|7|1|585.33|18|0|"
WINDOW = Hole("SPY", M, M + 40, "disconnect", "trades")


class Desk:
    """Trades of SPY and QQQ; SPY's line is 7, frames come 50.25 s from `M` on."""

    def __init__(self, **settings: Any) -> None:
        self.outlet = Outlet()
        self.wire = Wire()
        self._settings = IbkrSettings(**({"backfill_trades": True} | settings))
        in_loop(self._make)

    def _make(self) -> None:
        outlet: Any = self.outlet
        policy = TickPolicy.from_settings(self._settings)
        self.feed = TickFeed([stock("SPY"), stock("QQQ")], policy, outlet, 20)
        session: Any = SimpleNamespace(ib=SimpleNamespace(client=self.wire))
        self.feed._state.session = session
        self.rows.lines[b"7"] = self.spy
        self.rows.now_ms = NOW_MS

    @property
    def rows(self) -> TickRows:
        return self.feed._requests.rows

    @property
    def spy(self) -> SymbolFeed:
        return self.feed._state.symbols["SPY"]

    def tell(self, *ticks: bytes, window: Hole = WINDOW) -> Told:
        return self.feed._tell_trades(window, frame(*ticks).split(b"|"))

    def told(self) -> list[tuple[float, float]]:
        """Second (from `M` on) and size of what was published."""
        return [(trade.ts_ms / 1000 - M, trade.size) for trade in self.outlet.trades]

    def first_tick(self) -> None:
        self.rows.on_line(BID.split(b"|"))

    def pending(self) -> list[tuple[int, int, str]]:
        holes = self.feed._state.backfill.pending("SPY", "trades")
        return [(hole.from_s - M, hole.to_s - M, hole.reason) for hole in holes]


def tick(at_s: int, size: int = 100) -> bytes:
    return b"%d|0|10.5|%d|ARCA||" % (M + at_s, size)


def frame(*ticks: bytes) -> bytes:
    return b"98|1|%d|" % len(ticks) + b"".join(ticks) + b"1|"


def live(at_s: int, size: float = 100, symbol: str = "SPY") -> Trade:
    return Trade(symbol, 10.5, size, None, (M + at_s) * 1000 + 5, 0, TradeFeed.RT_VOLUME)


@pytest.fixture
def at_100_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock stands 100 s from `M` on."""
    monkeypatch.setattr("shared.feeds.ibkr.ticks.time", SimpleNamespace(time=lambda: M + 100.0))


def test_trades_of_history_are_published_as_such() -> None:
    desk = Desk()
    desk.tell(tick(10))
    assert desk.outlet.trades == [
        Trade(
            "SPY", 10.5, 100, "ARCA", (M + 10) * 1000, NOW_MS, TradeFeed.HISTORY, "",
            past_limit=False, unreported=False,
        )
    ]  # fmt: skip


def test_trades_outside_of_the_window_are_left_out() -> None:
    desk = Desk()
    told = desk.tell(tick(-1, 1), tick(0, 2), tick(39, 3), tick(40, 4))
    assert (desk.told(), told) == ([(0, 2), (39, 3)], Told(2, 0, M + 40, False))


def test_trades_that_came_live_are_left_out_each_once() -> None:
    desk = Desk()
    desk.rows.publish(live(10))
    desk.rows.publish(live(12, 70))
    told = desk.tell(tick(10), tick(10), tick(11), tick(12, 70))
    assert (desk.told()[2:], told) == ([(10, 100), (11, 100)], Told(2, 0, M + 12, False))


def test_trades_that_an_earlier_run_published_are_left_out() -> None:
    desk = Desk()
    in_loop(desk.feed.recall, "SPY", [live(10)])
    assert (desk.tell(tick(10), tick(11)).new, desk.told()) == (1, [(11, 100)])


def test_trades_of_another_symbol_answer_for_nothing() -> None:
    desk = Desk()
    desk.rows.publish(live(10, symbol="QQQ"))
    assert desk.tell(tick(10)).new == 1


def test_a_window_that_is_told_again_publishes_nothing_again() -> None:
    desk = Desk()
    assert [desk.tell(tick(10), tick(11)).new for _ in range(2)] == [2, 0]


@pytest.mark.parametrize(("n", "bad", "full"), [(999, 0, False), (1000, 0, True), (999, 1, True)])
def test_an_answer_of_a_thousand_prints_is_full_whether_they_can_be_read_or_not(
    n: int, bad: int, full: bool
) -> None:
    ticks = [*[tick(10)] * n, *[tick(11).replace(b"10.5", b"x")] * bad]
    assert Desk().tell(*ticks).full is full


def test_prints_that_cannot_be_read_are_told_and_do_not_cost_the_others() -> None:
    desk = Desk()
    told = desk.tell(tick(10), tick(11).replace(b"10.5", b"x"), tick(12))
    assert (desk.told(), told) == ([(10, 100), (12, 100)], Told(2, 1, M + 12, False))


def test_an_answer_that_cannot_be_read_publishes_nothing() -> None:
    desk = Desk()
    with pytest.raises(BadRow):
        desk.feed._tell_trades(WINDOW, (b"98|1|2|" + tick(10) + b"1|").split(b"|"))
    assert desk.outlet.trades == []


@pytest.mark.usefixtures("at_100_s")
def test_the_first_tick_after_a_restart_has_its_trades_asked_for_from_the_newest_print_on() -> None:
    desk = Desk()
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000 + 900)
    desk.first_tick()
    assert (desk.pending(), desk.outlet.losses) == ([(20, 51, "restart")], [])


@pytest.mark.usefixtures("at_100_s")
def test_without_backfill_of_trades_the_first_tick_enters_the_loss() -> None:
    desk = Desk(backfill_trades=False)
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000 + 900)
    desk.first_tick()
    assert desk.outlet.losses == [Loss("trades", "SPY", (M + 20) * 1000 + 900, NOW_MS, "restart")]
    assert desk.pending() == []


@pytest.mark.usefixtures("at_100_s")
def test_the_second_tick_neither_asks_again_nor_enters_anything() -> None:
    desk = Desk()
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000)
    for _ in range(2):
        desk.first_tick()
    assert (len(desk.pending()), desk.outlet.losses) == (1, [])


@pytest.mark.usefixtures("at_100_s")
@pytest.mark.parametrize(
    ("reach_s", "lost", "asked_for"),
    [(60.0, (20, 40), [(40, 51)]), (30.0, (20, 51), []), (0.0, (20, 51), [])],
)
def test_trades_beyond_reach_are_entered_and_the_rest_asked_for(
    reach_s: float, lost: tuple[int, int], asked_for: list[tuple[int, int]]
) -> None:
    desk = Desk(backfill_reach_s=reach_s)
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000)
    desk.first_tick()
    from_s, to_s = lost
    assert desk.outlet.losses == [
        Loss("trades", "SPY", (M + from_s) * 1000, (M + to_s) * 1000, "restart: beyond reach")
    ]
    assert [window[:2] for window in desk.pending()] == asked_for


@pytest.mark.usefixtures("at_100_s")
def test_a_tick_on_a_broken_market_farm_ends_no_interruption() -> None:
    desk = Desk()
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000)
    desk.feed._state.connectivity.notice(2103, "Market data farm is broken:usfarm", 0.0)
    desk.first_tick()
    assert (desk.pending(), desk.spy.interrupted) == ([], ((M + 20) * 1000, "restart"))


@pytest.mark.usefixtures("at_100_s")
def test_an_interrupted_symbols_trades_are_fetched_back_and_the_window_entered() -> None:
    desk = Desk()
    desk.feed.restore("SPY", ([], []), None, (M + 20) * 1000)
    desk.first_tick()
    in_loop(desk.feed._history.decide, M + 100.0, 0.0)
    assert desk.wire.sent == [
        ("reqHistoricalTicks", 1, SPY, "20131007-13:30:20", "", 1000, "TRADES", 0, False, [])
    ]
    in_loop(desk.rows.on_history, frame(tick(20), tick(30), tick(51)).split(b"|"))
    assert desk.told() == [(20, 100), (30, 100)]
    assert desk.outlet.losses == [
        Loss("trades", "SPY", (M + 20) * 1000, (M + 51) * 1000, "restart: filled, 2 trades", 0)
    ]


def without_prints(delayed: bool) -> Desk:
    """Bars with volume have come for 31 s while no print did."""
    desk = Desk()
    desk.spy.line_id, desk.spy.bars_id = 7, 8
    desk.spy.quote.data_type(3 if delayed else 1)
    desk.spy.mute.asked(100.0)
    desk.spy.mute.bar(M, 100, 131.0)
    return desk


def test_a_line_without_prints_is_renewed_while_bars_with_volume_come() -> None:
    desk = without_prints(delayed=False)
    in_loop(desk.feed._heal_mute, desk.spy, 131.0)
    assert desk.wire.sent == [("cancelMktData", 7)]
    assert desk.outlet.incidents == [("mute", "SPY", "bars without trades, asked again")]


def test_a_delayed_line_without_prints_is_not_renewed() -> None:
    desk = without_prints(delayed=True)
    in_loop(desk.feed._heal_mute, desk.spy, 131.0)
    assert (desk.wire.sent, desk.outlet.incidents) == ([], [])
