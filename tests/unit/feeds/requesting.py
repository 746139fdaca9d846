"""Requests of two symbols on a wire that is written down, by clocks that are set."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from ib_async import Contract
from ib_async.client import Client

from shared.control.backfill import Hole
from shared.control.connectivity import Link
from shared.feeds.ibkr.tick_errors import TickErrors
from shared.feeds.ibkr.tick_history import History, Told
from shared.feeds.ibkr.tick_requests import TickRequests
from shared.feeds.ibkr.tick_rows import Reactions
from shared.feeds.ibkr.tick_state import SymbolFeed, TickState
from tests.unit.feeds.bar_keeping import M, Outlet, Rig, in_loop

Sent = list[tuple[object, ...]]

# Everything of both symbols, as `opened` asks for it.
LINE, BARS, OTHER_LINE, OTHER_BARS, STREAM, OTHER_STREAM = 1, 2, 3, 4, 5, 6
SPY: Final = Contract(
    symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA", currency="USD"
)


class Wire:
    """Gives the ids from 1 on and keeps what is sent; takes what ib_async's client takes."""

    def __init__(self) -> None:
        self._last_id = 0
        self.sent: Sent = []

    def getReqId(self) -> int:  # noqa: N802
        self._last_id += 1
        return self._last_id

    def __getattr__(self, name: str) -> Callable[..., None]:
        signature = inspect.signature(getattr(Client, name))

        def send(*arguments: object) -> None:
            signature.bind(self, *arguments)
            self.sent.append((name, *arguments))

        return send


class Desk:
    """SPY and QQQ, connected; the loop's clock stands where a call says."""

    def __init__(self, messages_per_s: int = 20, **settings: Any) -> None:
        self.rig = Rig(**settings)
        self.wire = Wire()
        session: Any = SimpleNamespace(ib=SimpleNamespace(client=self.wire))
        self.state.session = session
        self.acted: list[tuple[Link, str]] = []
        in_loop(self._make, messages_per_s)

    def _make(self, messages_per_s: int) -> None:
        state, keeper = self.state, self.rig.keeper
        reactions = Reactions(_ignore, _ignore, _ignore, _ignore)
        self.requests = TickRequests(state, keeper, reactions, messages_per_s)
        self.history = History(state, keeper, lambda _, __: Told(0, 0, 0, False))
        self.errors = TickErrors(
            state, self.requests, self.history, lambda link, why: self.acted.append((link, why))
        )
        state.lines.connected()
        state.streams.connected()

    @property
    def state(self) -> TickState:
        return self.rig.state

    @property
    def outlet(self) -> Outlet:
        return self.rig.outlet

    @property
    def spy(self) -> SymbolFeed:
        return self.state.symbols["SPY"]

    @property
    def qqq(self) -> SymbolFeed:
        return self.state.symbols["QQQ"]

    def ids(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Line, bars and stream of both symbols."""
        spy, qqq = self.spy, self.qqq
        return (
            (spy.line_id, spy.bars_id, spy.stream_id),
            (qqq.line_id, qqq.bars_id, qqq.stream_id),
        )

    def at(self, now_s: float, call: Callable[..., object], *arguments: object) -> Sent:
        """What this call sent."""
        before = len(self.wire.sent)
        in_loop(call, *arguments, now_s=now_s)
        return self.wire.sent[before:]

    def decide(self, now_s: float) -> Sent:
        return self.at(now_s, self.requests.decide, now_s)

    def error(self, req_id: int, code: int, text: str = "", now_s: float = 0.0) -> Sent:
        return self.at(now_s, self.errors.on_error, req_id, code, text)

    def later(self, now_s: float) -> Sent:
        """What is asked for again by then."""
        self.at(now_s, self.errors.retry, now_s)
        return self.decide(now_s)

    def hear(self, at_s: float) -> None:
        """Both symbols spoke, `at_s` from `M` on; the wall clock stands there, too."""
        self.rig.at_s = at_s
        at_ms = int((M + at_s) * 1000)
        self.requests.rows.now_ms = at_ms
        for feed in self.state.symbols.values():
            feed.heard_ms = feed.bar_heard_ms = at_ms

    def interrupted(self) -> list[tuple[float, str] | None]:
        """Since when (from `M` on) and why prints of each symbol may be lost."""
        notes = [feed.interrupted for feed in self.state.symbols.values()]
        return [note and (note[0] / 1000 - M, note[1]) for note in notes]

    def miss(self, from_s: int, to_s: int, symbol: str = "SPY") -> None:
        self.state.backfill.add(Hole(symbol, M + from_s, M + to_s, "disconnect"), M + to_s)


def opened(**settings: Any) -> Desk:
    """All was asked for at 0 s, by the ids above."""
    desk = Desk(**settings)
    desk.decide(0.0)
    return desk


def calls(sent: Sent) -> list[tuple[object, object]]:
    """What was sent, by name and id."""
    return [(each[0], each[1]) for each in sent]


def _ignore(*_: object) -> None:
    """The feed's reactions are of no interest here."""
