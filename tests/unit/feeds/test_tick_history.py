from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ib_async import Contract

from shared.control.backfill import Hole
from shared.errors import BadRow
from shared.feeds.ibkr.tick_history import History, Told
from shared.market.loss import Loss
from tests.unit.feeds.bar_keeping import M, Rig, history, in_loop, said

HMDS = "Historical Market Data Service error message:"
NO_DATA = f"{HMDS}HMDS query returned no data: SPY@SMART Trades"
TOO_MANY = f"{HMDS}Historical data request pacing violation"
# 2013-10-07 13:30:00 UTC, as `M` is.
BARS = (
    b"17|41|20131007-13:30:00|20131007-13:30:40|2|%d|10|10|10|10|100|10|1|%d|11|11|11|11|100|11|1|"
)


class Client:
    """Gives the ids from 41 on and keeps what is sent."""

    def __init__(self) -> None:
        self._next_id = 40
        self.sent: list[tuple[object, ...]] = []

    def getReqId(self) -> int:  # noqa: N802
        self._next_id += 1
        return self._next_id

    def reqHistoricalData(self, *arguments: object) -> None:  # noqa: N802
        self.sent.append(("bars", *arguments))

    def reqHistoricalTicks(self, *arguments: object) -> None:  # noqa: N802
        self.sent.append(("ticks", *arguments))

    def cancelHistoricalData(self, req_id: int) -> None:  # noqa: N802
        self.sent.append(("cancel", req_id))


class Desk:
    """History of SPY and QQQ; the loop's clock and the wall clock stand where a call says."""

    def __init__(self) -> None:
        self.rig = Rig(100.0)
        self.client = Client()
        session: Any = SimpleNamespace(ib=SimpleNamespace(client=self.client))
        self.rig.state.session = session
        self.told: Told | BadRow = Told(0, 0, False)
        self.history = History(self.rig.state, self.rig.keeper, self._tell)

    def _tell(self, hole: Hole, fields: Sequence[bytes]) -> Told:
        if isinstance(self.told, BadRow):
            raise self.told
        return self.told

    @property
    def losses(self) -> list[Loss]:
        return self.rig.outlet.losses

    def miss(
        self, from_s: int = 0, to_s: int = 40, symbol: str = "SPY", feed: str = "bars"
    ) -> None:
        hole = Hole(symbol, M + from_s, M + to_s, "disconnect", feed)
        self.rig.state.backfill.add(hole, M + 100)

    def decide(self, now_s: float) -> list[tuple[object, ...]]:
        """What this decision sent."""
        before = len(self.client.sent)
        in_loop(self.history.decide, M + 100.0, now_s, now_s=now_s)
        return self.client.sent[before:]

    def answer(self, frame: bytes, now_s: float = 5.0) -> None:
        fields = frame.split(b"|")
        in_loop(self.history.answer, fields[1], fields, now_s=now_s)

    def error(self, code: int, text: str, now_s: float = 5.0, req_id: int = 41) -> bool:
        answers: list[bool] = []
        in_loop(lambda: answers.append(self.history.error(req_id, code, text)), now_s=now_s)
        return answers[0]


def asked(feed: str = "bars") -> Desk:
    """One window of SPY, asked for at 0 s."""
    desk = Desk()
    desk.miss(feed=feed)
    desk.decide(0.0)
    return desk


def ids(sent: list[tuple[object, ...]]) -> list[tuple[object, object]]:
    return [(each[0], each[1]) for each in sent]


def test_bars_are_asked_for_up_to_the_windows_end_in_utc() -> None:
    spy = Contract(symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA",
                   currency="USD")  # fmt: skip
    assert asked().client.sent == [
        ("bars", 41, spy, "20131007-13:30:40", "40 S", "5 secs", "TRADES", 0, 2, False, []),
    ]


def test_windows_of_two_symbols_are_asked_for_side_by_side() -> None:
    desk = asked()
    desk.miss(symbol="QQQ")
    assert ids(desk.decide(1.0)) == [("bars", 42)]


def test_an_answer_fills_the_window() -> None:
    desk = asked()
    desk.answer(BARS % (M, M + 5))
    assert desk.rig.outlet.bars == [("SPY", history(0)), ("SPY", history(5, 11.0))]
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 2 bars", 0)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


def test_one_bar_that_cannot_be_read_does_not_cost_the_others() -> None:
    desk = asked()
    desk.answer(BARS % (M + 1, M + 5))
    assert desk.rig.outlet.bars == [("SPY", history(5, 11.0))]
    assert desk.rig.pending() == []


@pytest.mark.parametrize("raw_id", [b"40", b"42", b"-1", b"x", b""])
def test_an_answer_to_nothing_of_ours_is_ignored(raw_id: bytes) -> None:
    desk = asked()
    desk.answer(BARS.replace(b"|41|", b"|" + raw_id + b"|") % (M, M + 5))
    assert (desk.rig.outlet.bars, desk.losses) == ([], [])
    assert desk.rig.pending() == [(0, 40, "disconnect")]


def test_a_second_answer_is_ignored() -> None:
    desk = asked()
    for _ in range(2):
        desk.answer(BARS % (M, M + 5))
    assert (len(desk.rig.outlet.bars), len(desk.losses)) == (2, 1)


def test_an_answer_that_cannot_be_read_is_asked_for_again() -> None:
    desk = asked()
    desk.answer(b"17|41|a|b|3|1|2|3|")
    assert (desk.rig.outlet.bars, desk.losses) == ([], [])
    assert [ids(desk.decide(now_s)) for now_s in (20.9, 21.0)] == [[], [("bars", 42)]]


def test_no_data_is_an_answer() -> None:
    desk = asked()
    assert desk.error(162, NO_DATA) is True
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 0 bars", 0)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


@pytest.mark.parametrize("code", [162, 420])
def test_too_many_requests_hold_back_every_window_for_a_minute(code: int) -> None:
    desk = asked()
    desk.miss(symbol="QQQ")
    assert desk.error(code, TOO_MANY) is True
    assert desk.decide(64.9) == []
    assert ids(desk.decide(65.0)) == [("bars", 42), ("bars", 43)]
    assert desk.losses == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (162, f"{HMDS}No market data permissions for ISLAND STK"),
        (354, "Requested market data is not subscribed."),
    ],
)
def test_a_missing_permission_gives_the_window_up_at_once(code: int, text: str) -> None:
    desk = asked()
    assert desk.error(code, text) is True
    assert said(desk.losses) == [("SPY", 0, 40, f"disconnect: not filled, {code} {text}", None)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


def test_a_notice_leaves_the_request_open() -> None:
    desk = asked()
    assert desk.error(165, "Historical Market Data Service query message:...") is True
    desk.answer(BARS % (M, M + 5))
    assert len(desk.rig.outlet.bars) == 2


def test_another_error_is_asked_again_and_given_up_after_the_fifth() -> None:
    desk = asked()
    for n in range(5):
        assert desk.losses == []
        desk.error(162, f"{HMDS}HMDS server disconnect", now_s=20.0 * n, req_id=41 + n)
        desk.decide(20.0 * n + 16.0)
    assert said(desk.losses) == [
        ("SPY", 0, 40, f"disconnect: not filled, 162 {HMDS}HMDS server disconnect", None)
    ]
    assert ids(desk.client.sent) == [("bars", 41 + n) for n in range(5)]


@pytest.mark.parametrize("req_id", [-1, 40, 42])
def test_errors_of_other_requests_are_none_of_ours(req_id: int) -> None:
    desk = asked()
    assert desk.error(162, NO_DATA, req_id=req_id) is False
    assert (desk.losses, desk.rig.pending()) == ([], [(0, 40, "disconnect")])


def test_no_answer_within_its_time_is_cancelled_and_asked_for_again() -> None:
    desk = asked()
    assert [desk.decide(45.0), desk.decide(45.1)] == [[], [("cancel", 41)]]
    assert [ids(desk.decide(now_s)) for now_s in (61.0, 61.1)] == [[], [("bars", 42)]]


def test_an_answer_that_comes_too_late_is_ignored() -> None:
    desk = asked()
    desk.decide(45.1)
    desk.answer(BARS % (M, M + 5))
    assert (desk.rig.outlet.bars, desk.rig.pending()) == ([], [(0, 40, "disconnect")])


def test_a_new_connection_asks_again_and_does_not_know_the_old_requests() -> None:
    desk = asked()
    desk.history.disconnected(44.0)
    assert desk.error(162, NO_DATA) is False
    assert ids(desk.decide(60.0)) == [("bars", 42)]


def test_trades_are_asked_for_from_the_windows_beginning_in_utc() -> None:
    spy = Contract(symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA",
                   currency="USD")  # fmt: skip
    assert asked("trades").client.sent == [
        ("ticks", 41, spy, "20131007-13:30:00", "", 1000, "TRADES", 0, False, [])
    ]


def test_trades_that_fit_one_answer_end_the_window() -> None:
    desk = asked("trades")
    desk.told = Told(7, M + 20, False)
    desk.answer(b"98|41|0|1|")
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 7 trades", 0)]
    assert desk.rig.state.counters.trades_filled == 7
    assert desk.decide(1000.0) == []


def test_trades_beyond_one_answer_are_asked_for_from_the_next_second() -> None:
    desk = asked("trades")
    desk.told = Told(900, M + 20, True)
    desk.answer(b"98|41|0|1|")
    assert desk.losses == []
    assert [each[3] for each in desk.decide(6.0)] == ["20131007-13:30:21"]


def test_a_window_without_trades_is_filled() -> None:
    desk = asked("trades")
    desk.error(162, NO_DATA)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 0 trades", 0)]


def test_trades_that_cannot_be_read_are_asked_for_again() -> None:
    desk = asked("trades")
    desk.told = BadRow("2 ticks need 13 fields, was 5")
    desk.answer(b"98|41|2|1|")
    assert (desk.losses, ids(desk.decide(21.0))) == ([], [("ticks", 42)])
