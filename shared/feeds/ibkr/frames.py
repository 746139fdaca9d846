"""Takes the hot messages off the socket before ib_async decodes them.

ib_async decodes about 60,000 depth rows a second and slows down when it is behind, since it
copies its whole buffer per message. This reader walks the buffer by offset, hands the fields of
the wanted messages to a callback, and gives every other frame, in order and unchanged, to
ib_async. Until the API handshake is over it passes everything through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from shared.errors import ProtocolViolation

_PREFIX: Final = 4
# The largest frame of market data (a contract's details) is some 10 KB; a length beyond this
# is a stream that lost its framing, and waiting for its end would wait for ever.
MAX_FRAME_BYTES: Final = 16 * 1024 * 1024

RowHandler = Callable[[list[bytes]], None]


class ApiClient(Protocol):
    """The part of `ib_async.client.Client` used here."""

    conn: Any

    def isReady(self) -> bool: ...  # noqa: N802
    def _onSocketHasData(self, data: bytes) -> None: ...  # noqa: N802


class FrameReader:
    """Installed as `client.conn.data_received`; one per connection generation."""

    def __init__(
        self,
        client: ApiClient,
        handlers: Mapping[bytes, RowHandler],
        on_chunk: Callable[[], None],
    ) -> None:
        """`handlers` by message id (``b"13"``); `on_chunk` runs before each chunk's rows."""
        self._client = client
        self._by_head = {message_id + b"\0": handler for message_id, handler in handlers.items()}
        self._head_sizes = sorted({len(head) for head in self._by_head})
        self._on_chunk = on_chunk
        self._buffer = b""
        self._ready = False
        self.bytes_received = 0
        self.frames_received = 0

    def install(self) -> None:
        # An instance attribute: asyncio looks the method up on the protocol object, so the
        # library's code stays as installed.
        self._client.conn.data_received = self.data_received

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if not self._ready:
            # ib_async must see whole handshake chunks; it holds no partial frame of ours
            # afterwards only because `_handshake` keeps the rest back.
            data = self._handshake(data)
            if not data:
                return
        self._on_chunk()
        self._walk(self._buffer + data if self._buffer else data)

    def _handshake(self, data: bytes) -> bytes:
        """Feed ib_async frame by frame until it is ready; the bytes left over are ours."""
        buffer = self._buffer + data
        start = 0
        while not self._client.isReady():
            end = _frame_end(buffer, start)
            if end < 0:
                self._buffer = buffer[start:]
                return b""
            self._client._onSocketHasData(buffer[start:end])
            start = end
        self._ready = True
        self._buffer = b""
        return buffer[start:]

    def _walk(self, buffer: bytes) -> None:
        size = len(buffer)
        start = frames = 0
        passed_from = -1  # start of the run of frames that are ib_async's
        while True:
            end = _frame_end(buffer, start)
            if end < 0:
                break
            frames += 1
            handler = self._handler(buffer, start + _PREFIX)
            if handler is None:
                if passed_from < 0:
                    passed_from = start
            else:
                if passed_from >= 0:
                    self._client._onSocketHasData(buffer[passed_from:start])
                    passed_from = -1
                handler(buffer[start + _PREFIX : end].split(b"\0"))
            start = end
        if passed_from >= 0:
            self._client._onSocketHasData(buffer[passed_from:start])
        self.frames_received += frames
        self._buffer = buffer[start:] if start < size else b""

    def _handler(self, buffer: bytes, at: int) -> RowHandler | None:
        for size in self._head_sizes:
            handler = self._by_head.get(buffer[at : at + size])
            if handler is not None:
                return handler
        return None


def _frame_end(buffer: bytes, start: int) -> int:
    """Offset behind the frame at `start`, or -1 while it is incomplete.

    Raises:
        ProtocolViolation: the length prefix cannot be one.
    """
    head = start + _PREFIX
    if head > len(buffer):
        return -1
    length = int.from_bytes(buffer[start:head], "big")
    if length > MAX_FRAME_BYTES:
        raise ProtocolViolation(f"frame length was {length}, must be at most {MAX_FRAME_BYTES}")
    return head + length if head + length <= len(buffer) else -1
