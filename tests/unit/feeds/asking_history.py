"""Windows that are asked for from history and its answers, by clocks that are set."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

from shared.control.backfill import Hole
from shared.errors import BadRow
from shared.feeds.ibkr.tick_history import History, Told
from shared.market.loss import Loss
from tests.unit.feeds.bar_keeping import M, Rig, in_loop

HMDS: Final = "Historical Market Data Service error message:"
NO_DATA: Final = f"{HMDS}HMDS query returned no data: SPY@SMART Trades"
TOO_MANY: Final = f"{HMDS}Historical data request pacing violation"
ELSEWHERE: Final = "No market data during competing live session"
# 2013-10-07 13:30:00 UTC, as `M` is.
BARS: Final = (
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
        self.told: Told | BadRow = Told(0, 0, 0, False)
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

    def decide(self, now_s: float, at_s: float = 100.0) -> list[tuple[object, ...]]:
        """What this decision sent; `at_s` is the wall clock's second from `M` on."""
        before = len(self.client.sent)
        in_loop(self.history.decide, M + at_s, now_s, now_s=now_s)
        return self.client.sent[before:]

    def answer(self, frame: bytes, now_s: float = 5.0) -> None:
        fields = frame.split(b"|")
        in_loop(self.history.answer, fields[1], fields, now_s=now_s)

    def page(
        self, new: int, newest_s: int, full: bool, req_id: int = 41, unreadable: int = 0
    ) -> None:
        """An answer with so many new trades, up to such a second from `M` on."""
        self.told = Told(new, unreadable, M + newest_s, full)
        self.answer(b"98|%d|0|1|" % req_id)

    def notice(self, code: int) -> None:
        """The history farm breaks (2105) or is back (2106)."""
        self.rig.state.connectivity.notice(code, "HMDS data farm connection:ushmds", 0.0)

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
