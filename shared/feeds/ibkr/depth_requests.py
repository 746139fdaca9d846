"""Depth requests on the wire: opened, cancelled, renewed, and what their end means."""

from __future__ import annotations

from typing import Any, Final

from loguru import logger

from shared.control.rotation import Cancel, Command
from shared.errors import BadRow
from shared.feeds.ibkr.clock import now_ms, now_s
from shared.feeds.ibkr.depth_rows import DepthRows, Subscription
from shared.feeds.ibkr.depth_state import DepthState
from shared.market.book import Book
from shared.market.depth import GapWindow, Pair

# Rows beyond those published: a level that moves up from behind is then known already.
SPARE_ROWS: Final = 5
# A broken farm serves some pairs only: rows that went on prove that a pair had no gap.
_FARM_GAP_MS: Final = 1000
_FARM_NOTICES: Final = ("2103", "2105")


class DepthRequests:
    def __init__(self, state: DepthState) -> None:
        self._state = state
        self.rows = self.new_rows()

    def new_rows(self) -> DepthRows:
        """A new generation: request ids start again, so no row of the old one may match."""
        state = self._state
        self.rows = DepthRows(
            state.outlet.update, self._on_first_row, self._on_bad_row, state.counters
        )
        return self.rows

    def perform(self, commands: list[Command], why: str) -> None:
        """Carry out what the rotation decided."""
        opened: list[int] = []
        for command in commands:
            if isinstance(command, Cancel):
                self._cancel(self._state.subscriptions[command.pair], why)
                self._state.rotation.cancelled(command.slot, now_s())
            else:
                opened.append(self._subscribe(command.pair, command.slot))
        if opened:
            rotation = self._state.rotation
            batch = [str(pair) for pair in self._state.subscriptions]
            logger.bind(req_ids=opened, batch=batch, slots=rotation.slots).info(
                "rotation batch {}: {}", rotation.batches, ", ".join(batch)
            )

    def forget(self, subscription: Subscription, why: str) -> None:
        """The request is over, by our cancel or by the gateway's word; its book is parked."""
        state, pair = self._state, subscription.pair
        self.rows.remove(subscription)
        state.subscriptions.pop(pair, None)
        ended_s = now_s()
        state.coverage.ended(pair.symbol, pair.venue, ended_s, now_ms())
        state.tell("refused" if why == "refused" else "cancel", subscription, why)
        state.outlet.parked(pair)
        logger.bind(
            symbol=pair.symbol,
            venue=pair.venue,
            req_id=subscription.req_id,
            rows=subscription.rows,
            live_s=round(ended_s - subscription.since_s, 1),
        ).info("depth of {} ended: {} rows, {}", pair, subscription.rows, why)

    def renew(self, subscription: Subscription, reason: str) -> None:
        """Cancel and ask again: what happens in between is a gap."""
        self.interrupt([subscription], reason)
        self.perform(self._state.rotation.resubscribe(subscription.pair, now_s()), reason)

    def interrupt(self, subscriptions: list[Subscription], reason: str) -> None:
        """From its last row on, nothing of these pairs can be relied on until the next row."""
        for subscription in subscriptions:
            if subscription.rows:
                window = (subscription.last_row_ts, reason)
                self._state.interrupted.setdefault(subscription.pair, window)
            subscription.awaiting_row = True

    def cut_off(self, heard_s: float, reason: str) -> None:
        """The gateway was last heard then: turns that ended later had no data to their end."""
        parked = self._state.parked
        for pair, (ended_s, last_row_ts) in parked.items():
            if ended_s > heard_s:
                self._state.interrupted.setdefault(pair, (last_row_ts, reason))
        parked.clear()

    def distrust(self, subscription: Subscription, reason: str) -> None:
        """This book may be wrong: start it afresh, at most once a minute."""
        if not subscription.integrity.may_repair(now_s()):
            return
        pair = subscription.pair
        logger.warning("{} (reqId {}): {}", pair, subscription.req_id, reason)
        self._state.outlet.incident("repair", pair.symbol, f"{pair.venue}: {reason}")
        self.renew(subscription, f"integrity: {reason}"[:120])

    def _subscribe(self, pair: Pair, slot: int) -> int:
        state = self._state
        assert state.session is not None
        client: Any = state.session.ib.client
        req_id = int(client.getReqId())
        row_count = state.policy.depth_rows + SPARE_ROWS
        opened_s = now_s()
        memory = state.memory(pair)
        memory.integrity.reset()
        memory.silence.subscribed(opened_s)
        subscription = Subscription(
            pair, req_id, slot, Book(row_count), memory.integrity, memory.silence, opened_s
        )
        state.subscriptions[pair] = subscription
        self.rows.add(subscription)
        contract = state.contracts.contract(pair)
        client.reqMktDepth(req_id, contract, row_count, False, None)
        state.coverage.subscribed(pair.symbol)
        state.tell("subscribe", subscription, contract.exchange)
        return req_id

    def _cancel(self, subscription: Subscription, why: str) -> None:
        assert self._state.session is not None
        client: Any = self._state.session.ib.client
        client.cancelMktDepth(subscription.req_id, False)
        if subscription.rows:
            parked = (now_s(), subscription.last_row_ts)
            self._state.parked[subscription.pair] = parked
        self.forget(subscription, why)

    def _on_first_row(self, subscription: Subscription) -> None:
        state, pair = self._state, subscription.pair
        subscription.awaiting_row = False
        state.parked.pop(pair, None)
        window = state.interrupted.pop(pair, None)
        if window is not None and not self._went_on(subscription, window):
            state.outlet.gap(GapWindow(pair, window[0], self.rows.now_ms, window[1]))
        state.coverage.live(pair.symbol, pair.venue, self.rows.now_s)
        if subscription.rows == 0:
            state.tell("live", subscription)

    def _went_on(self, subscription: Subscription, window: tuple[int, str]) -> bool:
        since_ts, reason = window
        recent = self.rows.now_ms - since_ts < _FARM_GAP_MS
        # The first row of a renewed request proves nothing about the time before it.
        return subscription.rows > 0 and recent and reason.startswith(_FARM_NOTICES)

    def _on_bad_row(self, subscription: Subscription, error: BadRow) -> None:
        self.distrust(subscription, f"bad row: {error}")
