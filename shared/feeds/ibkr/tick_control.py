"""What operators and the watchdog may ask of the trades feed; each answers why not, or nothing."""

from __future__ import annotations

from typing import Final

from shared.feeds.command_answers import Handlers, unknown_symbol
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.session_control import not_connected, reconnect
from shared.feeds.ibkr.tick_requests import TickRequests
from shared.feeds.ibkr.tick_state import TickState

RENEWED: Final = "asked for by command"


class TickControl:
    def __init__(self, state: TickState, requests: TickRequests) -> None:
        self._state = state
        self._requests = requests

    def handlers(self) -> Handlers:
        return {"resubscribe": self.resubscribe, "reconnect": self.reconnect}

    async def resubscribe(self, symbol: str) -> str:
        """Renew line, stream and bars; what was refused of them is tried again now."""
        state = self._state
        feed = state.symbols.get(symbol)
        if feed is None:
            return unknown_symbol(symbol, state.symbols)
        if why := not_connected(state.session, state.connectivity):
            return why
        refused = [part for part in state.retry_at_s if part[0] == symbol]
        for part in refused:
            state.retry_at_s[part] = now_s()
        if not (feed.line_id or feed.stream_id or feed.bars_id):
            return "" if refused else "no line is open for it, its turn comes"
        self._requests.renew(feed, RENEWED, bars=True)
        return ""

    async def reconnect(self, _symbol: str) -> str:
        return reconnect(self._state.session)
