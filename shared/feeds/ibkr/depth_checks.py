"""What is looked at on every tick: faults that last, silence, retries, ownership of quotes."""

from __future__ import annotations

from typing import Final

from loguru import logger

from shared.control.silence import Verdict
from shared.feeds.ibkr.depth_requests import DepthRequests
from shared.feeds.ibkr.depth_rows import Subscription
from shared.feeds.ibkr.depth_state import DepthState
from shared.feeds.ibkr.frames import FrameReader
from shared.feeds.ibkr.idle import IdleWatch
from shared.market.depth import BookState

QUOTING_EVERY_S: Final = 1.0


class DepthChecks:
    def __init__(self, state: DepthState, requests: DepthRequests) -> None:
        self._state = state
        self._requests = requests
        self._idle = IdleWatch(state.policy.probe_interval_s)
        self._quoted_s = 0.0
        self._window_s = -1.0

    def watch(self, reader: FrameReader, now_s: float) -> None:
        """A new generation's socket."""
        self._idle.watch(reader, now_s)

    def integrity(self, now_s: float) -> None:
        state = self._state
        for subscription in state.live():
            integrity, pair = subscription.integrity, subscription.pair
            fault = integrity.lasting(now_s)
            if fault:
                state.faults[fault] = state.faults.get(fault, 0) + 1
                text = f"{pair.venue}: book {fault} for longer than a second"
                state.outlet.incident("integrity", pair.symbol, text)
            if integrity.repair_due(now_s):
                self._requests.distrust(subscription, f"book {integrity.fault} lasts")

    @property
    def heard_s(self) -> float:
        """When the gateway was last heard, as seen by the last look; monotonic."""
        return self._idle.heard_s

    def must_probe(self, now_s: float) -> bool:
        """Judge every subscription's silence; True when the gateway itself has to be asked."""
        idle = self._idle.idle(now_s)
        if self._state.connectivity.down_since_s is not None:
            return idle
        for subscription in self._state.live():
            subscription.silence.heard(subscription.last_row_s)
            verdict = subscription.silence.judge(now_s)
            if verdict is Verdict.PROBE:
                return True
            if verdict is Verdict.RENEW:
                self._renew_mute(subscription, now_s)
        return idle

    def probed(self, now_s: float) -> None:
        """The gateway answered."""
        self._idle.idle(now_s)
        for subscription in self._state.live():
            subscription.silence.probed(now_s)

    def retry(self, now_s: float) -> None:
        state = self._state
        for pair in [pair for pair, due_s in state.retry_at_s.items() if due_s <= now_s]:
            del state.retry_at_s[pair]
            state.contracts.forget_spellings(pair)
            state.rotation.include(pair)
            state.outlet.fallback(pair, None)

    def announce(self, now_s: float) -> None:
        """Expiries follow the rotation window; ownership of quotes is renewed every second."""
        window_s = self._state.rotation.window_s()
        if window_s != self._window_s:
            self._window_s = window_s
            self._state.outlet.window(window_s)
        if now_s - self._quoted_s >= QUOTING_EVERY_S:
            self._quoted_s = now_s
            self._state.outlet.quoting(self._quoting(now_s))

    def _renew_mute(self, subscription: Subscription, now_s: float) -> None:
        pair, silence = subscription.pair, subscription.silence
        silence.renewed(now_s)
        if silence.fruitless == 1:
            logger.warning("{} (reqId {}): connected but mute", pair, subscription.req_id)
        self._state.outlet.incident("mute", pair.symbol, f"{pair.venue}: no row, resubscribed")
        self._requests.renew(subscription, "mute")

    def _quoting(self, now_s: float) -> dict[str, list[str]]:
        live: dict[str, list[str]] = {}
        if self._state.connectivity.down_since_s is not None:
            return live
        for pair, subscription in self._state.subscriptions.items():
            healthy = subscription.silence.healthy(now_s)
            filled = subscription.book.two_sided and subscription.state is BookState.LIVE
            if healthy and filled:
                live.setdefault(pair.symbol, []).append(pair.venue)
        return live
