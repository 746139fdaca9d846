"""Answers in place of the true one, by fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .body import Body, document_body
from .chain import rows_body
from .faults import Fault
from .reply import HTML, Reply
from .texts import ARTIFICIAL, HEROKU_503, Asked, refusal

__all__ = ["substitute"]

_HUGE_MB: Final = 100
_BOMB_MB: Final = 1_000


def substitute(fault: Fault, asked: Asked, elsewhere: str) -> Reply:
    if fault.kind == "redirect":
        return Reply("", Body.of(""), 302, HTML, location=elsewhere)
    if fault.kind in _DELIVERED:
        megabytes = fault.values.get("mb") or _DELIVERED[fault.kind]
        return Reply("", Body.of(""), delivery=fault.kind, megabytes=megabytes)
    make = _SUBSTITUTES.get(fault.name)
    return make(fault, asked) if make else _text(fault, asked)


def _text(fault: Fault, asked: Asked) -> Reply:
    if fault.kind == "err_invalid_call_rsi":
        asked = replace(asked, function="RSI")
    if fault.kind == "err_no_function":
        asked = replace(asked, function="")
    status = 406 if fault.kind == "detail_accept_406" else 200
    return Reply("", document_body(refusal(fault.name, asked)), status)


def _html_503(fault: Fault, asked: Asked) -> Reply:
    status = fault.values.get("status") or 503
    return Reply("", Body.of(HEROKU_503), status, HTML, "Cowboy")


def _status_429(fault: Fault, asked: Asked) -> Reply:
    return Reply("", Body.of("error code: 1015"), 429, "text/plain; charset=UTF-8")


def _recorded(fault: Fault, asked: Asked) -> Reply:
    body, html = fault.values["body"], fault.values["file"].endswith(".html")
    status = fault.values.get("status") or (503 if html else 200)
    return Reply("", body, status, *((HTML, "Cowboy") if html else ()))


_DELIVERED: Final = {"hang": 0, "reset": 0, "huge_body": _HUGE_MB, "gzip_bomb": _BOMB_MB}
_SUBSTITUTES: Final[dict[str, Callable[[Fault, Asked], Reply]]] = {
    "html_503": _html_503,
    "outage": _html_503,
    "status_429": _status_429,
    "body": _recorded,
    "artificial": lambda fault, asked: Reply("", document_body(ARTIFICIAL)),
    "empty_chain": lambda fault, asked: Reply("", rows_body(asked.endpoint, [])),
}
