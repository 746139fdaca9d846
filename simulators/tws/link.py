from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final, cast

from .session import Action, Close, Session

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["Link"]

HIGH_WATER_BYTES: Final = 1 << 20
_SMALL_CHUNK_BYTES: Final = 1_000
_SMALL_CHUNKS_PER_TICK: Final = 400
_LARGE_CHUNK_WAIT_S: Final = 1.0


class Link(asyncio.Protocol):
    """The socket of one client, and the transport faults put on it."""

    def __init__(self, gateway: Gateway, number: int, silent: bool) -> None:
        self._gateway = gateway
        self.number = number
        self.session = Session(gateway.world, number)
        self.opened_s = gateway.moment().mono_s
        # Nothing is read or answered any more, though the socket stays open.
        self.mute = silent
        self._slow = False
        # Bytes held back to be written in chunks of another size.
        self._held = bytearray()
        self._held_since_s = 0.0
        self._transport: asyncio.Transport | None = None

    @property
    def ready(self) -> bool:
        return self.session.client_id is not None and not self.mute

    @property
    def blocked(self) -> bool:
        """Market data for this client is not generated while this is true."""
        limit = max(HIGH_WATER_BYTES, 2 * self._gateway.chunk_bytes)
        return self._slow or self.mute or len(self._held) > limit

    @property
    def buffered_bytes(self) -> int:
        queued = self._transport.get_write_buffer_size() if self._transport else 0
        return queued + len(self._held)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self._gateway.link_opened(self)

    def data_received(self, data: bytes) -> None:
        if not self.mute:
            self.perform(self.session.receive(data, self._gateway.moment()))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.session.disconnected(self._gateway.moment())
        self._gateway.link_closed(self)

    def pause_writing(self) -> None:
        self._slow = True
        self._gateway.world.counters.slow_reader_pauses += 1

    def resume_writing(self) -> None:
        self._slow = False

    def perform(self, actions: list[Action]) -> None:
        replies: list[bytes] = []
        for action in actions:
            if isinstance(action, Close):
                self.write(b"".join(replies))
                self.close()
                return
            replies.append(action.data)
        self.write(b"".join(replies))

    def write(self, data: bytes) -> None:
        if not data or self.mute or self._transport is None or self._transport.is_closing():
            return
        self._gateway.world.counters.bytes_sent += len(data)
        if self._gateway.chunk_bytes or self._held:
            if not self._held:
                self._held_since_s = self._gateway.moment().mono_s
            self._held += data
        else:
            self._transport.write(data)

    def release(self, now_s: float) -> None:
        """Writes what is held back, as far as one tick allows."""
        if not self._held or self.mute or self._transport is None:
            return
        chunk = self._gateway.chunk_bytes
        if chunk == 0:
            self._release_bytes(len(self._held), 1)
        elif chunk < _SMALL_CHUNK_BYTES:
            self._release_bytes(chunk, _SMALL_CHUNKS_PER_TICK)
        elif len(self._held) >= chunk or now_s - self._held_since_s >= _LARGE_CHUNK_WAIT_S:
            self._release_bytes(chunk, 1)
            self._held_since_s = now_s

    def silence(self) -> None:
        self.mute = True
        if self._transport:
            self._transport.pause_reading()

    def close(self) -> None:
        if self._transport:
            self._release_bytes(max(1, len(self._held)), 1)
            self._transport.close()

    def reset(self) -> None:
        """RST instead of FIN: linger of zero seconds."""
        if self._transport:
            sock = cast(socket.socket, self._transport.get_extra_info("socket"))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _release_bytes(self, chunk: int, times: int) -> None:
        assert self._transport is not None
        for _ in range(times):
            if not self._held:
                return
            self._transport.write(bytes(self._held[:chunk]))
            del self._held[:chunk]
