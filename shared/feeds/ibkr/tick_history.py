"""History on the wire: bars and trades of an outage, asked for as the backfill decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from loguru import logger

from shared.control.backfill import Hole
from shared.errors import BadRow
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.bars import BarKeeper
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.tick_state import TickState
from shared.market.loss import Loss
from shared.normalize.ibkr_bars import MSG_HISTORICAL_DATA, historical_bars

# An answer takes seconds; a farm that breaks meanwhile never gives one.
ANSWER_S: Final = 45.0
TICKS_AT_ONCE: Final = 1000
_ID_DIGITS: Final = 10
_BAR_SIZE: Final = "5 secs"
_EPOCH_SECONDS: Final = 2
# The dashed form is UTC.
_UTC: Final = "%Y%m%d-%H:%M:%S"


class Told(NamedTuple):
    """What one answer gave of a window of trades: how many new ones, and up to which second."""

    new: int
    unreadable: int
    newest_s: int
    full: bool


TellTrades = Callable[[Hole, Sequence[bytes]], Told]


class History:
    def __init__(self, state: TickState, bars: BarKeeper, tell_trades: TellTrades) -> None:
        """`tell_trades` publishes what an answer holds; it raises BadRow for an unreadable one."""
        self._state = state
        self._bars = bars
        self._tell_trades = tell_trades
        # Open requests by id, with the time until which an answer is waited for.
        self._asked: dict[int, tuple[Hole, float]] = {}

    def decide(self, now_unix_s: float, now_s: float) -> None:
        """Ask for what may be asked for now, and give up what is overdue."""
        state = self._state
        for hole in state.backfill.expired(now_unix_s):
            self._unfilled(hole, "beyond reach")
        for hole in state.backfill.crowded_out():
            self._unfilled(hole, "too many windows wait")
        if state.connectivity.broken_history_farms:
            return
        for req_id, (_, until_s) in list(self._asked.items()):
            if now_s > until_s:
                self._client().cancelHistoricalData(req_id)
                self._again(req_id, "no answer", paced=False)
        for hole in state.backfill.decide(now_unix_s, now_s):
            req_id = int(self._client().getReqId())
            self._asked[req_id] = (hole, now_s + ANSWER_S)
            (self._ask_bars if hole.feed == "bars" else self._ask_trades)(req_id, hole)

    def _ask_bars(self, req_id: int, hole: Hole) -> None:
        contract = self._state.contracts.consolidated(hole.symbol)
        duration = f"{hole.to_s - hole.from_s} S"
        self._client().reqHistoricalData(
            req_id,
            contract,
            _at(hole.to_s),
            duration,
            _BAR_SIZE,
            "TRADES",
            0,
            _EPOCH_SECONDS,
            False,
            [],
        )

    def _ask_trades(self, req_id: int, hole: Hole) -> None:
        contract = self._state.contracts.consolidated(hole.symbol)
        self._client().reqHistoricalTicks(
            req_id, contract, _at(hole.from_s), "", TICKS_AT_ONCE, "TRADES", 0, False, []
        )

    def answer(self, raw_id: bytes, fields: Sequence[bytes]) -> None:
        """A message 17 or 98."""
        req_id = int(raw_id) if raw_id.isdigit() and len(raw_id) <= _ID_DIGITS else 0
        asked = self._asked.get(req_id)
        if asked is None:
            return
        hole = asked[0]
        try:
            if fields[0] == MSG_HISTORICAL_DATA:
                self._fill_bars(hole, fields)
            else:
                self._fill_trades(hole, self._tell_trades(hole, fields))
        except BadRow as error:
            self._again(req_id, f"unreadable answer, {error}", paced=False)
            return
        self._state.backfill.done(hole)
        del self._asked[req_id]

    def _fill_bars(self, hole: Hole, fields: Sequence[bytes]) -> None:
        found = historical_bars(fields)
        self._bars.filled(hole, found.bars, len(found.refused))
        for refusal in found.refused[:1]:
            logger.bind(symbol=hole.symbol).warning("historical bar refused: {}", refusal)

    def _fill_trades(self, hole: Hole, told: Told) -> None:
        """The next page, from the second behind the newest one, or the end of the window."""
        self._state.counters.trades_filled += told.new
        unreadable = hole.unreadable + told.unreadable
        hole = replace(hole, found=hole.found + told.new, unreadable=unreadable)
        began_s = hole.from_s if hole.began_s is None else hole.began_s
        rest = replace(hole, from_s=max(told.newest_s, hole.from_s) + 1, began_s=began_s)
        if told.full and rest.from_s < rest.to_s:
            self._state.backfill.more(rest, now_s())
        else:
            self._told_to_the_end(hole)

    def _told_to_the_end(self, hole: Hole) -> None:
        n, found = hole.unreadable, hole.found
        said = f"{found} trades filled, {n} unreadable" if n else f"filled, {found} trades"
        self._end_trades(hole, said, n)

    def stopped(self) -> None:
        """Trades that nobody will ask for any more; bars are taken up by the next start."""
        for symbol in self._state.symbols:
            for hole in self._state.backfill.pending(symbol, "trades"):
                self._unfilled(hole, "stopped")

    def error(self, req_id: int, code: int, text: str) -> bool:
        """True when the error is about a request of ours."""
        asked = self._asked.get(req_id)
        if asked is None:
            return False
        said = f"{code} {text}"[:100]
        if codes.no_history(code, text):
            self._nothing(req_id)
        elif code == codes.HISTORY_NOTICE or codes.is_notice(code):
            logger.bind(req_id=req_id).debug("{}", text)
        elif codes.no_permission(code, text):
            hole, _ = self._asked.pop(req_id)
            self._state.backfill.done(hole)
            self._unfilled(hole, said)
        else:
            # Neither too many requests nor another session is a failure of this one.
            passing = codes.pacing(text) or code == codes.COMPETING_SESSION
            self._again(req_id, said, paced=passing)
        return True

    def disconnected(self, now_s: float) -> None:
        """Answers of open requests will not come: of a lost connection or a broken farm."""
        self._asked.clear()
        self._state.backfill.disconnected(now_s)

    def _nothing(self, req_id: int) -> None:
        hole, _ = self._asked.pop(req_id)
        self._state.backfill.done(hole)
        if hole.feed == "bars":
            self._bars.filled(hole, [])
        else:
            self._told_to_the_end(hole)

    def _again(self, req_id: int, why: str, paced: bool) -> None:
        hole, _ = self._asked.pop(req_id)
        if not self._state.backfill.again(hole, now_s(), paced):
            self._unfilled(hole, why)

    def _unfilled(self, hole: Hole, why: str) -> None:
        if hole.feed == "bars":
            self._bars.unfilled(hole, why)
        else:
            self._end_trades(hole, f"{hole.found} trades filled, the rest not: {why}", None)

    def _end_trades(self, hole: Hole, outcome: str, count: int | None) -> None:
        reason = f"{hole.reason}: {outcome}"
        began_s = hole.from_s if hole.began_s is None else hole.began_s
        times = (began_s * 1000, hole.to_s * 1000)
        self._state.outlet.loss(Loss("trades", hole.symbol, *times, reason, count))

    def _client(self) -> Any:
        assert self._state.session is not None
        return self._state.session.ib.client


def _at(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime(_UTC)
