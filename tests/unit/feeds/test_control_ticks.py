"""What the trades feed does on command, on a wire that is written down."""

from __future__ import annotations

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from shared.feeds.ibkr.tick_control import TickControl
from tests.unit.feeds.requesting import (
    BARS,
    LINE,
    OTHER_BARS,
    OTHER_LINE,
    OTHER_STREAM,
    STREAM,
    Desk,
    Sent,
    calls,
    opened,
)


def commanded(desk: Desk, command: str, symbol: str = "", lost: bool = False) -> tuple[str, Sent]:
    """The answer to a command 1 s after all was opened, and what was sent."""
    failed: list[str] = []
    session: Any = SimpleNamespace(
        ib=SimpleNamespace(client=desk.wire),
        lost=SimpleNamespace(done=lambda: lost or bool(failed)),
        fail=failed.append,
    )
    desk.state.session = session
    answers: list[str] = []

    def obey() -> None:
        obeying: Any = TickControl(desk.state, desk.requests).handlers()[command](symbol)
        answers.append(at_once(obeying))

    sent = desk.at(1.0, obey)
    return answers[0] or "; ".join(failed), sent


def at_once(obeying: Coroutine[Any, Any, str]) -> str:
    """The outcome of a coroutine that waits for nothing."""
    try:
        obeying.send(None)
    except StopIteration as done:
        return str(done.value)
    raise AssertionError("the command waits")


def test_a_symbol_is_renewed_with_line_stream_and_bars_and_the_other_stays() -> None:
    desk = opened()
    answer, sent = commanded(desk, "resubscribe", "SPY")
    assert (answer, calls(sent)) == (
        "",
        [("cancelMktData", LINE), ("cancelTickByTickData", STREAM), ("cancelRealTimeBars", BARS)],
    )
    assert desk.ids()[1] == (OTHER_LINE, OTHER_BARS, OTHER_STREAM)
    assert calls(desk.decide(2.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]


@pytest.mark.parametrize("symbol", ["", "XYZ"])
def test_an_unknown_symbol_is_refused_with_those_that_are_known(symbol: str) -> None:
    answer, sent = commanded(opened(), "resubscribe", symbol)
    assert (answer, sent) == (f"symbol was {symbol or 'missing'}, must be one of SPY, QQQ", [])


def test_what_was_refused_is_tried_again_now() -> None:
    desk = opened()
    desk.error(LINE, 354, "not subscribed")
    desk.error(STREAM, 10189, "no permission")
    assert desk.ids()[0] == (0, 0, 0)
    answer, sent = commanded(desk, "resubscribe", "SPY")
    assert (answer, sent) == ("", [])
    assert ("reqMktData", 7) in calls(desk.later(2.0))


def test_a_symbol_without_room_waits_for_its_turn() -> None:
    desk = opened()
    desk.error(STREAM, 10190, "max 0")
    desk.error(LINE, 101, "max tickers")
    assert desk.ids()[0] == (0, 0, 0)
    answer, sent = commanded(desk, "resubscribe", "SPY")
    assert (answer, sent) == ("no line is open for it, its turn comes", [])


def test_nothing_is_asked_of_a_gateway_that_lost_the_servers() -> None:
    desk = opened()
    desk.state.connectivity.notice(1100, "lost", 0.5)
    answer, sent = commanded(desk, "resubscribe", "SPY")
    assert (answer, sent) == ("gateway lost IB's servers", [])


def test_nothing_is_asked_of_a_lost_connection() -> None:
    desk = opened()
    assert commanded(desk, "resubscribe", "SPY", lost=True) == ("not connected to the gateway", [])
    answer, _ = commanded(desk, "reconnect", lost=True)
    assert answer == "not connected to the gateway, a login is tried anyway"


def test_reconnect_ends_the_session() -> None:
    assert commanded(opened(), "reconnect") == ("reconnect asked for by command", [])
