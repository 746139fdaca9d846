from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.bounds import Bounds
from simulators.commands import Commands, Values
from simulators.errors import CommandError

from .bounds import one_of
from .faults import KINDS
from .payloads import FUNCTIONS

if TYPE_CHECKING:
    from .server import Server

__all__ = ["FAULTS"]

FAULTS: Final[Commands[Server]] = Commands()

_DETAILS: Final = {
    "ms": Bounds(int, "slow: before the answer; trickle: between bytes", 0, 600_000),
    "share": Bounds(float, "of the rows", 0, 1),
    "mb": Bounds(int, "huge_body and gzip_bomb: its size", 1, 10_000),
    "status": Bounds(int, "html_503 and body: another status", 200, 599),
    "file": Bounds(str, "body: a file of --samples"),
}


@FAULTS.add(
    "fault",
    {
        "kind": one_of(KINDS, "what goes wrong", required=True),
        "function": one_of(FUNCTIONS, "all without it"),
        "symbol": Bounds(str, "all without it"),
        "count": Bounds(int, "so many requests", 1, 1_000_000_000),
        "seconds": Bounds(float, "so long", 0, 1_000_000),
        "after": Bounds(int, "so many matching requests pass first", 0, 1_000_000_000, default=0),
        **_DETAILS,
    },
)
def _fault(server: Server, values: Values) -> Values:
    now_s = server.moment().mono_s
    details = {name: values[name] for name in _DETAILS if values[name] is not None}
    if values["kind"] == "body":
        details["body"] = _body(server, values["file"])
    fault = server.vendor.faults.add(
        values["kind"],
        function=values["function"],
        symbol=values["symbol"].upper() if values["symbol"] else None,
        count=values["count"],
        until_s=None if values["seconds"] is None else now_s + values["seconds"],
        after=values["after"],
        values=details,
    )
    return {"id": fault.number}


def _body(server: Server, name: str | None) -> object:
    samples = server.vendor.samples
    if samples is None:
        raise CommandError("kind body needs --samples, was started without")
    if name is None:
        raise CommandError("file must be a string, was None")
    return samples.file(name)


@FAULTS.add(
    "clear",
    {
        "id": Bounds(int, "one fault", 1),
        "kind": one_of(KINDS, "all of a kind"),
    },
)
def _clear(server: Server, values: Values) -> Values:
    cleared = server.vendor.faults.clear(values["id"], values["kind"])
    server.release_hung()
    return {"cleared": cleared}


@FAULTS.add("faults")
def _faults(server: Server, values: Values) -> Values:
    now_s = server.moment().mono_s
    return {"faults": [fault.snapshot(now_s) for fault in server.vendor.faults.open(now_s)]}
