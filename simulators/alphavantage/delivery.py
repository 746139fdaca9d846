"""Ways to send a reply, good ones and bad ones."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from .http_wire import HttpRequest, chunked, response_head
from .reply import Reply

__all__ = ["deliver", "send_reset"]

_MEGABYTE: Final = 1 << 20
# A deflate stream's head and the chain's first bytes; what follows is white space.
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_OPENING: Final = b'{"endpoint": "Realtime Options", "message": "success", "data": ['
_END: Final = b"0\r\n\r\n"


def deliver(request: HttpRequest, reply: Reply, wall_s: float) -> Iterator[bytes]:
    """The bytes of the reply in the pieces they are to be written in."""
    if reply.delivery in ("huge_body", "gzip_bomb"):
        yield _head(reply, wall_s, None, reply.delivery == "gzip_bomb")
        yield from (_bomb if reply.delivery == "gzip_bomb" else _huge)(reply.megabytes)
        return
    packed = request.gzip and reply.delivery != "trickle" and reply.body.length > 0
    content = reply.body.gzipped() if packed else reply.body.plain()
    yield _head(reply, wall_s, None if packed else len(content), packed)
    if request.method == "HEAD":
        return
    if reply.delivery == "cut_body":
        content = content[: len(content) // 2]
        yield b"".join(chunked(content)) if packed else content
    elif reply.delivery == "trickle":
        for n in range(len(content)):
            yield content[n : n + 1]
    else:
        yield b"".join([*chunked(content), _END]) if packed else content


def send_reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: a linger of zero seconds."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _head(reply: Reply, wall_s: float, length: int | None, packed: bool) -> bytes:
    headers = [("Content-Type", reply.content_type)]
    if packed:
        headers.append(("Content-Encoding", "gzip"))
    if length is None:
        headers.append(("Transfer-Encoding", "chunked"))
    else:
        headers.append(("Content-Length", str(length)))
    headers.append(("Connection", "close" if reply.delivery == "cut_body" else "keep-alive"))
    headers.append(("Server", reply.server))
    if reply.location is not None:
        headers.append(("Location", reply.location))
    if reply.server == "cloudflare":
        headers += _CLOUDFLARE
    return response_head(reply.status, headers, wall_s)


_CLOUDFLARE: Final = [
    ("Allow", "GET, HEAD, OPTIONS"),
    ("cf-cache-status", "DYNAMIC"),
    ("via", "2.0 heroku-router"),
    ("vary", "Cookie, Origin"),
    ("Server-Timing", "cfEdge;dur=4,cfOrigin;dur=154"),
]


def _huge(megabytes: int) -> Iterator[bytes]:
    block = b"".join(chunked(b" " * _MEGABYTE))
    yield b"".join(chunked(_OPENING))
    for _ in range(megabytes):
        yield block
    yield _END


def _bomb(megabytes: int) -> Iterator[bytes]:
    """About a thousand times as large when unpacked."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = deflate.compress(_OPENING) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(b" " * _MEGABYTE) + deflate.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(_OPENING)
    yield b"".join(chunked(_GZIP_HEAD + first))
    for _ in range(megabytes):
        crc = zlib.crc32(b" " * _MEGABYTE, crc)
        yield b"".join(chunked(block))
    size = (len(_OPENING) + megabytes * _MEGABYTE) & 0xFFFFFFFF
    yield b"".join(chunked(b"\x03\x00" + crc.to_bytes(4, "little") + size.to_bytes(4, "little")))
    yield _END
