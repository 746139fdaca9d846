"""What each TWS error means for the depth feed (facts: error codes for market data)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loguru import logger

from shared.control.connectivity import Link
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.clock import now_ms, now_s
from shared.feeds.ibkr.depth_requests import DepthRequests
from shared.feeds.ibkr.depth_rows import Subscription
from shared.feeds.ibkr.depth_state import DepthState
from shared.market.depth import Pair, Refusal, RotationEvent

# Requests the gateway ended for a passing reason (competing session, pacing, bad request).
_ENDED_RETRY_S: Final = 30.0
_HALT_RETRY_S: Final = 2.0
_HALT_RETRY_MAX_S: Final = 300.0
_ENDS_REQUEST: Final = frozenset({101, 102, 321, 322, 10197})


class DepthErrors:
    def __init__(
        self, state: DepthState, requests: DepthRequests, act: Callable[[Link, str], None]
    ) -> None:
        """`act` carries out a change of connectivity."""
        self._state = state
        self._requests = requests
        self._act = act
        self._halts: dict[str, int] = {}
        # Refusals already warned about: each later retry of the pair is no news.
        self._warned: set[tuple[Pair, int]] = set()

    def on_error(self, req_id: int, code: int, text: str) -> None:
        """Every error and notice of the session, by scope: one request, or all."""
        subscription = self._requests.rows.by_id(req_id) if req_id >= 0 else None
        if subscription is None:
            self._on_system(req_id, code, text)
        elif code == codes.DEPTH_LIMIT:
            self._on_limit(subscription, text)
        elif code == codes.DEPTH_RESET:
            self._log(subscription, code, text, "book emptied, kept")
            self._requests.rows.reset(subscription)
        elif code == codes.DEPTH_HALTED:
            self._on_halted(subscription, text)
        elif code in codes.ALREADY_GONE:
            self._requests.forget(subscription, f"error {code}")
            self._state.rotation.ended(subscription.pair)
        elif code == codes.NO_SECURITY or code in codes.ENTITLEMENT:
            self._on_refused(subscription, code, text)
        elif code in _ENDS_REQUEST:
            self._park(subscription, code, text, _ENDED_RETRY_S)
        else:
            self._on_notice(subscription, code, text)

    def _on_system(self, req_id: int, code: int, text: str) -> None:
        state = self._state
        link = state.connectivity.notice(code, text, now_s())
        if link is not Link.NONE:
            logger.bind(code=code).warning("connectivity {}: {}", code, text)
            state.outlet.incident("connectivity", "", f"{code}: {text}"[:200])
            self._act(link, f"{code}: {text}"[:120])
        elif code in (2103, 2105):
            self._requests.interrupt(state.live(), f"{code}: {text}"[:120])
            state.outlet.incident("connectivity", "", f"{code}: {text}"[:200])
            logger.bind(code=code).warning("{}", text)
        elif code in codes.ROUTINE or code in codes.ALREADY_GONE:
            logger.bind(code=code, req_id=req_id).debug("{}", text)
        else:
            logger.bind(code=code, req_id=req_id).warning("gateway says {}: {}", code, text)

    def _on_notice(self, subscription: Subscription, code: int, text: str) -> None:
        if code == codes.SMART_DEPTH_NOTICE:
            # A notice, not a refusal: rows keep flowing.
            logger.bind(symbol=subscription.pair.symbol, **codes.depth_venues(text)).info(
                "depth permissions (2152)"
            )
            return
        self._log(subscription, code, text, "notice")

    def _on_limit(self, subscription: Subscription, text: str) -> None:
        """309: this request never existed (a cancel would give 310), the others live on."""
        state, pair = self._state, subscription.pair
        before = state.rotation.slots
        state.limit_refusals += 1
        self._requests.forget(subscription, "refused")
        state.rotation.refused(pair, codes.depth_limit(text), now_s())
        cooldown_s = state.policy.rotation.refusal_cooldown_s
        detail = f"slots {before} -> {state.rotation.slots}, new requests wait {cooldown_s:g} s"
        logger.bind(
            symbol=pair.symbol,
            venue=pair.venue,
            req_id=subscription.req_id,
            slots=state.rotation.slots,
        ).warning("depth limit (309) for {}: {}", pair, detail)
        state.outlet.rotation(
            RotationEvent("cooldown", pair, subscription.slot, subscription.req_id, detail)
        )
        state.outlet.incident("309", pair.symbol, f"{pair.venue}: {detail}")

    def _on_refused(self, subscription: Subscription, code: int, text: str) -> None:
        if code in codes.ADVISORY and subscription.rows:
            self._log(subscription, code, text, "rows flow, so depth goes on")
            return
        state, pair = self._state, subscription.pair
        if code in codes.WRONG_SPELLING and state.contracts.try_other_spelling(pair):
            self._requests.forget(subscription, "refused")
            state.rotation.ended(pair)
            return
        self._park(subscription, code, text, state.policy.fallback_retry_s)

    def _on_halted(self, subscription: Subscription, text: str) -> None:
        """316 asks to resubscribe; each further halt of a pair waits twice as long."""
        state, pair = self._state, subscription.pair
        halts = self._halts[pair.symbol] = self._halts.get(pair.symbol, 0) + 1
        wait_s = min(_HALT_RETRY_MAX_S, _HALT_RETRY_S * 2.0 ** min(halts - 1, 10))
        self._log(subscription, codes.DEPTH_HALTED, text, f"resubscribing in {wait_s:g} s")
        self._requests.renew(subscription, "316: halted")
        state.rotation.exclude(pair)
        state.retry_at_s[pair] = now_s() + wait_s

    def _park(self, subscription: Subscription, code: int, text: str, retry_s: float) -> None:
        """No depth for this pair for now; say so where other programs see it."""
        state, pair = self._state, subscription.pair
        self._log(subscription, code, text, f"no depth, next try in {retry_s:g} s")
        self._warned.add((pair, code))
        self._requests.interrupt([subscription], f"error {code}")
        self._requests.forget(subscription, "refused")
        state.rotation.exclude(pair)
        state.retry_at_s[pair] = now_s() + retry_s
        ts_ms = now_ms()
        refusal = Refusal(pair, code, text[:300], ts_ms, ts_ms + int(retry_s * 1000))
        state.outlet.fallback(pair, refusal)
        state.outlet.incident("refused", pair.symbol, f"{pair.venue}: {code} {text}"[:200])

    def _log(self, subscription: Subscription, code: int, text: str, then: str) -> None:
        pair = subscription.pair
        level = "INFO" if (pair, code) in self._warned else "WARNING"
        logger.bind(
            symbol=pair.symbol, venue=pair.venue, req_id=subscription.req_id, code=code
        ).log(level, "{} {}: {} ({})", code, pair, text, then)
