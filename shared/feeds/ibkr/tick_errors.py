"""What each TWS error means for lines, tick-by-tick streams, bars and history.

Sources: IBKR Campus "TWS API error codes" and the public issues that `error_codes` names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loguru import logger

from shared.control.connectivity import Link
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.tick_history import History
from shared.feeds.ibkr.tick_requests import TickRequests
from shared.feeds.ibkr.tick_state import SymbolFeed, TickState

# Another session of the same user has the data; it ends when it ends.
_COMPETING_RETRY_S: Final = 30.0
_PASSING_RETRY_S: Final = 30.0
# The same error of the same symbol is told once in so long.
_TOLD_S: Final = 900.0
_HISTORY_FARM_BROKEN: Final = 2105
_FARM_BROKEN: Final = frozenset({2103, _HISTORY_FARM_BROKEN})


class TickErrors:
    def __init__(
        self,
        state: TickState,
        requests: TickRequests,
        history: History,
        act: Callable[[Link, str], None],
    ) -> None:
        """`act` carries out a change of connectivity."""
        self._state = state
        self._requests = requests
        self._history = history
        self._act = act
        self._told: dict[tuple[str, str, int], float] = {}

    def on_error(self, req_id: int, code: int, text: str) -> None:
        """Every error and notice of the session, by what it is about."""
        if self._history.error(req_id, code, text):
            return
        kind, feed = self._requests.by_id.get(req_id, ("", None))
        if feed is None:
            self._on_system(req_id, code, text)
        elif codes.is_notice(code):
            self._tell(feed, kind, code, text, "a notice, the request goes on")
        elif kind == "line":
            self._on_line(feed, code, text)
        elif kind == "stream":
            self._on_stream(feed, code, text)
        else:
            self._on_bars(feed, code, text)

    def retry(self, now_s: float) -> None:
        """Ask again for what was refused, when its time has come."""
        state = self._state
        due = [part for part, at_s in state.retry_at_s.items() if at_s <= now_s]
        for symbol, kind in due:
            del state.retry_at_s[symbol, kind]
            if kind == "line":
                state.lines.include(symbol)
            elif kind == "stream":
                state.streams.include(symbol)
            else:
                state.no_bars.discard(symbol)

    def _on_system(self, req_id: int, code: int, text: str) -> None:
        state = self._state
        link = state.connectivity.notice(code, text, now_s())
        said = f"{code}: {text}"
        if link is not Link.NONE:
            logger.bind(code=code).warning("connectivity {}: {}", code, text)
            state.outlet.incident("connectivity", "", said[:200])
            self._act(link, said[:120])
        elif code in _FARM_BROKEN:
            logger.bind(code=code).warning("{}", text)
            state.outlet.incident("connectivity", "", said[:200])
            self._requests.interrupt_bars(said[:120])
            if code == _HISTORY_FARM_BROKEN:
                self._history.disconnected(now_s())
            else:
                self._requests.interrupt(state.symbols.values(), said[:120])
        elif code in codes.ROUTINE or code in codes.ALREADY_GONE:
            logger.bind(code=code, req_id=req_id).debug("{}", text)
        else:
            logger.bind(code=code, req_id=req_id).warning("gateway says {}: {}", code, text)

    # Lines

    def _on_line(self, feed: SymbolFeed, code: int, text: str) -> None:
        if code == codes.LINE_LIMIT:
            self._on_line_limit(feed, code, text)
        elif code == codes.NO_LIVE_DATA:
            self._on_no_live_data(feed, code, text)
        elif code in codes.ALREADY_GONE:
            self._requests.forget_line(feed, f"error {code}")
            self._state.lines.ended(feed.symbol)
        else:
            self._refuse_line(feed, code, text)

    def _on_no_live_data(self, feed: SymbolFeed, code: int, text: str) -> None:
        """10089 may go on with delayed data (rust-ibapi#677): wanted, or cancelled."""
        if self._state.policy.allow_delayed:
            self._tell(feed, "line", code, text, "delayed data may come")
            return
        self._requests.cancel_line(feed)
        self._refuse_line(feed, code, text)

    def _refuse_line(self, feed: SymbolFeed, code: int, text: str) -> None:
        retry_s = self._retry_s(code, text)
        self._tell(feed, "line", code, text, f"no quotes, next try in {retry_s:g} s")
        self._requests.forget_line(feed, f"error {code}")
        self._requests.close_bars(feed, f"error {code}")
        self._state.bars.ended(feed.symbol, now_s(), 0.0)
        self._state.lines.exclude(feed.symbol)
        self._state.retry_at_s[feed.symbol, "line"] = now_s() + retry_s

    def _on_line_limit(self, feed: SymbolFeed, code: int, text: str) -> None:
        """101: this request never existed; the symbol waits until there is room for it."""
        state = self._state
        state.counters.line_refusals += 1
        retry_s = state.policy.line_retry_s
        self._tell(feed, "line", code, text, f"dropped, one more is tried in {retry_s:g} s")
        if self._requests.by_id.get(feed.line_id) is not None:
            self._requests.forget_line(feed, "101: no line free")
        self._requests.close_bars(feed, "101: no line free")
        state.bars.ended(feed.symbol, now_s(), 0.0)
        state.lines.refused(feed.symbol, now_s())

    # Tick-by-tick

    def _on_stream(self, feed: SymbolFeed, code: int, text: str) -> None:
        state = self._state
        self._requests.forget_stream(feed, f"error {code}")
        if codes.stream_limit(code, text):
            state.streams.refused(feed.symbol, now_s())
            self._tell(feed, "stream", code, text, f"{state.streams.limit} streams from now on")
            return
        if code in codes.ALREADY_GONE:
            state.streams.ended(feed.symbol)
            return
        retry_s = self._retry_s(code, text)
        self._tell(feed, "stream", code, text, f"RTVolume instead, next try in {retry_s:g} s")
        state.streams.exclude(feed.symbol)
        state.retry_at_s[feed.symbol, "stream"] = now_s() + retry_s

    # Bars

    def _on_bars(self, feed: SymbolFeed, code: int, text: str) -> None:
        """The request is over, whatever the code; how soon another is sent depends on it."""
        state, symbol = self._state, feed.symbol
        if code == codes.LINE_LIMIT:
            # The symbol's line may be open: it goes as well, to make room for whole symbols.
            self._requests.forget_bars(feed, "101: no line free")
            if feed.line_id:
                self._requests.close_line(feed, "101: no line free")
            self._on_line_limit(feed, code, text)
            return
        self._requests.forget_bars(feed, f"error {code}")
        if code == codes.BUST:
            state.bars.at_once(symbol)
            self._tell(feed, "bars", code, text, "asked for again at once")
        elif codes.pacing(text):
            state.bars.too_many(symbol, now_s())
            self._tell(feed, "bars", code, text, "all new bars wait a minute")
        elif codes.no_permission(code, text):
            retry_s = state.policy.refused_retry_s
            state.bars.ended(symbol, now_s(), 0.0)
            state.no_bars.add(symbol)
            state.retry_at_s[symbol, "bars"] = now_s() + retry_s
            self._tell(feed, "bars", code, text, f"no bars, next try in {retry_s:g} s")
        else:
            competing = code == codes.COMPETING_SESSION
            wait_s = state.bars.ended(symbol, now_s(), _COMPETING_RETRY_S if competing else None)
            self._tell(feed, "bars", code, text, f"asked for again in {wait_s:g} s")

    # All of them

    def _retry_s(self, code: int, text: str) -> float:
        if code == codes.COMPETING_SESSION:
            return _COMPETING_RETRY_S
        lasting = code == codes.NO_SECURITY or code in codes.NO_STREAM
        if lasting or codes.no_permission(code, text):
            return self._state.policy.refused_retry_s
        return _PASSING_RETRY_S

    def _tell(self, feed: SymbolFeed, kind: str, code: int, text: str, then: str) -> None:
        """Say it where people look, once per symbol and code in a while."""
        key, at_s = (feed.symbol, kind, code), now_s()
        if at_s - self._told.get(key, -_TOLD_S) < _TOLD_S:
            return
        self._told[key] = at_s
        logger.bind(symbol=feed.symbol, code=code).warning(
            "{} {} {}: {} ({})", kind, feed.symbol, code, text, then
        )
        said = f"{kind} {code} {text}: {then}"
        self._state.outlet.incident("refused", feed.symbol, said[:200])
