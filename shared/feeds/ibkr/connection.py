"""Keeps one worker logged in at the gateway: client ids, retries, generations.

Shared by every IBKR worker; each has its own range of client ids.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ib_async import IB, StartupFetchNONE
from loguru import logger

from shared.control.backoff import delay_s
from shared.errors import ClientIdsExhausted, GatewayUnavailable
from shared.feeds.ibkr.error_codes import CLIENT_ID_IN_USE
from shared.feeds.ibkr.session import Session
from shared.settings import IbkrSettings

# ib_async's own throttle: requests beyond this in a second wait in its queue.
_RATE_INTERVAL_S: Final = 1
# A session that lasted this long was a success; the retry count starts again.
_STABLE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    host: str
    port: int
    client_id: int
    client_id_max_offset: int
    connect_timeout_s: float
    base_delay_s: float
    max_delay_s: float
    max_attempts: int
    max_messages_per_s: int

    @classmethod
    def from_settings(cls, ibkr: IbkrSettings, client_id: int) -> ConnectionPolicy:
        return cls(
            ibkr.host,
            ibkr.port,
            client_id,
            ibkr.client_id_max_offset,
            ibkr.connect_timeout_s,
            ibkr.base_delay_s,
            ibkr.max_delay_s,
            ibkr.max_reconnect_attempts,
            ibkr.max_messages_per_s,
        )


Serve = Callable[[Session], Awaitable[None]]
Report = Callable[[str, str], None]


class GatewayConnection:
    """Runs `serve` once per login, for ever, until `stop` is set or attempts are used up."""

    def __init__(self, policy: ConnectionPolicy, serve: Serve, report: Report) -> None:
        """`report(kind, text)` receives connects and disconnects for the incident log."""
        self._policy = policy
        self._serve = serve
        self._report = report
        self.generation = 0
        self.attempts = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, serve, reconnect.

        Raises:
            GatewayUnavailable: `max_attempts` tries in a row failed (0 = never).
        """
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            try:
                session = await self.open()
            except GatewayUnavailable as error:
                await self._retry_later(error, stop)
                continue
            started_s = loop.time()
            await self._use(session, stop)
            if loop.time() - started_s > _STABLE_S:
                self.attempts = 0
            if not stop.is_set():
                await self._retry_later(GatewayUnavailable(session.lost.result()), stop)

    async def open(self) -> Session:
        """Log in with the first free client id of the range.

        Raises:
            GatewayUnavailable: nothing listens, or it does not answer in time.
            ClientIdsExhausted: every id of the range is in use (326).
        """
        first, last = self._policy.client_id, self._policy.client_id
        last += self._policy.client_id_max_offset
        for client_id in range(first, last + 1):
            session = await self._login(client_id)
            if session is not None:
                return session
            logger.warning("client id {} is in use (326)", client_id)
        raise ClientIdsExhausted(f"client ids {first} to {last} are all in use (326)")

    async def _use(self, session: Session, stop: asyncio.Event) -> None:
        self._report("connected", f"client id {session.client_id}, generation {self.generation}")
        try:
            await self._serve(session)
        finally:
            session.close()
        if not stop.is_set():
            self._report("disconnected", session.lost.result())

    async def _retry_later(self, error: GatewayUnavailable, stop: asyncio.Event) -> None:
        self.attempts += 1
        limit = self._policy.max_attempts
        if limit and self.attempts > limit:
            raise GatewayUnavailable(f"gave up after {limit} attempts: {error}") from error
        policy = self._policy
        wait_s = delay_s(self.attempts, policy.base_delay_s, policy.max_delay_s, random.random())
        # The first failure is news, the tenth is not.
        log = logger.warning if self.attempts == 1 else logger.debug
        log("gateway {}:{} not connected: {}", policy.host, policy.port, error)
        try:
            async with asyncio.timeout(wait_s):
                await stop.wait()
        except TimeoutError:
            return

    async def _login(self, client_id: int) -> Session | None:
        """A session, or None when the gateway says that the id is taken."""
        ib = IB()
        ib.client.MaxRequests = self._policy.max_messages_per_s
        ib.client.RequestsInterval = _RATE_INTERVAL_S
        self.generation += 1
        session = Session(ib, self.generation)
        taken = asyncio.Event()
        session.on_error = lambda _req, code, _text: (
            taken.set() if code == CLIENT_ID_IN_USE else None
        )
        connect = asyncio.ensure_future(self._connect(ib, client_id))
        refused = asyncio.ensure_future(taken.wait())
        try:
            # 326 comes at once, yet connectAsync would wait out its whole timeout: race them.
            racing: set[asyncio.Future[Any]] = {connect, refused, session.lost}
            await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
            return await self._outcome(session, connect, taken)
        finally:
            session.on_error = None
            for task in (connect, refused):
                task.cancel()
            await asyncio.gather(connect, refused, return_exceptions=True)

    async def _outcome(
        self, session: Session, connect: asyncio.Future[None], taken: asyncio.Event
    ) -> Session | None:
        if taken.is_set():
            session.close()
            return None
        if not connect.done():
            session.close()
            raise GatewayUnavailable("gateway closed the connection during the login")
        error = connect.exception()
        if error is not None:
            session.close()
            raise GatewayUnavailable(_reason(error, self._policy)) from error
        session.keep_alive()
        return session

    async def _connect(self, ib: IB, client_id: int) -> None:
        policy = self._policy
        await ib.connectAsync(
            policy.host,
            policy.port,
            clientId=client_id,
            timeout=policy.connect_timeout_s,
            fetchFields=StartupFetchNONE,
        )


def _reason(error: BaseException, policy: ConnectionPolicy) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there, is the API port open?"
    if isinstance(error, TimeoutError):
        return (
            f"no login within {policy.connect_timeout_s:g} s: a dialog waiting in TWS, a port "
            "forwarder without a gateway, or a client id not yet released"
        )
    return f"{type(error).__name__}: {error}"
