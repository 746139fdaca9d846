"""Historical bars on the wire: asked for as the backfill decides, read off it, judged by error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from loguru import logger

from shared.control.backfill import Hole
from shared.errors import BadRow
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.bars import BarKeeper
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.tick_state import TickState
from shared.normalize.ibkr_bars import historical_bars

# An answer takes seconds; a farm that breaks meanwhile never gives one.
ANSWER_S: Final = 45.0
_BAR_SIZE: Final = "5 secs"
_EPOCH_SECONDS: Final = 2
_UNIX_TIME: Final = "%Y%m%d-%H:%M:%S"


class History:
    def __init__(self, state: TickState, bars: BarKeeper) -> None:
        self._state = state
        self._bars = bars
        # Open requests by id, with the time until which an answer is waited for.
        self._asked: dict[int, tuple[Hole, float]] = {}

    def decide(self, now_unix_s: float, now_s: float) -> None:
        """Ask for what may be asked for now, and give up what is overdue."""
        state = self._state
        for req_id, (_, until_s) in list(self._asked.items()):
            if now_s > until_s:
                self._client().cancelHistoricalData(req_id)
                self._again(req_id, "no answer", paced=False)
        for hole in state.backfill.decide(now_unix_s, now_s):
            req_id = int(self._client().getReqId())
            self._asked[req_id] = (hole, now_s + ANSWER_S)
            # The dashed form is UTC; the end is exclusive.
            end = datetime.fromtimestamp(hole.to_s, UTC).strftime(_UNIX_TIME)
            self._client().reqHistoricalData(
                req_id,
                state.contracts.consolidated(hole.symbol),
                end,
                f"{hole.to_s - hole.from_s} S",
                _BAR_SIZE,
                "TRADES",
                0,
                _EPOCH_SECONDS,
                False,
                [],
            )

    def answer(self, raw_id: bytes, fields: Sequence[bytes]) -> None:
        """A message 17."""
        req_id = int(raw_id) if raw_id.isdigit() else 0
        asked = self._asked.pop(req_id, None)
        if asked is None:
            return
        hole = asked[0]
        try:
            found = historical_bars(fields)
        except BadRow as error:
            self._asked[req_id] = asked
            self._again(req_id, f"unreadable answer, {error}", paced=False)
            return
        self._state.backfill.done(hole)
        self._bars.filled(hole, found.bars)
        for refusal in found.refused[:1]:
            logger.bind(symbol=hole.symbol).warning(
                "{} of the historical bars refused: {}", len(found.refused), refusal
            )

    def error(self, req_id: int, code: int, text: str) -> bool:
        """True when the error is about a request of ours."""
        asked = self._asked.get(req_id)
        if asked is None:
            return False
        if codes.no_history(code, text):
            del self._asked[req_id]
            self._state.backfill.done(asked[0])
            self._bars.filled(asked[0], [])
        elif code == codes.HISTORY_NOTICE:
            logger.bind(req_id=req_id).debug("{}", text)
        elif codes.no_permission(code, text):
            self._give_up(req_id, f"{code} {text}"[:100])
        else:
            self._again(req_id, f"{code} {text}"[:100], paced=codes.pacing(text))
        return True

    def disconnected(self) -> None:
        self._asked.clear()
        self._state.backfill.disconnected()

    def _again(self, req_id: int, why: str, paced: bool) -> None:
        hole, _ = self._asked.pop(req_id)
        if not self._state.backfill.again(hole, now_s(), paced):
            self._bars.unfilled(hole, why)

    def _give_up(self, req_id: int, why: str) -> None:
        hole, _ = self._asked.pop(req_id)
        self._state.backfill.done(hole)
        self._bars.unfilled(hole, why)

    def _client(self) -> Any:
        assert self._state.session is not None
        return self._state.session.ib.client
