"""Look, judge, publish, act and tell, once a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from loguru import logger

from shared.alerts.digest import Digest
from shared.alerts.sender import Sender
from shared.control.freshness import Freshness, Stale
from shared.control.healing import Action, Healing, HealingPolicy
from shared.control.telling import Telling
from shared.errors import StoreError
from shared.freshness_budgets import freshness_policy
from shared.market.observation import Observation
from shared.market.session import Session, TradingDay, session_at
from shared.process import Worker
from shared.store.control_inbox import Handler
from shared.store.market_session import write_session
from shared.store.stale_board import send_order, write_stale
from shared.store.watch_reader import WatchReader

_SESSION_EVERY_S: Final = 30.0
# A tick so late, or a clock that moved so far by itself, says nothing about the feeds; of an outage
# of Redis that the client has bridged, the late tick is all that is seen.
_JUMP_S: Final = 2.0
_CLOCK_STEP_S: Final = 2.0
# More symbols than these with one reason are one line in the ledger.
_SINGLE_LINES: Final = 3


class Calendar(Protocol):
    @property
    def name(self) -> str:
        """As it is published."""

    def days(self, around_ms: int) -> list[TradingDay]:
        """Trading days around a moment."""


class Watchdog:
    def __init__(self, worker: Worker, workers: Iterable[str], calendar: Calendar) -> None:
        """`workers` are those that ought to run."""
        settings = worker.settings
        self._worker = worker
        self._calendar = calendar
        self._reader = WatchReader(worker.store, worker.keys, settings)
        self._freshness = Freshness(freshness_policy(settings), list(workers), _now_ms())
        policy = settings.watchdog
        self._healing = Healing(
            HealingPolicy(
                policy.resubscribe_cooldown_s, policy.reconnect_cooldown_s, policy.actions_per_hour
            ),
            self._reader.watched(),
        )
        self._digest = Digest(settings.alerts.interval_s, settings.alerts.group_s)
        self._sender = Sender(settings.alerts.urls)
        self._stale: dict[str, Stale] = {}
        self._telling = Telling()
        self._session: Session | None = None
        self._session_due_s = 0.0
        self._blind = False
        self._counts = {"ticks": 0, "stale_total": 0, "actions": 0, "longest_tick_ms": 0.0}

    async def run(self, stop: asyncio.Event) -> None:
        sending = asyncio.ensure_future(self._sender.run())
        try:
            await self._watch(stop)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _watch(self, stop: asyncio.Event) -> None:
        interval_s = self._worker.settings.watchdog.interval_s
        last_s, offset_s = time.monotonic(), time.time() - time.monotonic()
        while not stop.is_set():
            now_s = time.monotonic()
            drift_s = time.time() - now_s - offset_s
            if now_s - last_s > interval_s + _JUMP_S or abs(drift_s) > _CLOCK_STEP_S:
                logger.warning("nothing was seen for {:.1f} s", now_s - last_s)
                self._freshness.resumed(_now_ms())
                offset_s += drift_s
            last_s = now_s
            await self._look()
            self._counts["longest_tick_ms"] = max(
                self._counts["longest_tick_ms"], round((time.monotonic() - now_s) * 1000, 3)
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, interval_s - (time.monotonic() - now_s))):
                    await stop.wait()

    async def stop(self) -> None:
        """`run` ends by its stop event."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        """It obeys nobody."""
        return {}

    def health(self) -> tuple[bool, str]:
        """Connected to what it watches; being stale is the feeds' trouble, not the watchdog's."""
        return not self._blind, "redis is away" if self._blind else ""

    def metrics(self) -> dict[str, Any]:
        surfaces: dict[str, int] = {}
        for one in self._stale.values():
            surfaces[one.surface] = surfaces.get(one.surface, 0) + 1
        sender = self._sender
        sent = {
            "alerts_sent": sender.sent,
            "alerts_failed": sender.failed,
            "alerts_dropped": sender.dropped,
            "alerts_left_out": self._digest.forgotten,
        }
        return {**self._counts, **sent, "stale": surfaces}

    async def _look(self) -> None:
        self._counts["ticks"] += 1
        session = self._now_in_session()
        try:
            await self._publish_session(session)
            seen = await self._reader.read(_now_ms(), session)
            if self._blind:
                self._blind = False
                self._freshness.resumed(seen.now_ms)
            stale = self._freshness.judge(seen)
            await self._publish(stale, seen.now_ms)
            await self._act(stale, seen)
        except StoreError as error:
            if not self._blind:
                logger.warning("cannot see: {}", error)
            self._blind = True
            return
        self._tell(stale)
        for message in self._digest.due(time.monotonic()):
            self._sender.post(message)

    def _now_in_session(self) -> Session:
        now_ms = _now_ms()
        return session_at(now_ms, self._calendar.days(now_ms), self._calendar.name)

    async def _publish_session(self, session: Session) -> None:
        changed = self._session is None or session.state != self._session.state
        if not changed and time.monotonic() < self._session_due_s:
            return
        worker = self._worker
        ttl_s = worker.settings.modules.data_ingestion.ttls.monitoring
        await write_session(worker.store, worker.keys, session, ttl_s)
        self._session_due_s = time.monotonic() + _SESSION_EVERY_S
        if changed:
            logger.info("market is {}", session.state)
        self._session = session

    async def _publish(self, stale: Mapping[str, Stale], now_ms: int) -> None:
        worker = self._worker
        rows = {
            field: {
                "age_s": one.age_s,
                "budget_s": one.budget_s,
                "since_ts": one.since_ms,
                "reason": one.reason,
            }
            for field, one in stale.items()
        }
        ttl_s = worker.settings.modules.data_ingestion.ttls.monitoring
        await write_stale(worker.store, worker.keys, rows, now_ms, ttl_s)

    async def _act(self, stale: Mapping[str, Stale], seen: Observation) -> None:
        holding = {symbol for (symbol, _), one in seen.depth.items() if one.slot_since_ms}
        # A parked book has nothing to renew; its turn is awaited.
        ready = [one for one in stale.values() if one.surface != "depth" or one.symbol in holding]
        for action in self._healing.act(ready, seen.now_ms):
            await self._order(action, seen.now_ms)

    async def _order(self, action: Action, now_ms: int) -> None:
        worker = self._worker
        order = {"command": action.command, "by": worker.name, "ts": now_ms}
        if action.symbol:
            order["symbol"] = action.symbol
        text = f"{action.worker} asked to {action.command} {action.symbol}".rstrip()
        worker.ledger.incident("action", action.symbol, f"{text}: {action.why} mute")
        logger.warning("{}: {} mute", text, action.why)
        self._counts["actions"] += 1
        await send_order(worker.store, worker.keys, action.worker, order)

    def _tell(self, stale: dict[str, Stale]) -> None:
        """Changes go to the ledger, to the log and to whoever is to be alerted."""
        now_s = time.monotonic()
        self._counts["stale_total"] += len(stale.keys() - self._stale.keys())
        begun, ended = self._telling.changes(stale)
        for one in begun:
            self._digest.raised(one.field, f"{one.field} is stale: {one.reason}", now_s)
        for one in ended:
            self._digest.cleared(one.field, f"{one.field} is fresh again", now_s)
        judged = self._session is None or self._session.state
        over = "fresh" if judged == "regular" else f"no longer judged or fresh, market {judged}"
        self._lines("stale", [(one, f"is stale: {one.reason}") for one in begun])
        self._lines("fresh", [(one, over) for one in ended])
        self._stale = stale

    def _lines(self, kind: str, changes: list[tuple[Stale, str]]) -> None:
        groups: dict[tuple[str, str], list[Stale]] = {}
        for one, text in changes:
            groups.setdefault((one.surface, text), []).append(one)
        for (surface, text), members in groups.items():
            log = logger.bind(surface=surface, symbols=[one.symbol for one in members])
            (log.warning if kind == "stale" else log.info)("{} {}", surface, text)
            if len(members) <= _SINGLE_LINES:
                for one in members:
                    self._worker.ledger.incident(kind, one.symbol, f"{surface} {text}")
            else:
                names = ", ".join(sorted(one.symbol for one in members))
                self._worker.ledger.incident(kind, "", f"{surface} of {names} {text}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
