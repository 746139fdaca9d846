"""What operators and the watchdog may ask of the depth feed; each answers why not, or nothing."""

from __future__ import annotations

from typing import Final

from shared.feeds.command_answers import Handlers, unknown_symbol
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.depth_requests import DepthRequests
from shared.feeds.ibkr.depth_state import DepthState
from shared.feeds.ibkr.session_control import not_connected, reconnect
from shared.market.depth import Pair

RENEWED: Final = "asked for by command"


class DepthControl:
    def __init__(self, state: DepthState, requests: DepthRequests) -> None:
        self._state = state
        self._requests = requests

    def handlers(self) -> Handlers:
        return {
            "resubscribe": self.resubscribe,
            "reconnect": self.reconnect,
            "clear_fallback": self.clear_fallback,
        }

    async def resubscribe(self, symbol: str) -> str:
        """Cancel and ask again for the symbol's pairs that hold a slot."""
        state = self._state
        if symbol not in state.contracts.instruments:
            return unknown_symbol(symbol, state.contracts.instruments)
        if why := not_connected(state.session, state.connectivity):
            return why
        live = [one for one in state.live() if one.pair.symbol == symbol]
        for subscription in live:
            self._requests.renew(subscription, RENEWED)
        return "" if live else self._why_not_live(symbol)

    async def reconnect(self, _symbol: str) -> str:
        return reconnect(self._state.session)

    async def clear_fallback(self, symbol: str) -> str:
        """Refused pairs take part in the rotation again; without a symbol, all of them."""
        state = self._state
        if symbol and symbol not in state.contracts.instruments:
            return unknown_symbol(symbol, state.contracts.instruments)
        found = [pair for pair in state.retry_at_s if symbol in ("", pair.symbol)]
        for pair in found:
            state.retry_at_s[pair] = now_s()
        return "" if found else "nothing is in fallback"

    def _why_not_live(self, symbol: str) -> str:
        rotation = self._state.rotation
        pairs = [pair for pair in rotation.pairs if pair.symbol == symbol]
        refused = [pair for pair in pairs if pair in rotation.excluded]
        if not pairs:
            return "no venue with depth is known for it"
        if len(refused) == len(pairs):
            return f"in fallback for {self._wait_s(refused):.0f} s, clear_fallback ends that"
        return "parked, its turn comes"

    def _wait_s(self, pairs: list[Pair]) -> float:
        due_s = [self._state.retry_at_s.get(pair, 0.0) for pair in pairs]
        return max(0.0, min(due_s) - now_s())
