"""What every request has to pass, and what every answer says to the browser.

A page of another site may send requests to this machine too, under a name that leads here (DNS
rebinding) or with the operator's browser as its hand (CSRF). So only our own names are answered,
and an order needs the token in a header, JSON and an origin that is ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
_BEARER: Final = "Bearer "
_JSON: Final = "application/json"
_SAME: Final = ("same-origin", "")


def host_is_ours(host: str, port: int) -> bool:
    """Whether a request was sent to one of our own names, at our port."""
    return host.lower() in {f"{name}:{port}" for name in NAMES}


def order_fault(headers: Mapping[str, str], token: str) -> tuple[int, str]:
    """(status, why) of an order that is not obeyed, (0, "") for one that is."""
    if not token:
        return 403, "orders are off: no operator token is set"
    if headers.get("origin", "") != f"http://{headers.get('host', '')}":
        return 403, "not from this page"
    if headers.get("sec-fetch-site", "") not in _SAME:
        return 403, "not from this page"
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        return 415, "must be JSON"
    given = headers.get("authorization", "")
    # Compared as bytes and in constant time: how long it takes tells nothing of the token.
    if not hmac.compare_digest(given.encode(), f"{_BEARER}{token}".encode()):
        return 401, "the token is not the operator's"
    return 0, ""


class Guard:
    """Refuses foreign names and sets the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = self._app
        if not host_is_ours(_host(scope), _port(scope)):
            answer = PlainTextResponse("this host is not served here", 421)
        await answer(scope, receive, _with_headers(send))


def _host(scope: MutableMapping[str, Any]) -> str:
    found = [value for name, value in scope["headers"] if name == b"host"]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _port(scope: MutableMapping[str, Any]) -> int:
    server = scope.get("server")
    return int(server[1] or 0) if server else 0


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = [(name, value) for name, value in message["headers"]]
            names = {name for name, _ in said}
            said += [
                (name.encode(), value.encode())
                for name, value in HEADERS.items()
                if name.encode() not in names
            ]
            message = {**message, "headers": said}
        await send(message)

    return sending
