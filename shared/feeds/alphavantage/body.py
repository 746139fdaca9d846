"""A response body read under a bound, in steps that do not hold up the event loop."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from shared.errors import VendorUnavailable

# A hundred bytes of gzip may stand for a hundred thousand: inflated piece by piece.
_STEP_BYTES: Final = 1_048_576
_GZIP_WINDOW: Final = 31


class Room:
    """Bytes of all bodies that are under way together; one for which there is none is refused."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self.taken = 0

    def take(self, size: int) -> None:
        if self.taken + size > self._limit:
            raise VendorUnavailable(f"bodies under way are too large, limit {self._limit} bytes")
        self.taken += size

    def give(self, size: int) -> None:
        self.taken -= size


class Share:
    """What one body takes of the room, until nobody holds this: however its request ends."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0

    def take(self, size: int) -> None:
        """Raises VendorUnavailable where there is no room."""
        self._room.take(size)
        self._taken += size

    def __del__(self) -> None:
        self._room.give(self._taken)


class Body:
    """Raises VendorUnavailable when it grows past `limit_bytes`, is no gzip, or is cut off, and
    where `share` gets no more room.
    """

    def __init__(self, encoding: str, limit_bytes: int, share: Share) -> None:
        if encoding not in ("", "identity", "gzip"):
            raise VendorUnavailable(f"content-encoding: was {encoding[:40]!r}, must be gzip")
        self._gzip = zlib.decompressobj(_GZIP_WINDOW) if encoding == "gzip" else None
        self._limit = limit_bytes
        self._share = share
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, raw: bytes) -> Iterator[None]:
        """Take received bytes; between two steps the caller may do something else."""
        if self._gzip is None:
            self._add(raw)
            return
        while raw:
            if self._gzip.eof:
                # zlib would keep all that comes behind the end.
                self._count(raw)
                return
            try:
                self._add(self._gzip.decompress(raw, _STEP_BYTES))
            except zlib.error as error:
                raise VendorUnavailable(f"body is not gzip: {error}") from None
            raw = self._gzip.unconsumed_tail
            yield

    def whole(self) -> bytes:
        if self._gzip is not None:
            self._add(self._gzip.flush())
            if self._size and not self._gzip.eof:
                raise VendorUnavailable(f"gzip body ends early, after {self._size} bytes")
        return b"".join(self._parts)

    def _add(self, part: bytes) -> None:
        self._count(part)
        self._share.take(len(part))
        self._parts.append(part)

    def _count(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise VendorUnavailable(f"body is too large, limit {self._limit} bytes")
