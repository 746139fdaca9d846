"""One login that looks around: the gateway's version and clock, and what the account may see.

Its client id is of the probe's range, it asks for no more depth than it is told there is room
for, and cancels each request; workers that run notice nothing of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shared.errors import ClientIdsExhausted, ContractUnsupported, GatewayUnavailable
from shared.feeds.ibkr.connection import ConnectionPolicy, GatewayConnection
from shared.feeds.ibkr.contracts import ContractBook
from shared.feeds.ibkr.diagnosis_requests import Asked, Requests
from shared.feeds.ibkr.session import Session
from shared.market.depth import Pair
from shared.market.venue import canonical
from shared.settings import IbkrSettings
from shared.universe import Instrument

_LOGIN_S: Final = 4.0
_CLOCK_S: Final = 1.5
_CONTRACTS_S: Final = 3.0
_DATA_S: Final = 2.5
_POLL_S: Final = 0.05
_LEAST_COOLDOWN_S: Final = 0.5
# Venues are tried in turns of as many as there are slots; more turns would take too long.
_TURNS: Final = 2
# Symbols whose venue only the gateway knows.
_MOST_UNKNOWN: Final = 10
_BROKEN_LINK: Final = frozenset({1100, 2103, 2105, 2110})

State = Literal["in", "refused", "unreachable", "silent", "closed", "ids_taken"]


@dataclass(frozen=True, slots=True)
class Plan:
    """`depth`: symbols whose venues are tried, `slots` at a time; `line`: one symbol's quotes."""

    depth: tuple[Instrument, ...] = ()
    slots: int = 0
    line: Instrument | None = None


@dataclass(frozen=True, slots=True)
class GatewayReport:
    """`venues` that were tried, `untried` those there was no time for, in our spelling."""

    state: State
    text: str = ""
    client_id: int = 0
    server_version: int = 0
    skew_s: float | None = None
    venues: tuple[Asked, ...] = ()
    untried: tuple[str, ...] = ()
    line: Asked | None = None
    link: tuple[str, ...] = ()


async def diagnose(ibkr: IbkrSettings, plan: Plan) -> GatewayReport:
    """Never raises for what the gateway does."""
    impatient = msgspec.structs.replace(
        ibkr, connect_timeout_s=min(ibkr.connect_timeout_s, _LOGIN_S)
    )
    policy = ConnectionPolicy.from_settings(impatient, ibkr.probe_client_id)
    try:
        session = await GatewayConnection(policy, _serve_nobody, _report_nothing).open()
    except ClientIdsExhausted as error:
        return GatewayReport("ids_taken", str(error))
    except GatewayUnavailable as error:
        return GatewayReport(await _kind_of(error, ibkr), str(error))
    visit = _Visit(session, ibkr, plan)
    try:
        return await visit.report()
    except ConnectionError:
        # A request on a line that has just been dropped.
        return GatewayReport("closed", "it was logged in")
    finally:
        session.close()


class _Visit:
    def __init__(self, session: Session, ibkr: IbkrSettings, plan: Plan) -> None:
        self._session = session
        self._ibkr = ibkr
        self._plan = plan
        named = {one.symbol: one for one in first_of_each_venue(plan.depth)} if plan.slots else {}
        self._depth_symbols = tuple(named)
        if plan.line is not None:
            named.setdefault(plan.line.symbol, plan.line)
        self._contracts = ContractBook(named)
        self._requests = Requests(session, self._contracts, ibkr.depth_rows)
        self._link: dict[int, str] = {}
        session.on_error = self._on_error

    async def report(self) -> GatewayReport:
        session, client = self._session, self._session.ib.client
        skew_s = await self._skew_s()
        pairs: list[Pair] = []
        unsupported: list[Asked] = []
        if self._contracts.instruments:
            self._requests.listen()
            await self._resolve()
            pairs, unsupported = self._pairs()
        tried = await self._ask(pairs)
        return GatewayReport(
            "closed" if session.lost.done() else "in",
            session.lost.result() if session.lost.done() else "",
            session.client_id,
            int(client.serverVersion()),
            skew_s,
            (*(request.asked() for request in self._requests.depth), *unsupported),
            tuple(pair.venue for pair in pairs[tried:]),
            self._requests.line.asked() if self._requests.line else None,
            tuple(self._link.values()),
        )

    async def _skew_s(self) -> float | None:
        """By how much the gateway's clock is ahead; it gives whole seconds."""
        began_s = time.time()
        try:
            async with asyncio.timeout(_CLOCK_S):
                said = await self._session.ib.reqCurrentTimeAsync()
        except (TimeoutError, ConnectionError):
            return None
        return said.timestamp() + 0.5 - (began_s + time.time()) / 2

    async def _resolve(self) -> None:
        try:
            async with asyncio.timeout(_CONTRACTS_S):
                await self._contracts.resolve(self._session.ib)
        except TimeoutError:
            # Each is asked for by the name it has here.
            return

    def _pairs(self) -> tuple[list[Pair], list[Asked]]:
        """One pair of each venue, and the symbols that have none."""
        found: dict[str, Pair] = {}
        unsupported = []
        for symbol in self._depth_symbols:
            try:
                for pair in self._contracts.pairs(symbol):
                    found.setdefault(pair.venue, pair)
            except ContractUnsupported as error:
                unsupported.append(Asked(symbol, "", text=str(error)))
        return list(found.values()), unsupported

    async def _ask(self, pairs: Sequence[Pair]) -> int:
        """Open what there is room for, wait, cancel; returns how many venues had their turn."""
        requests, slots = self._requests, self._plan.slots
        if self._plan.line is not None:
            requests.open_line(self._plan.line.symbol)
        turns = [pairs[at : at + slots] for at in range(0, len(pairs), slots or 1)][:_TURNS]
        for number, turn in enumerate(turns or [()]):
            if number:
                await asyncio.sleep(max(self._ibkr.slot_cooldown_s, _LEAST_COOLDOWN_S))
            for pair in turn:
                requests.open_depth(pair)
            await self._wait()
            requests.cancel_depth()
        requests.cancel_line()
        if not self._session.lost.done():
            await self._session.drain()
        return sum(len(turn) for turn in turns)

    async def _wait(self) -> None:
        loop, lost = asyncio.get_running_loop(), self._session.lost
        until_s = loop.time() + _DATA_S
        while self._requests.waiting() and not lost.done() and loop.time() < until_s:
            await asyncio.wait({lost}, timeout=_POLL_S)

    def _on_error(self, req_id: int, code: int, text: str) -> None:
        if self._requests.on_error(req_id, code, text):
            return
        if code in _BROKEN_LINK:
            self._link[code] = f"{code} {' '.join(text.split())}"


def first_of_each_venue(instruments: Sequence[Instrument]) -> list[Instrument]:
    """A symbol for each venue, and some of those whose venue only the gateway knows."""
    seen: set[str] = set()
    found, unknown = [], 0
    for one in instruments:
        names = {canonical(venue) for venue in one.venues or (one.primary,) if venue}
        if names - seen:
            seen |= names
            found.append(one)
        elif not names and unknown < _MOST_UNKNOWN:
            unknown += 1
            found.append(one)
    return found


async def _kind_of(error: GatewayUnavailable, ibkr: IbkrSettings) -> State:
    if isinstance(error.__cause__, ConnectionRefusedError):
        return "refused"
    if isinstance(error.__cause__, TimeoutError):
        return "silent" if await _accepts(ibkr) else "unreachable"
    return "unreachable" if isinstance(error.__cause__, OSError) else "closed"


async def _accepts(ibkr: IbkrSettings) -> bool:
    """A login that got no answer: was there somebody, or nobody at that address?"""
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(ibkr.host, ibkr.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _serve_nobody(session: Session) -> None:
    session.fail("a diagnosis does not reconnect")


def _report_nothing(_kind: str, _text: str) -> None:
    """It has no incident log."""


__all__ = ["Asked", "GatewayReport", "Plan", "diagnose", "first_of_each_venue"]
