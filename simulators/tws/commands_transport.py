from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.bounds import Bounds
from simulators.commands import Values
from simulators.errors import CommandError

from . import wire
from .book import BID, UPDATE, Row, RowOp
from .commands import CLIENT_ID, FOR_S, Commands

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["TRANSPORT"]

TRANSPORT: Final = Commands()

_DURATION: Final = Bounds(float, "seconds", 0, 86_400, required=True)
_RELEASE: Final = Bounds(bool, "its slots and client id are free again", default=True)
_SAMPLE_ROW: Final = wire.depth_rows(1, [RowOp(UPDATE, BID, 0, Row(1_000_000, 100, ""))])
_GARBAGE: Final = {
    "bytes": wire.frame(b"\xff\xfe\x00garbage\x00\x80\x00"),
    "empty": wire.frame(b""),
    "number": wire.message(12, 1, 1, "x", 0, 1, "abc", "100"),
    "unknown_id": wire.message(999, 1, "what is this"),
    "short": wire.message(13, 1, 1),
}


@TRANSPORT.add("half_open", {"client_id": CLIENT_ID, "release": _RELEASE}, fault=True)
def _half_open(gateway: Gateway, values: Values) -> Values:
    links = gateway.links_of(values["client_id"])
    for link in links:
        link.silence()
        if values["release"]:
            link.session.disconnected(gateway.moment())
    return {"clients": len(links)}


@TRANSPORT.add(
    "cut_frame",
    {
        "client_id": CLIENT_ID,
        "then": Bounds(
            str, "what follows the half frame", choices=("close", "rst", "silence"), default="close"
        ),
    },
    fault=True,
)
def _cut_frame(gateway: Gateway, values: Values) -> Values:
    links = gateway.links_of(values["client_id"])
    for link in links:
        link.write(_SAMPLE_ROW[: len(_SAMPLE_ROW) // 2])
        finish = {"rst": link.reset, "silence": link.silence, "close": link.close}
        finish[values["then"]]()
    return {"clients": len(links)}


@TRANSPORT.add("rst", {"client_id": CLIENT_ID}, fault=True)
def _rst(gateway: Gateway, values: Values) -> Values:
    links = gateway.links_of(values["client_id"])
    for link in links:
        link.reset()
    return {"clients": len(links)}


@TRANSPORT.add("kick", {"client_id": CLIENT_ID}, fault=True)
def _kick(gateway: Gateway, values: Values) -> Values:
    links = gateway.links_of(values["client_id"])
    for link in links:
        link.close()
    return {"clients": len(links)}


@TRANSPORT.add("refuse_for_s", {"for_s": _DURATION}, fault=True)
def _refuse(gateway: Gateway, values: Values) -> Values:
    gateway.refuse_for(values["for_s"])
    return {}


@TRANSPORT.add(
    "restart_for_s",
    {
        "for_s": _DURATION,
        "silent_connects": Bounds(int, "first connects left unanswered", 0, 100, default=0),
    },
    fault=True,
)
def _restart(gateway: Gateway, values: Values) -> Values:
    links = list(gateway.links.values())
    for link in links:
        if link.blocked:
            link.reset()
        else:
            link.close()
    gateway.world.roster.clear()
    gateway.world.desk.clear(gateway.moment().mono_s)
    gateway.world.streams.clear(gateway.moment().mono_s)
    gateway.world.feed.silenced_by.clear()
    gateway.world.ticks.history_silenced_by.clear()
    gateway.silent_since_s.clear()
    gateway.silent_connects = values["silent_connects"]
    gateway.refuse_for(values["for_s"])
    return {"clients": len(links)}


@TRANSPORT.add("accept_silent", {"on": Bounds(bool, default=True), "for_s": FOR_S}, fault=True)
def _accept_silent(gateway: Gateway, values: Values) -> Values:
    gateway.accept_silent = values["on"]
    if values["on"] and values["for_s"] is not None:
        gateway.later(values["for_s"], lambda: setattr(gateway, "accept_silent", False))
    return {}


@TRANSPORT.add(
    "chunk",
    {"bytes": Bounds(int, "per write: 1, 1000000, 0 = normal", 0, 16_000_000, required=True)},
    fault=True,
)
def _chunk(gateway: Gateway, values: Values) -> Values:
    gateway.chunk_bytes = values["bytes"]
    return {}


@TRANSPORT.add(
    "port_reset", {"new_port": Bounds(int, "", 1, 65_535), "client_id": CLIENT_ID}, fault=True
)
def _port_reset(gateway: Gateway, values: Values) -> Values:
    port = values["new_port"] or gateway.port
    text = (
        "TWS socket port has been reset and this connection is being dropped. Please reconnect "
        f"on the new port - {port}"
    )
    links = gateway.links_of(values["client_id"])
    gateway.send_error(links, -1, 1300, text)
    for link in links:
        link.close()
    return {"clients": len(links)}


@TRANSPORT.add(
    "send_raw",
    {"hex": Bounds(str, "bytes as they are", required=True), "client_id": CLIENT_ID},
    fault=True,
)
def _send_raw(gateway: Gateway, values: Values) -> Values:
    try:
        data = bytes.fromhex(values["hex"])
    except ValueError:
        raise CommandError(f"hex must be hexadecimal digits, was {values['hex'][:40]!r}") from None
    return _write_all(gateway, data, values["client_id"])


@TRANSPORT.add(
    "send_fields",
    {"fields": Bounds(list, "one frame of these fields", required=True), "client_id": CLIENT_ID},
    fault=True,
)
def _send_fields(gateway: Gateway, values: Values) -> Values:
    return _write_all(gateway, wire.message(*values["fields"]), values["client_id"])


@TRANSPORT.add(
    "garbage",
    {"kind": Bounds(str, choices=tuple(_GARBAGE), default="bytes"), "client_id": CLIENT_ID},
    fault=True,
)
def _garbage(gateway: Gateway, values: Values) -> Values:
    return _write_all(gateway, _GARBAGE[values["kind"]], values["client_id"])


def _write_all(gateway: Gateway, data: bytes, client_id: int | None) -> Values:
    links = gateway.links_of(client_id)
    for link in links:
        link.write(data)
    return {"clients": len(links)}
