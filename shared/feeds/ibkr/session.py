"""One connection generation: a logged-in `IB()` that is used once and thrown away.

Reusing an `IB` object after a dead peer blocks until the old socket has flushed, and request ids
start again at 1 with every login, so nothing of one generation may reach the next.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from ib_async import IB
from loguru import logger

from shared.feeds.ibkr.frames import FrameReader, RowHandler

_LIBRARY_LOGGERS: Final = ("ib_async.Decoder", "ib_async.wrapper", "ib_async.client")
# Nobody else listens to these while no session is open: without a handler, logging's last resort
# puts plain text between the JSON lines.
logging.getLogger("ib_async").addHandler(logging.NullHandler())
# Declared dead by the kernel when sent bytes stay unacknowledged this long.
_USER_TIMEOUT_MS: Final = 10_000
_DRAIN_TIMEOUT_S: Final = 2.0
# Frames handled in one go, some one or two milliseconds: the longest that a flush has to wait.
SLICE_FRAMES: Final = 200
CONGESTED_WAIT_S: Final = 0.0005

ErrorHandler = Callable[[int, int, str], None]


class Rows(Protocol):
    """Who takes frames off the socket: see `FrameReader`."""

    @property
    def handlers(self) -> dict[bytes, RowHandler]: ...

    @property
    def on_done(self) -> Callable[[], None] | None: ...

    def on_slice(self) -> None: ...


class DecodeErrors(logging.Handler):
    """ib_async only logs a message it cannot decode: turn that log record into a call."""

    def __init__(self, on_error: Callable[[str], None]) -> None:
        super().__init__(level=logging.ERROR)
        self._on_error = on_error

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._on_error(record.getMessage()[:200])


class Session:
    """A live connection. `lost` resolves with the reason when it ends."""

    def __init__(self, ib: IB, generation: int) -> None:
        self.ib = ib
        self.generation = generation
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.on_error: ErrorHandler | None = None
        self.on_decode_error: Callable[[str], None] | None = None
        self._throttled = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._decode_errors = DecodeErrors(self._decode_error)
        self._reader: FrameReader | None = None
        self._congested: Callable[[], bool] = lambda: False
        self._slice_frames = SLICE_FRAMES
        self._walking: asyncio.TimerHandle | None = None
        self._reading = True
        ib.errorEvent += self._error
        ib.disconnectedEvent += self._disconnected
        ib.client.throttleStart += self._free.clear
        ib.client.throttleEnd += self._free.set
        for name in _LIBRARY_LOGGERS:
            logging.getLogger(name).addHandler(self._decode_errors)

    @property
    def client_id(self) -> int:
        return int(self.ib.client.clientId)

    def take_frames(
        self, rows: Rows, congested: Callable[[], bool], slice_frames: int = SLICE_FRAMES
    ) -> FrameReader:
        """Route the message ids of `rows` to it, ahead of ib_async; any exception ends the session.

        Rows are handled in slices, so that writing goes on between them; while `congested` says
        so, the socket is not read and the gateway holds the rest.
        """
        reader = self._reader = FrameReader(
            self.ib.client, rows.handlers, rows.on_slice, rows.on_done
        )
        self._congested = congested
        self._slice_frames = slice_frames
        connection: Any = self.ib.client.conn
        # An instance attribute: asyncio looks the method up on the protocol object, so the
        # library's code stays as installed.
        connection.data_received = self._data_received
        return reader

    def _data_received(self, data: bytes) -> None:
        assert self._reader is not None
        # Exceptions here would otherwise end in asyncio's own log and nowhere else.
        try:
            self._reader.feed(data)
            if self._walking is None:
                self._walk()
        except Exception as error:
            self._broken(error)

    def _walk(self) -> None:
        """One slice; the next follows on the loop as long as frames or congestion remain."""
        assert self._reader is not None
        self._walking = None
        if self.lost.done():
            return
        try:
            congested = self._congested()
            more = congested or self._reader.walk(self._slice_frames)
        except Exception as error:
            self._broken(error)
            return
        loop = asyncio.get_running_loop()
        if more:
            wait_s = CONGESTED_WAIT_S if congested else 0.0
            self._walking = loop.call_later(wait_s, self._walk)
        self._read(not more)

    def _read(self, wanted: bool) -> None:
        transport: Any = self.ib.client.conn.transport
        if transport is None or wanted == self._reading:
            return
        self._reading = wanted
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _broken(self, error: Exception) -> None:
        logger.opt(exception=error).error("reading from the gateway failed")
        self.fail(f"reading failed: {error}")

    def fail(self, reason: str) -> None:
        """End this generation; the first reason given stands."""
        if not self.lost.done():
            self.lost.set_result(reason)

    async def probe(self, timeout_s: float) -> bool:
        """Ask the gateway for its time: True when it answers within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.ib.reqCurrentTimeAsync()
        except (TimeoutError, ConnectionError):
            return False
        return True

    async def until_lost(self, work: Awaitable[None]) -> None:
        """Await `work`, but not beyond the end of the session."""
        task = asyncio.ensure_future(work)
        racing: set[asyncio.Future[Any]] = {task, self.lost}
        await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=self.lost.done())

    async def drain(self) -> None:
        """Wait until requests held back by the message-rate limit are on the wire."""
        try:
            async with asyncio.timeout(_DRAIN_TIMEOUT_S):
                await self._free.wait()
        except TimeoutError:
            logger.warning("requests still held back by the message rate limit after 2 s")

    def close(self) -> None:
        """Detach and drop the socket; sent bytes still go out, a dead peer is not waited for."""
        self.fail("closed by us")
        for name in _LIBRARY_LOGGERS:
            logging.getLogger(name).removeHandler(self._decode_errors)
        self.ib.errorEvent -= self._error
        self.ib.disconnectedEvent -= self._disconnected
        transport = self.ib.client.conn.transport
        if self.ib.client.isReady():
            self.ib.disconnect()
        else:
            # IB.disconnect asks for statistics, which a login that was refused does not have.
            self.ib.client.disconnect()  # type: ignore[no-untyped-call]
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()

    def keep_alive(self) -> None:
        """Let the kernel notice a peer that vanished without a word."""
        connection: Any = self.ib.client.conn
        sock = connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)

    def _error(self, req_id: int, code: int, text: str, _contract: Any) -> None:
        if self.on_error is None:
            return
        # aeventkit swallows a handler's exception without a log, so it is caught here.
        try:
            self.on_error(req_id, code, text)
        except Exception as error:
            logger.opt(exception=error).error("error handler failed, code {}", code)
            self.fail(f"error handler failed: {error}")

    def _decode_error(self, text: str) -> None:
        if self.on_decode_error is not None:
            self.on_decode_error(text)

    def _disconnected(self) -> None:
        self.fail("gateway closed the connection")
