"""A simulated world and requests to it, as literal values for the tests of this layer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from simulators.tws.depth import Refusal, Subscription
from simulators.tws.options import Options
from simulators.tws.replay_trades import TradeReplay
from simulators.tws.requests import ContractFields, DepthRequest
from simulators.tws.session import Send, Session
from simulators.tws.wire import FrameBuffer, fields_of, frame, message
from simulators.tws.world import Moment, World

__all__ = [
    "BARS", "HISTORY", "LINE", "PAST_TICKS", "TICKS", "Receiver", "accepted", "ask", "contract",
    "refused", "replaying", "world",
]  # fmt: skip

# Requests as ib_async 2.1 sends them: reqId, symbol, then what each kind may vary.
LINE = "1 11 {} 0 {} STK . 0.0 . . SMART . USD . . 0 {} 0 0 ."
TICKS = "97 {} 0 {} STK . 0.0 . . SMART . USD . . {} 0 0"
BARS = "50 3 {} 0 {} STK . 0.0 . . SMART . USD . . 5 {} 0 ."
HISTORY = "20 {} 0 {} STK . 0.0 . . SMART . USD . . 0 {{end}} {{size}} {{duration}} 0 {} 2 {} ."
PAST_TICKS = "96 {} 0 {} STK . 0.0 . . SMART . USD . . 0 {{start}} {{end}} {} {} 0 0 ."


def world(**options: Any) -> World:
    return World.create(Options(**options), seed=7, replays={})


def replaying(replay: TradeReplay, symbol: str = "SPY", **options: Any) -> World:
    return World.create(Options(**options), 7, {}, {symbol: replay})


class Receiver:
    """One client's side of market data: requests as ib_async sends them, frames as fields."""

    def __init__(self, here: World, connection: int = 1, now_s: float = 100.0) -> None:
        self.here = here
        self.session = Session(here, connection)
        self.connection = connection
        self.now_s = now_s
        self.session.receive(b"API\0" + frame(b"v157..178"), self.now)
        self.session.receive(message(71, 2, 776 + connection, ""), self.now)

    @property
    def now(self) -> Moment:
        # The wall clock is on a boundary of 5 s when now_s is 100.
        return Moment(self.now_s, 1_700_000_000.0 + self.now_s - 100.0)

    def ask(self, text: str, **words: str) -> list[list[str]]:
        """Fields separated by blanks; a dot is empty, {name} is put in afterwards."""
        fields = ["" if word == "." else word.format(**words) for word in text.split(" ")]
        actions = self.session.receive(message(*fields), self.now)
        return self.read(action.data for action in actions if isinstance(action, Send))

    def codes(self, text: str, **words: str) -> list[int]:
        return [int(reply[3]) for reply in self.ask(text, **words) if reply[0] == "4"]

    def tick(self, seconds: float = 0.005, blocked: Collection[int] = ()) -> list[list[str]]:
        """What comes in one more tick."""
        self.now_s += seconds
        here, now = self.here, self.now
        output = here.feed.tick(seconds, blocked)
        for connection, parts in here.ticks.tick(now.mono_s, now.wall_ms, seconds, blocked).items():
            output.setdefault(connection, []).extend(parts)
        return self.read(output.get(self.connection, []))

    def ticks(self, seconds: float, step_s: float = 0.1) -> list[list[str]]:
        """What comes in so many seconds."""
        return [m for _ in range(round(seconds / step_s)) for m in self.tick(step_s)]

    @staticmethod
    def read(parts: Iterable[bytes]) -> list[list[str]]:
        return [fields_of(payload) for payload in FrameBuffer().feed(b"".join(parts))]


def contract(symbol: str, exchange: str, sec_type: str = "STK") -> ContractFields:
    return ContractFields(0, symbol, sec_type, "", "0.0", "", "", exchange, "", "USD", "", "")


def ask(
    req_id: int, symbol: str, exchange: str = "ARCA", num_rows: int = 10, smart: bool = False
) -> DepthRequest:
    return DepthRequest(req_id, contract(symbol, exchange), num_rows, smart)


def accepted(
    here: World, request: DepthRequest, now_s: float = 0.0, connection: int = 1
) -> Subscription:
    outcome = here.desk.subscribe(connection, 776 + connection, request, now_s)
    assert isinstance(outcome, Subscription), outcome
    return outcome


def refused(here: World, request: DepthRequest, now_s: float = 0.0, connection: int = 1) -> Refusal:
    outcome = here.desk.subscribe(connection, 776 + connection, request, now_s)
    assert isinstance(outcome, Refusal), outcome
    return outcome
