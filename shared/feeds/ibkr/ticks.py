"""The trades feed: quotes, trades and bars of every symbol over one connection.

One `TickFeed` lives as long as the worker; `serve` runs once per connection generation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Final

from loguru import logger

from shared.control.backfill import Hole
from shared.control.connectivity import Connectivity, Link
from shared.control.silence import Verdict
from shared.feeds.ibkr import tick_report
from shared.feeds.ibkr.bars import BarKeeper
from shared.feeds.ibkr.clock import now_ms, now_s
from shared.feeds.ibkr.idle import IdleWatch
from shared.feeds.ibkr.session import Session
from shared.feeds.ibkr.tick_control import TickControl
from shared.feeds.ibkr.tick_errors import TickErrors
from shared.feeds.ibkr.tick_history import TICKS_AT_ONCE, History, Told
from shared.feeds.ibkr.tick_outlet import TickOutlet
from shared.feeds.ibkr.tick_requests import MUTE_TRADES, TickRequests
from shared.feeds.ibkr.tick_rows import Reactions
from shared.feeds.ibkr.tick_state import SymbolFeed, TickPolicy, TickState
from shared.market.bar import Bar, Candle
from shared.market.loss import Loss
from shared.market.trade import Halt, Trade
from shared.normalize.ibkr_history import historical_trades
from shared.universe import Instrument

TICK_S: Final = 0.1
# A tick costs less than half of a depth row: some one or two milliseconds too.
SLICE_TICKS: Final = 400
EVERY_S: Final = 1.0
# A promise of kept subscriptions (1102) is believed this long without a tick.
VERIFY_S: Final = 5.0
# A bar that began within so long says that a broken farm was not the one of the bars.
BARS_WENT_ON_S: Final = 15


class TickFeed:
    def __init__(
        self,
        instruments: Iterable[Instrument],
        policy: TickPolicy,
        outlet: TickOutlet,
        max_messages_per_s: int,
    ) -> None:
        """`instruments` most important first."""
        self._state = state = TickState.create(instruments, policy, outlet)
        self._bars = BarKeeper(state)
        self._history = History(state, self._bars, self._tell_trades)
        reactions = Reactions(
            self._on_bar, self._on_halt, self._on_first_tick, self._history.answer
        )
        self._requests = TickRequests(state, self._bars, reactions, max_messages_per_s)
        self._errors = TickErrors(state, self._requests, self._history, self._link)
        self.commands = TickControl(state, self._requests).handlers()
        self._idle = IdleWatch(policy.probe_interval_s)
        self._every_s = 0.0
        self._resolve_again_s = 0.0

    # What the worker asks

    def health(self) -> tuple[bool, str]:
        return tick_report.health(self._state)

    def metrics(self) -> dict[str, object]:
        return tick_report.metrics(self._state, self._requests.parser)

    def candles(self) -> None:
        """Write the candles that are due: a minute ends whether the gateway is there or not."""
        self._bars.tick(self._state.policy.candle_grace_s)

    def restore(
        self,
        symbol: str,
        stored: tuple[list[Bar], list[Candle]],
        covered_ms: int | None,
        traded_ms: int,
    ) -> None:
        """What an earlier run left of a symbol, and when its newest print came (0: none)."""
        self._bars.restore(symbol, *stored, covered_ms)
        if traded_ms:
            self._state.symbols[symbol].interrupted = (traded_ms, "restart")

    def recall(self, symbol: str, stored: Iterable[Trade]) -> None:
        """Prints that an earlier run published: those of an outage are told from them."""
        self._requests.recall(symbol, stored)

    async def serve(self, session: Session) -> None:
        """Use one session until it is lost."""
        self._begin(session)
        try:
            await self._resolve(session)
            self._state.lines.connected()
            self._state.streams.connected()
            while not session.lost.done():
                await self._tick(session)
                await asyncio.wait({session.lost}, timeout=TICK_S)
        finally:
            self._end(session)

    async def stop(self) -> None:
        """Cancel every open request on the wire, write the candles and end the session."""
        session = self._state.session
        if session is not None and not session.lost.done():
            self._requests.cancel_all()
            await session.drain()
            self._cover()
            session.fail("stopped")
        self._history.stopped()
        self._bars.flush(self._state.policy.candle_grace_s)

    # One generation

    def _begin(self, session: Session) -> None:
        state = self._state
        state.session = session
        state.connections += 1
        state.connectivity = Connectivity(state.policy.restore_deadline_s)
        rows = self._requests.new_rows()
        session.on_error = self._errors.on_error
        session.on_decode_error = self._on_decode_error
        reader = session.take_frames(rows, state.outlet.congested, SLICE_TICKS)
        self._idle.watch(reader, now_s())
        self._requests.start()

    def _end(self, session: Session) -> None:
        reason = session.lost.result() if session.lost.done() else "cancelled"
        self._requests.lost_all(f"disconnect: {reason}")
        self._history.disconnected(now_s())
        self._state.session = None

    async def _tick(self, session: Session) -> None:
        state, tick_s = self._state, now_s()
        if state.connectivity.overdue(tick_s):
            session.fail(f"no 1101 or 1102 within {state.policy.restore_deadline_s:g} s")
            return
        self._errors.retry(tick_s)
        if state.connectivity.down_since_s is None:
            self._requests.decide(tick_s)
            self._history.decide(time.time(), tick_s)
        if self._must_probe(tick_s):
            await self._probe(session)
        if tick_s - self._every_s >= EVERY_S:
            self._every_s = tick_s
            self._each_second(tick_s)
        if state.contracts.unnamed() and tick_s >= self._resolve_again_s:
            await self._resolve(session)

    def _each_second(self, tick_s: float) -> None:
        state, rows = self._state, self._requests.rows
        healthy = [s for s, f in state.symbols.items() if f.line_id and f.silence.healthy(tick_s)]
        if not state.connectivity.degraded:
            state.outlet.offer_quotes(healthy, now_ms())
        for feed in state.symbols.values():
            for trade in feed.splice.due(tick_s):
                rows.publish(trade)
            self._requests.unreadable(feed, now_ms())
            self._heal_mute(feed, tick_s)
        self._cover()

    def _heal_mute(self, feed: SymbolFeed, tick_s: float) -> None:
        """Renew what is silent while the rest of the symbol proves that it should not be."""
        if self._state.connectivity.degraded or self._state.connectivity.broken_history_farms:
            return
        if feed.bars_id and feed.mute.bars_mute(tick_s):
            self._state.outlet.incident("mute", feed.symbol, "trades without bars, asked again")
            self._requests.renew_bars(feed, "mute bars")
        live = bool(feed.line_id and feed.bars_id) and not feed.quote.delayed
        if live and feed.mute.prints_mute(tick_s):
            self._state.outlet.incident("mute", feed.symbol, "bars without trades, asked again")
            self._requests.renew(feed, MUTE_TRADES, bars=False)

    def _cover(self) -> None:
        heard_ms = self._requests.rows.now_ms
        if heard_ms and self._state.connectivity.down_since_s is None:
            self._state.outlet.covered(self._bars.covered(heard_ms))

    async def _probe(self, session: Session) -> None:
        timeout_s = self._state.policy.probe_timeout_s
        if not await session.probe(timeout_s):
            session.fail(f"no answer to a probe within {timeout_s:g} s")
            return
        self._idle.idle(now_s())
        for feed in self._state.symbols.values():
            feed.silence.probed(now_s())

    def _must_probe(self, tick_s: float) -> bool:
        """Judge every line's silence; True when the gateway itself has to be asked."""
        idle = self._idle.idle(tick_s)
        if self._state.connectivity.down_since_s is not None:
            return idle
        for feed in self._state.symbols.values():
            if not feed.line_id:
                continue
            feed.silence.heard(feed.heard_s)
            verdict = feed.silence.judge(tick_s)
            if verdict is Verdict.PROBE:
                return True
            if verdict is Verdict.RENEW:
                self._renew_mute(feed, tick_s)
        return idle

    def _renew_mute(self, feed: SymbolFeed, tick_s: float) -> None:
        feed.silence.renewed(tick_s)
        if feed.silence.fruitless == 1:
            logger.bind(symbol=feed.symbol).warning("{}: connected but mute", feed.symbol)
        self._state.outlet.incident("mute", feed.symbol, "no tick, asked for again")
        self._requests.renew(feed, "mute", bars=feed.silence.fruitless == 1)

    async def _resolve(self, session: Session) -> None:
        """Ask for contracts that the universe does not tell from their namesakes."""
        unnamed = self._state.contracts.unnamed()
        if unnamed:
            await session.until_lost(self._state.contracts.resolve(session.ib, unnamed))
        self._resolve_again_s = now_s() + self._state.policy.refused_retry_s

    # Reactions

    def _on_bar(self, feed: SymbolFeed, bar: Bar) -> None:
        self._bars.bar(feed, bar, self._requests.rows.now_s)

    def _on_halt(self, halt: Halt) -> None:
        kind = "halt" if halt.halted else "unhalt"
        self._state.outlet.incident(kind, halt.symbol, f"tape marker of {halt.ts_ms}")

    def _on_first_tick(self, feed: SymbolFeed) -> None:
        """The symbol's prints come again: what may be missing ends here."""
        if self._state.connectivity.degraded or feed.interrupted is None:
            return
        from_ms, reason = feed.interrupted
        feed.interrupted = None
        until_ms = self._requests.rows.now_ms
        if not self._state.policy.backfill_trades:
            self._state.outlet.loss(Loss("trades", feed.symbol, from_ms, until_ms, reason))
            return
        hole = Hole(feed.symbol, from_ms // 1000, until_ms // 1000 + 1, reason, "trades")
        beyond = self._state.backfill.add(hole, time.time())
        if beyond is not None:
            times = (beyond.from_s * 1000, beyond.to_s * 1000)
            self._state.outlet.loss(Loss("trades", feed.symbol, *times, f"{reason}: beyond reach"))

    def _tell_trades(self, hole: Hole, fields: Sequence[bytes]) -> Told:
        """Publish those prints of an answer that lie in the window and did not come live."""
        rows = self._requests.rows
        parser = self._requests.parser
        told = historical_trades(fields, parser, hole.symbol, rows.now_ms, hole.to_s)
        inside = [t for t in told.trades if hole.from_s <= t.ts_ms // 1000 < hole.to_s]
        assert rows.published is not None
        missing = rows.published[hole.symbol].missing(inside)
        for trade in missing:
            rows.publish(trade)
        return Told(len(missing), told.unreadable, told.newest_s, told.rows >= TICKS_AT_ONCE)

    def _link(self, link: Link, reason: str) -> None:
        """Act on a change of connectivity."""
        state, requests = self._state, self._requests
        if link is Link.DOWN:
            requests.interrupt(state.symbols.values(), reason)
            requests.interrupt_bars(reason)
        elif link is Link.RESUBSCRIBE:
            requests.lost_all(reason)
            self._history.disconnected(now_s())
            state.lines.connected()
            state.streams.connected()
        elif link is Link.VERIFY:
            self._verify()
        elif link is Link.RENEW:
            self._renew_all(reason)
        elif link is Link.RENEW_HISTORY:
            for feed in state.symbols.values():
                requests.renew_bars(feed, reason)
        elif link is Link.REBUILD and state.session is not None:
            state.session.fail(reason)

    def _verify(self) -> None:
        """1102 promises that everything goes on: what was lost meanwhile is fetched."""
        for feed in self._state.symbols.values():
            feed.silence.heard(feed.heard_s)
            feed.silence.expect_by(now_s() + VERIFY_S)
        self._bars.restored(list(self._state.bars.live))

    def _renew_all(self, reason: str) -> None:
        """A data farm is back: requests may be dead; bars only where none came meanwhile."""
        for feed in self._state.symbols.values():
            went_on = now_ms() / 1000 - feed.mute.bar_t < BARS_WENT_ON_S
            self._requests.renew(feed, reason, bars=not went_on)
            if went_on:
                self._bars.restored([feed.symbol])

    def _on_decode_error(self, text: str) -> None:
        self._state.outlet.incident("decode", "", f"message not decoded: {text}"[:200])
