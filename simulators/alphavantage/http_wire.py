"""HTTP/1.1 as far as the vendor's one URL needs it; nothing here is shared with the product."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import Final
from urllib.parse import parse_qsl

from simulators.errors import WireError

__all__ = ["HEAD_BYTES_MAX", "HttpRequest", "chunked", "parse_request", "response_head"]

HEAD_BYTES_MAX: Final = 65_536
_CHUNK_BYTES: Final = 65_536
_REASONS: Final = {
    200: "OK", 302: "Found", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    @property
    def gzip(self) -> bool:
        return "gzip" in self.headers.get("accept-encoding", "").lower()

    @property
    def client(self) -> str:
        return self.headers.get("x-client") or self.headers.get("user-agent", "")


def parse_request(head: bytes) -> HttpRequest:
    try:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
    except ValueError as error:
        raise WireError(f"request line must have three parts, was {head[:60]!r}") from error
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise WireError(f"version must be HTTP/1.1 or HTTP/1.0, was {version[:20]!r}")
    headers = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon:
            raise WireError(f"header line must have a colon, was {line[:60]!r}")
        headers[name.strip().lower()] = value.strip()
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    path, _, query = target.partition("?")
    return HttpRequest(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers)


def response_head(status: int, headers: list[tuple[str, str]], wall_s: float) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines.append(f"Date: {formatdate(wall_s, usegmt=True)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(content: bytes) -> list[bytes]:
    """The content as chunks, without the last, empty one."""
    parts = []
    for start in range(0, len(content), _CHUNK_BYTES):
        chunk = content[start : start + _CHUNK_BYTES]
        parts += [b"%x\r\n" % len(chunk), chunk, b"\r\n"]
    return parts
