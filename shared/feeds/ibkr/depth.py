"""The depth feed: rotation's commands go out, rows and errors come in.

One `DepthFeed` lives as long as the worker; `serve` runs once per connection generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from loguru import logger

from shared.control.connectivity import Connectivity, Link
from shared.errors import ContractUnsupported
from shared.feeds.ibkr.clock import now_ms, now_s
from shared.feeds.ibkr.depth_checks import DepthChecks
from shared.feeds.ibkr.depth_control import DepthControl
from shared.feeds.ibkr.depth_errors import DepthErrors
from shared.feeds.ibkr.depth_requests import DepthRequests
from shared.feeds.ibkr.depth_state import DepthPolicy, DepthState
from shared.feeds.ibkr.outlet import DepthOutlet
from shared.feeds.ibkr.session import Session
from shared.market.depth import Pair, Refusal
from shared.universe import Instrument

TICK_S: Final = 0.1
# A promise of kept subscriptions (1102) is believed this long without a row.
VERIFY_S: Final = 5.0


class DepthFeed:
    """Books of every pair that holds a slot, and the reasons of those that do not."""

    def __init__(
        self,
        instruments: Iterable[Instrument],
        pinned: Iterable[str],
        policy: DepthPolicy,
        outlet: DepthOutlet,
    ) -> None:
        self._state = DepthState.create(instruments, policy, outlet)
        self._pinned = frozenset(pinned)
        self._requests = DepthRequests(self._state)
        self._checks = DepthChecks(self._state, self._requests)
        self._errors = DepthErrors(self._state, self._requests, self._link)
        self.commands = DepthControl(self._state, self._requests).handlers()
        self._unsupported: set[str] = set()
        self._last_seen: Mapping[str, int] = {}
        self._cut_off: set[str] = set()
        self._resolve_again_s = 0.0

    # What the worker asks

    def health(self) -> tuple[bool, str]:
        """(logged in with data to be expected, why degraded or an empty string)."""
        state = self._state
        connected = state.session is not None and state.connectivity.down_since_s is None
        if state.session is None:
            return connected, "not connected to the gateway"
        if state.connectivity.degraded:
            return connected, state.connectivity.degraded
        if not state.subscriptions and not state.rotation.cooling:
            return connected, "no depth subscription is open"
        return connected, ""

    def coverage_report(self) -> dict[str, dict[str, float | int]]:
        return self._state.coverage.report(now_s(), now_ms())

    def metrics(self) -> dict[str, object]:
        """Counters since the start and gauges of now."""
        state, counters = self._state, self._state.counters
        return {
            "updates": counters.updates,
            "stragglers": counters.stragglers,
            "bad_rows": counters.bad_rows,
            "resets": counters.resets,
            "book_faults": dict(state.faults),
            "crossed_books": state.faults.get("crossed", 0),
            "limit_refusals": state.limit_refusals,
            "subscriptions": len(state.subscriptions),
            "slots": state.rotation.slots,
            "batches": state.rotation.batches,
            "reconnects": max(0, state.connections - 1),
            "suspended": sorted(str(pair) for pair in state.rotation.excluded),
        }

    def restore(
        self,
        refusals: Iterable[Refusal],
        live: Iterable[tuple[Pair, int]],
        last_seen: Mapping[str, int],
    ) -> None:
        """What an earlier run left: refusals not yet due, and (pair, last ts) that were live.

        Those that were live begin, so that their gap is short; then those who have waited
        longest by `last_seen` (Unix ms by symbol).
        """
        state = self._state
        self._last_seen = last_seen
        for refusal in refusals:
            wait_s = min((refusal.retry_ts - now_ms()) / 1000, state.policy.fallback_retry_s)
            if wait_s > 0:
                state.rotation.exclude(refusal.pair)
                state.retry_at_s[refusal.pair] = now_s() + wait_s
        for pair, last_ts in live:
            state.interrupted[pair] = (last_ts, "restart")
            self._cut_off.add(pair.symbol)

    async def serve(self, session: Session) -> None:
        """Use one session until it is lost."""
        self._begin(session)
        try:
            await self._resolve(session)
            self._state.rotation.connected()
            while not session.lost.done():
                await self._tick(session)
                await asyncio.wait({session.lost}, timeout=TICK_S)
        finally:
            self._end(session)

    async def stop(self) -> None:
        """Cancel every open request on the wire and end the session."""
        session = self._state.session
        if session is None or session.lost.done():
            return
        self._requests.perform(self._state.rotation.stop(), "stop")
        await session.drain()
        session.fail("stopped")

    # One generation

    def _begin(self, session: Session) -> None:
        state = self._state
        state.session = session
        state.connections += 1
        state.connectivity = Connectivity(state.policy.restore_deadline_s)
        rows = self._requests.new_rows()
        session.on_error = self._errors.on_error
        session.on_decode_error = self._on_decode_error
        reader = session.take_frames(rows, state.outlet.congested)
        self._checks.watch(reader, now_s())

    def _end(self, session: Session) -> None:
        state = self._state
        reason = session.lost.result() if session.lost.done() else "cancelled"
        self._requests.interrupt(state.live(), f"disconnect: {reason}")
        self._requests.cut_off(self._checks.heard_s, f"disconnect: {reason}")
        for subscription in state.live():
            self._requests.forget(subscription, "disconnect")
        state.rotation.disconnected()
        state.session = None
        state.outlet.quoting({})

    async def _tick(self, session: Session) -> None:
        state, tick_s = self._state, now_s()
        if state.connectivity.overdue(tick_s):
            session.fail(f"no 1101 or 1102 within {state.policy.restore_deadline_s:g} s")
            return
        self._checks.retry(tick_s)
        if state.connectivity.down_since_s is None:
            self._requests.perform(state.rotation.decide(tick_s), "rotation")
        self._checks.integrity(tick_s)
        if self._checks.must_probe(tick_s):
            await self._probe(session)
        self._checks.announce(tick_s)
        if state.contracts.missing() and tick_s >= self._resolve_again_s:
            await self._resolve(session)

    async def _probe(self, session: Session) -> None:
        timeout_s = self._state.policy.probe_timeout_s
        if await session.probe(timeout_s):
            self._checks.probed(now_s())
        else:
            session.fail(f"no answer to a probe within {timeout_s:g} s")

    async def _resolve(self, session: Session) -> None:
        """Ask for contracts not known yet, and hand what is known to the rotation."""
        await session.until_lost(self._state.contracts.resolve(session.ib))
        self._resolve_again_s = now_s() + self._state.policy.fallback_retry_s
        rotation = self._state.rotation
        symbols = sorted(self._state.contracts.instruments, key=self._turn)
        for symbol in symbols:
            for pair in self._pairs(symbol):
                if pair in rotation.pairs:
                    continue
                suspended = pair in rotation.excluded
                rotation.include(pair)
                if suspended:
                    rotation.exclude(pair)
        rotation.pinned = frozenset(pair for pair in rotation.pairs if pair.symbol in self._pinned)

    def _turn(self, symbol: str) -> tuple[bool, bool, int]:
        """Pinned symbols, then those cut off, then who was seen longest ago."""
        last_seen_ms = self._last_seen.get(symbol, 0)
        return symbol not in self._pinned, symbol not in self._cut_off, last_seen_ms

    def _pairs(self, symbol: str) -> list[Pair]:
        """A symbol's pairs; one without a venue is warned about once and skipped."""
        try:
            return self._state.contracts.pairs(symbol)
        except ContractUnsupported as error:
            if symbol not in self._unsupported:
                self._unsupported.add(symbol)
                logger.warning("{}", error)
                self._state.outlet.incident("unsupported", symbol, str(error))
            return []

    def _link(self, link: Link, reason: str) -> None:
        """Act on a change of connectivity."""
        state, requests = self._state, self._requests
        if link is Link.DOWN:
            requests.interrupt(state.live(), reason)
        elif link is Link.RESUBSCRIBE:
            requests.interrupt(state.live(), reason)
            for subscription in state.live():
                requests.forget(subscription, reason)
            state.rotation.subscriptions_lost()
        elif link is Link.VERIFY:
            for subscription in state.live():
                # A row from before the outage does not keep the promise.
                subscription.silence.heard(subscription.last_row_s)
                subscription.silence.expect_by(now_s() + VERIFY_S)
        elif link is Link.RENEW:
            for subscription in state.live():
                requests.renew(subscription, reason)
        elif link is Link.REBUILD and state.session is not None:
            state.session.fail(reason)

    def _on_decode_error(self, text: str) -> None:
        # Which book the lost message belonged to is unknown, so none can be trusted.
        for subscription in self._state.live():
            self._requests.distrust(subscription, f"message not decoded: {text}")
