"""Takes the hot messages off the socket before ib_async decodes them.

ib_async decodes about 60,000 depth rows a second and slows down when it is behind, since it
copies its whole buffer per message. This reader walks the buffer by offset, hands the fields of
the wanted messages to a callback, and gives every other frame, in order and unchanged, to
ib_async. Until the API handshake is over it passes everything through.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from shared.errors import ProtocolViolation

_PREFIX: Final = 4
# The largest frame of market data (a contract's details) is some 10 KB; a length beyond this
# is a stream that lost its framing, and waiting for its end would wait for ever. A day of 5-second
# bars is some 1.2 MB.
MAX_FRAME_BYTES: Final = 4 * 1024 * 1024

# A message id and the NUL behind it.
_SHORT: Final = 2
_LONG: Final = 3

_length: Final = struct.Struct(">I").unpack_from

RowHandler = Callable[[list[bytes]], None]


class ApiClient(Protocol):
    """The part of `ib_async.client.Client` used here."""

    def isReady(self) -> bool: ...  # noqa: N802
    def _onSocketHasData(self, data: bytes) -> None: ...  # noqa: N802


class FrameReader:
    """Frames of one connection generation: `feed` bytes in, `walk` hands frames out."""

    def __init__(
        self,
        client: ApiClient,
        handlers: Mapping[bytes, RowHandler],
        on_slice: Callable[[], None],
        on_done: Callable[[], None] | None = None,
    ) -> None:
        """`handlers` by message id (``b"13"``) of one or two digits.

        `on_slice` runs before the rows of each walk, `on_done` behind them: what came in several
        frames of one moment (a bid and its ask) is whole then.
        """
        self._client = client
        self._by_head = {message_id + b"\0": handler for message_id, handler in handlers.items()}
        sizes = {len(head) for head in self._by_head}
        if not sizes <= {_SHORT, _LONG}:
            raise ValueError(f"message ids must have one or two digits, were {sorted(handlers)}")
        self._has_short = _SHORT in sizes
        self._on_slice = on_slice
        self._on_done = on_done
        self._buffer = b""
        self._start = 0
        # Bytes that the last frame still lacks, and what came of them since.
        self._missing = 0
        self._parts: list[bytes] = []
        self._ready = False
        self.bytes_received = 0
        self.frames_received = 0

    def feed(self, data: bytes) -> None:
        """Bytes of the socket; until the login is over, ib_async gets its frames at once.

        Raises:
            ProtocolViolation: a frame length that cannot be one.
        """
        self.bytes_received += len(data)
        if len(data) < self._missing:
            # Joined when the frame is whole: at every chunk, a large frame in small chunks would
            # be copied over and over.
            self._parts.append(data)
            self._missing -= len(data)
            return
        if self._parts:
            data = b"".join([*self._parts, data])
            self._parts = []
        self._missing = 0
        start = self._start
        self._buffer = self._buffer[start:] + data if start < len(self._buffer) else data
        self._start = 0
        if not self._ready:
            self._handshake()

    def walk(self, limit: int) -> bool:
        """Hand out at most `limit` frames, ours and ib_async's together; True when more wait.

        Raises:
            ProtocolViolation: a frame length that cannot be one.
        """
        if not self._ready:
            return False
        self._on_slice()
        more = self._hand_out(limit)
        if self._on_done is not None:
            self._on_done()
        return more

    def _hand_out(self, limit: int) -> bool:
        buffer, start, size = self._buffer, self._start, len(self._buffer)
        by_head, has_short = self._by_head, self._has_short
        passed_from = -1  # start of the run of frames that are ib_async's
        frames = 0
        while frames < limit:
            body = start + _PREFIX
            if body > size:
                break
            end = body + _length(buffer, start)[0]
            if end > size:
                _check_length(end - body)
                if not self._parts:
                    self._missing = end - size
                break
            handler = by_head.get(buffer[body : body + _LONG])
            if handler is None and has_short:
                handler = by_head.get(buffer[body : body + _SHORT])
            if handler is None:
                if passed_from < 0:
                    passed_from = start
            else:
                if passed_from >= 0:
                    self._client._onSocketHasData(buffer[passed_from:start])
                    passed_from = -1
                handler(buffer[body:end].split(b"\0"))
            frames += 1
            start = end
        self._start = start
        self.frames_received += frames
        if passed_from >= 0:
            self._client._onSocketHasData(buffer[passed_from:start])
        return frames == limit and _frame_end(buffer, start) > 0

    def _handshake(self) -> None:
        """ib_async reads its own login; what follows it is ours, to be walked."""
        while not self._client.isReady():
            end = _frame_end(self._buffer, self._start)
            if end < 0:
                return
            frame = self._buffer[self._start : end]
            self._start = end
            self._client._onSocketHasData(frame)
        self._ready = True


def _frame_end(buffer: bytes, start: int) -> int:
    """Offset behind the frame at `start`, or -1 while it is incomplete.

    Raises:
        ProtocolViolation: the length prefix cannot be one.
    """
    body = start + _PREFIX
    if body > len(buffer):
        return -1
    end: int = body + _length(buffer, start)[0]
    if end <= len(buffer):
        return end
    _check_length(end - body)
    return -1


def _check_length(length: int) -> None:
    if length > MAX_FRAME_BYTES:
        raise ProtocolViolation(f"frame length was {length}, must be at most {MAX_FRAME_BYTES}")
