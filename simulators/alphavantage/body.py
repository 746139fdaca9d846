from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["Body", "Piece", "document_body", "pretty"]

_GZIP_LEVEL: Final = 1
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
# An empty last block: what ends a deflate stream whose blocks were all flushed.
_DEFLATE_END: Final = b"\x03\x00"


class Piece:
    """A part of a body that is compressed once, however often it is sent.

    Every piece ends in a full flush, so compressed pieces may stand one after the other
    in a single gzip member and a chain with few changes costs only its changed pieces.
    """

    __slots__ = ("_deflated", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        if self._deflated is None:
            deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            self._deflated = deflate.compress(self.text) + deflate.flush(zlib.Z_FULL_FLUSH)
        return self._deflated


class Body:
    __slots__ = ("_gzipped", "length", "pieces")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = tuple(pieces)
        self.length = sum(len(piece.text) for piece in self.pieces)
        self._gzipped: bytes | None = None

    @classmethod
    def of(cls, text: bytes | str) -> Body:
        return cls((Piece(text.encode() if isinstance(text, str) else text),))

    def plain(self) -> bytes:
        return b"".join(piece.text for piece in self.pieces)

    def gzipped(self) -> bytes:
        if self._gzipped is None:
            crc = 0
            for piece in self.pieces:
                crc = zlib.crc32(piece.text, crc)
            tail = crc.to_bytes(4, "little") + (self.length & 0xFFFFFFFF).to_bytes(4, "little")
            parts = [piece.deflated for piece in self.pieces]
            self._gzipped = b"".join([_GZIP_HEAD, *parts, _DEFLATE_END, tail])
        return self._gzipped


def pretty(document: Any) -> str:
    return json.dumps(document, indent=4, ensure_ascii=False)


def document_body(document: Any) -> Body:
    return Body.of(pretty(document))
