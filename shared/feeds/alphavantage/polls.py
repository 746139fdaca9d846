"""The round of polls: take the most overdue, get leave for a call, fetch, hand over, account.

At most one request per symbol and data type is under way, each in a task of its own, so that a
symbol that hangs holds up nobody. Only one leave is asked for at a time: who has been due longest
when it comes gets it, and processes that share a key share its calls evenly.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, Generic

from loguru import logger

from shared.control.circuit import Attempt, Breakers, Outcome
from shared.control.restraint import Restraint
from shared.control.schedule import Poll, Schedule
from shared.errors import BadDocument, BudgetExhausted, StoreRefused, StoreUnavailable
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.poll_ports import DocumentT, PollPorts
from shared.feeds.alphavantage.tally import PollTally
from shared.feeds.command_answers import Handlers, unknown_symbol

# Something whose suspension is over but whose probe is under way is looked at again after so long.
_LOOK_AGAIN_S: Final = 1.0
_STORE_RETRY_S: Final = 0.25
# Of a stop's time: for documents that are being written.
_GRACE_S: Final = 0.8
_OUTCOMES: Final[dict[str, Outcome]] = {
    "data": "ok", "empty": "empty", "burst": "limited", "minute": "limited", "daily": "limited",
    "entitlement": "not_entitled",
}  # fmt: skip


class Poller(Generic[DocumentT]):
    def __init__(
        self,
        polls: Iterable[Poll],
        schedule: Schedule,
        breakers: Breakers,
        restraint: Restraint,
        ports: PollPorts[DocumentT],
    ) -> None:
        self._polls = list(polls)
        self._schedule = schedule
        self._breakers = breakers
        self._restraint = restraint
        self._ports = ports
        self._tasks: dict[asyncio.Task[None], Poll] = {}
        # Asked for by command: they go out though their circuit is open.
        self._probes: set[Poll] = set()
        self._failed: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self.tally = PollTally(
            attempts=Counter(dict.fromkeys((one.kind for one in self._polls), 0))
        )
        # Why no calls are made at all, and until when (monotonic seconds).
        self._held: tuple[str, float] = ("", 0.0)
        self._announced: tuple[str, float] = ("", 0.0)
        self.commands: Handlers = {"resubscribe": self._resubscribe, "reconnect": self._reconnect}

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop`; what is being written then is finished."""
        self._tell_suspensions()
        self._failed = asyncio.get_running_loop().create_future()
        dispatch = asyncio.ensure_future(self._dispatch())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            ends: set[asyncio.Future[Any]] = {dispatch, stopping, self._failed}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for done in (dispatch, self._failed):
                if done.done():
                    done.result()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_GRACE_S)
        finally:
            for task in (dispatch, stopping, *self._tasks):
                task.cancel()
            await asyncio.gather(dispatch, stopping, *self._tasks, return_exceptions=True)
            await self._ports.client.close()

    async def stop(self) -> None:
        """`run` ends by its stop event."""

    def slow_down(self, factor: float) -> None:
        """Intervals times `factor`, outside market hours; 1.0 is the usual pace."""
        self._schedule.slow_down(factor, time.monotonic())
        self._wake.set()

    def health(self) -> tuple[bool, str]:
        """Connected, and what is not as it should be."""
        said = []
        if held := self._held_back():
            said.append(held)
        if suspended := self._breakers.suspended(_now_ms()):
            names = [f"{one['symbol']}:{one['type']}" for one in suspended]
            shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            said.append(f"suspended: {shown}")
        if not self.tally.connected:
            said.append(f"no answer from the vendor: {self.tally.last_error or 'none yet'}")
        return self.tally.connected, "; ".join(said)

    def metrics(self) -> dict[str, Any]:
        now_s = time.monotonic()
        return {
            **self.tally.figures(),
            "in_flight": self._schedule.in_flight,
            "overdue_s": round(self._schedule.overdue_s(now_s), 3),
            "suspended": self._breakers.suspended(_now_ms()),
            "held_reason": self._held[0] if self._held[1] > now_s else "",
        }

    async def _dispatch(self) -> None:
        while True:
            now_s = time.monotonic()
            if self._schedule.due(now_s, self._allowed) is None:
                await self._sleep(self._set_aside(now_s))
                continue
            try:
                await self._ports.budget.acquire()
            except BudgetExhausted as error:
                await self._hold(error)
                continue
            self._held = ("", 0.0)
            poll = self._schedule.due(time.monotonic(), self._allowed)
            if poll is not None:
                self._start(poll)

    async def _resubscribe(self, symbol: str) -> str:
        """Poll the symbol now; what is suspended is probed. Why not, or nothing."""
        wanted = [poll for poll in self._polls if poll.symbol == symbol]
        if not wanted:
            return unknown_symbol(symbol, dict.fromkeys(poll.symbol for poll in self._polls))
        if held := self._held_back():
            return held
        self._probes.update(self._poll_now(wanted))
        return ""

    async def _reconnect(self, _symbol: str) -> str:
        """Fresh connections, and everything polled over them as far as calls allow."""
        await self._ports.client.reconnect()
        self._poll_now(self._polls)
        return ""

    def _poll_now(self, polls: Iterable[Poll]) -> list[Poll]:
        """Makes them due; those under way are left to themselves."""
        now_s, under_way = time.monotonic(), set(self._tasks.values())
        idle = [poll for poll in polls if poll not in under_way]
        for poll in idle:
            self._schedule.retry(poll, now_s, 0.0)
        self._wake.set()
        return idle

    def _held_back(self) -> str:
        reason, until_s = self._held
        left_s = until_s - time.monotonic()
        return f"no calls for {left_s:.0f} s: {reason}" if left_s > 0 else ""

    def _allowed(self, poll: Poll) -> bool:
        asked_for = poll in self._probes
        return asked_for or self._breakers.allows(poll.symbol, poll.kind, _now_ms())

    def _set_aside(self, now_s: float) -> float:
        """Move suspended polls that are due to their moment; how long nothing is due."""
        while self._schedule.wait_s(now_s) <= 0:
            poll = self._schedule.due(now_s, lambda _: True)
            if poll is None or self._allowed(poll):
                return 0.0
            now_ms = _now_ms()
            suspension = self._breakers.suspension(poll.symbol, poll.kind, now_ms)
            left_s = (suspension.until_ms - now_ms) / 1000 if suspension else 0.0
            self._schedule.skip(poll, now_s)
            self._schedule.retry(poll, now_s, left_s if left_s > 0 else _LOOK_AGAIN_S)
        return self._schedule.wait_s(now_s)

    async def _sleep(self, wait_s: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s if wait_s < 60 else 60):
                await self._wake.wait()

    async def _hold(self, error: BudgetExhausted) -> None:
        if error.reason != self._held[0]:
            logger.warning("no calls for {:.0f} s: {}", error.wait_s, error.reason)
            for poll in self._polls:
                self._ports.handler.tell(poll, "suspended", error.reason)
        self._held = (error.reason, time.monotonic() + error.wait_s)
        await self._sleep(min(error.wait_s, 30.0))

    def _start(self, poll: Poll) -> None:
        now_s = time.monotonic()
        self._schedule.start(poll, now_s)
        self._probes.discard(poll)
        self._ports.keep(self._breakers.begin(poll.symbol, poll.kind, _now_ms()))
        task = asyncio.ensure_future(self._poll(poll))
        self._tasks[task] = poll
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._wake.set()
        failed = self._failed
        if not task.cancelled() and (error := task.exception()) and failed and not failed.done():
            failed.set_exception(error)

    async def _poll(self, poll: Poll) -> None:
        answer = await self._ports.client.get(self._ports.handler.request(poll))
        outcome, text = _OUTCOMES.get(answer.kind, "failed"), answer.text
        self.tally.answer(poll, answer)
        if outcome in ("ok", "empty"):
            self._restraint.served()
            outcome, text = await self._deliver(poll, answer, outcome)
        wait_s = await self._hold_back(answer) if outcome == "limited" else None
        self._account(poll, outcome, text)
        if wait_s is None:
            self._schedule.finish(poll)
        else:
            self._schedule.retry(poll, time.monotonic(), wait_s)

    async def _deliver(self, poll: Poll, answer: Answer, outcome: Outcome) -> tuple[Outcome, str]:
        handler = self._ports.handler
        try:
            document = await handler.read(poll, answer)
        except BadDocument as error:
            self.tally.bad_documents += 1
            return "failed", str(error)
        until_s = time.monotonic() + self._ports.patience_s
        while True:
            try:
                await handler.write(poll, document)
                return outcome, ""
            except StoreUnavailable as error:
                self.tally.store_retries += 1
                if time.monotonic() > until_s:
                    self.tally.unstored += 1
                    logger.error("{} {}: too old to write, {}", poll.symbol, poll.kind, error)
                    return outcome, ""
                await asyncio.sleep(_STORE_RETRY_S)
            except StoreRefused as error:
                self.tally.unstored += 1
                logger.error("redis_write_failed: {} {}: {}", poll.symbol, poll.kind, error)
                return outcome, ""

    async def _hold_back(self, answer: Answer) -> float:
        """Make all processes of this key wait; for how long."""
        hold = self._restraint.refused(answer.kind, answer.certain, time.monotonic())
        wait_s = hold.wait_s
        if wait_s is None:
            wait_s = await self._ports.budget.window_left_s()
        # Calls that were under way together are refused together: told once.
        if self._announced[0] != hold.reason or time.monotonic() > self._announced[1]:
            self._announced = (hold.reason, time.monotonic() + wait_s)
            logger.warning("vendor refused, {}: no calls for {:.1f} s", hold.reason, wait_s)
            if hold.announce:
                text = f"{hold.reason}, no calls for {wait_s:.0f} s: {answer.text}"
                self._ports.incident("rate_limit", text)
        await self._ports.budget.cool_down(wait_s, hold.reason)
        return wait_s

    def _account(self, poll: Poll, outcome: Outcome, text: str) -> None:
        now_ms = _now_ms()
        changes = self._breakers.record(Attempt(poll.symbol, poll.kind, outcome, text), now_ms)
        self._ports.keep(changes)
        self.tally.outcome(poll, outcome, text)
        if outcome == "failed":
            suspended = self._breakers.suspension(poll.symbol, poll.kind, now_ms)
            self._ports.handler.tell(poll, "suspended" if suspended else "error", text)
        elif outcome == "not_entitled":
            self._tell_suspensions()

    def _tell_suspensions(self) -> None:
        for poll in self._polls:
            found = self._breakers.suspension(poll.symbol, poll.kind, _now_ms())
            if found is not None:
                status = "not_entitled" if found.entitlement else "suspended"
                self._ports.handler.tell(poll, status, found.reason)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
