"""Depth of a few symbols for a few seconds, straight from the gateway; Redis is not touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from scripts.ladder import Ladder, UpdateRate, levels, refusal_text, shortfall
from shared.control.integrity import Integrity
from shared.control.silence import Silence
from shared.errors import BadRow, ContractUnsupported
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.connection import ConnectionPolicy, GatewayConnection
from shared.feeds.ibkr.contracts import ContractBook
from shared.feeds.ibkr.depth_requests import SPARE_ROWS
from shared.feeds.ibkr.depth_rows import DepthRows, Subscription
from shared.feeds.ibkr.session import Session
from shared.market.book import Book
from shared.market.depth import DepthUpdate, Pair
from shared.settings import IbkrSettings
from shared.universe import Instrument

FRAME_S: Final = 0.25
_CONNECTIVITY: Final = frozenset({1100, 2103, 2105, 2110})
_ENDS_REQUEST: Final = codes.ENTITLEMENT | {
    codes.DEPTH_LIMIT,
    codes.NO_SECURITY,
    codes.DEPTH_HALTED,
}


@dataclass(slots=True)
class Watch:
    """One pair's request and what the gateway said of it."""

    pair: Pair
    wire_venue: str = ""
    subscription: Subscription | None = None
    refusal: str = ""
    notices: list[str] = field(default_factory=list)
    rate: UpdateRate = field(default_factory=UpdateRate)

    def ladder(self) -> Ladder:
        held = self.subscription
        if held is None:
            return Ladder(self.pair, self.wire_venue, (), (), refusal=self.refusal)
        bids, asks = levels(held.book)
        return Ladder(
            self.pair,
            self.wire_venue,
            bids,
            asks,
            held.rows,
            self.rate.per_s,
            held.state,
            self.refusal,
            tuple(self.notices),
        )

    @property
    def has_rows(self) -> bool:
        return self.subscription is not None and self.subscription.rows > 0

    def sample(self, now_s: float) -> None:
        if self.subscription is not None:
            self.rate.observe(now_s, self.subscription.rows)


class DepthProbe:
    """Asks for depth of every venue of the given symbols and keeps their books."""

    def __init__(self, ibkr: IbkrSettings, instruments: Iterable[Instrument]) -> None:
        self.ibkr = ibkr
        self._contracts = ContractBook({item.symbol: item for item in instruments})
        self._watches: list[Watch] = []
        self._no_security = ""
        self._rows: DepthRows | None = None
        self._session: Session | None = None
        self.client_id = 0
        # How long requests were open, and why they ended early.
        self.watched_s = 0.0
        self.lost = ""

    def ladders(self) -> list[Ladder]:
        return [watch.ladder() for watch in self._watches]

    def problem(self) -> str:
        """Why this probe failed, in one line; empty when it did not."""
        found = [shortfall(self.ladders(), round(self.watched_s, 1)), self.lost]
        return "; ".join(text for text in found if text)

    async def run(self, seconds: float, on_frame: Callable[[], None]) -> None:
        """Watch for `seconds`; `on_frame` runs four times a second meanwhile.

        Raises:
            GatewayUnavailable: no login.
            ClientIdsExhausted: every client id of the probe's range is in use.
        """
        policy = ConnectionPolicy.from_settings(self.ibkr, self.ibkr.probe_client_id)
        session = await GatewayConnection(policy, self._serve_nobody, _report_nothing).open()
        self._session, self.client_id = session, session.client_id
        try:
            self._begin(session)
            await self._contracts.resolve(session.ib)
            self._open_all()
            await self._watch(session, seconds, on_frame)
        finally:
            await self._leave(session)

    def _begin(self, session: Session) -> None:
        rows = DepthRows(_keep_nothing, _first_row, self._on_bad_row)
        self._rows = rows
        session.on_error = self._on_error
        session.take_frames(rows, _never_congested)

    def _open_all(self) -> None:
        for symbol, instrument in self._contracts.instruments.items():
            unknown = symbol in self._contracts.missing() and not instrument.venues
            try:
                pairs = self._contracts.pairs(symbol)
            except ContractUnsupported as error:
                reason = self._no_security if unknown else ""
                self._watches.append(Watch(Pair(symbol, ""), refusal=reason or str(error)))
                continue
            for pair in pairs:
                watch = Watch(pair)
                self._watches.append(watch)
                self._open(watch)

    def _open(self, watch: Watch) -> None:
        assert self._session is not None and self._rows is not None
        client: Any = self._session.ib.client
        req_id = int(client.getReqId())
        row_count = self.ibkr.depth_rows + SPARE_ROWS
        contract = self._contracts.contract(watch.pair)
        silence = Silence(self.ibkr.depth_stale_s)
        opened_s = asyncio.get_running_loop().time()
        watch.wire_venue = contract.exchange
        watch.subscription = Subscription(
            watch.pair, req_id, 0, Book(row_count), Integrity(), silence, opened_s
        )
        self._rows.add(watch.subscription)
        client.reqMktDepth(req_id, contract, row_count, False, None)

    async def _watch(self, session: Session, seconds: float, on_frame: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        opened_s = loop.time()
        while self._open_watches() and self.watched_s < seconds and not session.lost.done():
            await asyncio.wait({session.lost}, timeout=min(FRAME_S, seconds - self.watched_s))
            self.watched_s = loop.time() - opened_s
            for watch in self._open_watches():
                watch.sample(loop.time())
            on_frame()

    def _open_watches(self) -> list[Watch]:
        return [watch for watch in self._watches if not watch.refusal]

    async def _leave(self, session: Session) -> None:
        """A request left open would hold its slot: each is cancelled before the line is dropped."""
        if session.lost.done():
            self.lost = session.lost.result()
        else:
            client: Any = session.ib.client
            for watch in self._open_watches():
                if watch.subscription is not None:
                    client.cancelMktDepth(watch.subscription.req_id, False)
            await session.drain()
        session.close()

    def _on_error(self, req_id: int, code: int, text: str) -> None:
        watch = self._watch_of(req_id)
        if watch is None:
            self._on_system(code, text)
        elif code == codes.DEPTH_RESET:
            assert self._rows is not None and watch.subscription is not None
            self._rows.reset(watch.subscription)
        elif code in _ENDS_REQUEST and not (code in codes.ADVISORY and watch.has_rows):
            self._on_refused(watch, code, text)
        else:
            watch.notices.append(f"{code} {' '.join(text.split())}")

    def _on_system(self, code: int, text: str) -> None:
        if code == codes.NO_SECURITY:
            self._no_security = refusal_text(code, text)
        elif code in _CONNECTIVITY:
            for watch in self._watches:
                watch.notices.append(f"{code} {' '.join(text.split())}")

    def _on_refused(self, watch: Watch, code: int, text: str) -> None:
        """The request is gone at the gateway: nothing to cancel."""
        assert self._rows is not None and watch.subscription is not None
        self._rows.remove(watch.subscription)
        if code in codes.WRONG_SPELLING and self._contracts.try_other_spelling(watch.pair):
            self._open(watch)
        else:
            watch.refusal = refusal_text(code, text)

    def _on_bad_row(self, subscription: Subscription, error: BadRow) -> None:
        watch = self._watch_of(subscription.req_id)
        if watch is not None:
            watch.notices.append(f"bad row: {error}")

    def _watch_of(self, req_id: int) -> Watch | None:
        for watch in self._watches:
            if watch.subscription is not None and watch.subscription.req_id == req_id:
                return watch
        return None

    async def _serve_nobody(self, session: Session) -> None:
        """One login is enough for a probe: `GatewayConnection.run` is never used."""
        session.fail("a probe does not reconnect")


def _first_row(subscription: Subscription) -> None:
    subscription.awaiting_row = False


def _keep_nothing(_update: DepthUpdate) -> None:
    """Books are read when a frame is drawn, not with every row."""


def _report_nothing(_kind: str, _text: str) -> None:
    """A probe has no incident log."""


def _never_congested() -> bool:
    """Nothing is written, so nothing can fall behind."""
    return False
