from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from simulators.errors import WireError

from .body import Body
from .delivery import deliver, send_reset
from .http_wire import HEAD_BYTES_MAX, HttpRequest, parse_request
from .reply import HTML, Reply

if TYPE_CHECKING:
    from .server import Server

__all__ = ["Connection"]


class Connection:
    """One client's socket: requests are answered one after the other."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer

    async def run(self) -> None:
        try:
            while await self._answer_next():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self._server.counters.gone_early += 1
        finally:
            self._writer.close()

    async def _answer_next(self) -> bool:
        """False when this was the last request of the connection."""
        request = await self._read()
        if request is None:
            return False
        reply = self._server.vendor.respond(request, self._server.moment())
        if reply.delivery == "reset":
            send_reset(self._writer)
            return False
        if reply.delivery == "hang":
            await self._hang()
            return False
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        await self._send(request, reply)
        return request.keep_alive and reply.delivery != "cut_body"

    async def _read(self) -> HttpRequest | None:
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            request = parse_request(head[:-4])
            # A body is of no use to any function, but it stands before the next request.
            await self._reader.readexactly(int(request.headers.get("content-length", 0)))
            return request
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self._server.counters.malformed += 1
            return None
        except asyncio.LimitOverrunError:
            await self._refuse(f"head must be at most {HEAD_BYTES_MAX} bytes")
        except (WireError, ValueError) as error:
            await self._refuse(str(error))
        return None

    async def _refuse(self, text: str) -> None:
        self._server.counters.malformed += 1
        plain = HttpRequest("GET", "", {}, {"connection": "close"})
        await self._send(plain, Reply("malformed", Body.of(text), 400, HTML))

    async def _hang(self) -> None:
        """Until the client goes away or the fault is cleared."""
        gone = asyncio.ensure_future(self._reader.read(1))
        released = asyncio.ensure_future(self._server.hung_released.wait())
        try:
            await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            released.cancel()
            # A reset is taken note of here, else asyncio complains that nobody did.
            await asyncio.gather(gone, released, return_exceptions=True)

    async def _send(self, request: HttpRequest, reply: Reply) -> None:
        for number, part in enumerate(deliver(request, reply, time.time())):
            self._writer.write(part)
            self._server.counters.bytes_sent += len(part)
            await self._writer.drain()
            if number and reply.delivery == "trickle":
                await asyncio.sleep(reply.gap_s)
