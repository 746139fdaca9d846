"""A link between client and Redis that carries one command at a time and can fail between two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto

import hiredis

from tests.support.ports import free_port


class Fate(Enum):
    CARRY = auto()
    CUT_BEFORE = auto()  # Redis never sees the command
    CUT_AFTER = auto()  # Redis has carried it out, its reply is lost


Judge = Callable[[list[bytes]], Awaitable[Fate]]


async def carry(command: list[bytes]) -> Fate:
    return Fate.CARRY


class Relay:
    def __init__(self, redis_port: int) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.judge: Judge = carry
        self.cuts = 0
        self._redis_port = redis_port
        self._links: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def close(self) -> None:
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            redis_reader, redis_writer = await asyncio.open_connection(
                "127.0.0.1", self._redis_port
            )
        except OSError:
            writer.transport.abort()
            return
        try:
            await self._carry_commands(reader, writer, redis_reader, redis_writer)
        except OSError:
            self.cuts += 1
        finally:
            writer.transport.abort()
            redis_writer.transport.abort()

    async def _carry_commands(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        redis_reader: asyncio.StreamReader,
        redis_writer: asyncio.StreamWriter,
    ) -> None:
        # A request is an array of strings, which is a reply's format too.
        requests = hiredis.Reader()
        while data := await reader.read(1 << 16):
            requests.feed(data)
            while (command := requests.gets()) is not False:
                fate = await self.judge(command)
                if fate is Fate.CUT_BEFORE:
                    raise ConnectionResetError
                redis_writer.write(_packed(command))
                reply = await _reply(redis_reader)
                if fate is Fate.CUT_AFTER:
                    raise ConnectionResetError
                writer.write(reply)


@asynccontextmanager
async def relay_to(redis_port: int) -> AsyncIterator[Relay]:
    relay = Relay(redis_port)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", relay.port)
    try:
        yield relay
    finally:
        server.close()
        await relay.close()


async def _reply(reader: asyncio.StreamReader) -> bytes:
    replies, raw = hiredis.Reader(), b""
    while replies.gets() is False:
        data = await reader.read(1 << 16)
        if not data:
            raise ConnectionResetError
        raw += data
        replies.feed(data)
    return raw


def _packed(command: list[bytes]) -> bytes:
    parts = [b"$%d\r\n%b\r\n" % (len(part), part) for part in command]
    return b"*%d\r\n%b" % (len(command), b"".join(parts))
