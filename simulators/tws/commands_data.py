from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.bounds import Bounds
from simulators.commands import Values
from simulators.errors import CommandError

from .commands import Commands
from .data_texts import ENDING_CODES, KIND_CODES, data_text
from .depth import Subscription
from .line_view import LineView
from .streams import KINDS, Stream

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["DATA"]

DATA: Final = Commands()

_SYMBOL: Final = Bounds(str, "* = any", default="*")
_COMPETING: Final = 10197


@DATA.add(
    "data_entitle",
    {
        "symbol": _SYMBOL,
        "kind": Bounds(str, choices=KINDS, default="lines"),
        "code": Bounds(int, "null = entitled"),
        "open": Bounds(bool, "open streams get it too, or are live again", default=True),
    },
    fault=True,
)
def _data_entitle(gateway: Gateway, values: Values) -> Values:
    symbol, kind, code = values["symbol"], values["kind"], values["code"]
    entitlements = gateway.world.streams.entitlements
    if code is None:
        for key in [k for k in entitlements if k[0] == kind and symbol in ("*", k[1])]:
            del entitlements[key]
    elif code not in KIND_CODES[kind]:
        listed = ", ".join(str(known) for known in KIND_CODES[kind])
        raise CommandError(f"code of {kind} must be one of {listed}, was {code}")
    else:
        entitlements[(kind, symbol)] = code
    told = gateway.world.streams.of(symbol, kind) if values["open"] else []
    for stream in told:
        _entitle_stream(gateway, stream, code)
    refused = {f"{k}:{s}": number for (k, s), number in entitlements.items()}
    return {"refused": refused, "told": len(told)}


@DATA.add(
    "data_error",
    {
        "symbol": _SYMBOL,
        "kind": Bounds(str, choices=("*", *KINDS), default="*"),
        "code": Bounds(int, "TWS error code", 0, 1_000_000, required=True),
        "text": Bounds(str, "else the usual text"),
        "end": Bounds(bool, "the stream ends; else what the code says"),
    },
    fault=True,
)
def _data_error(gateway: Gateway, values: Values) -> Values:
    code, end = values["code"], values["end"]
    told = gateway.world.streams.of(values["symbol"], values["kind"])
    for stream in told:
        _tell(gateway, stream, code, values["text"])
        if code in ENDING_CODES if end is None else end:
            gateway.world.streams.drop(stream, str(code), gateway.moment().mono_s)
    return {"sent": len(told)}


@DATA.add(
    "compete",
    {
        "on": Bounds(bool, "false: the other session ends", default=True),
        "symbol": _SYMBOL,
        "end": Bounds(bool, "requests end; else their data is back with off", default=True),
        "depth": Bounds(bool, "depth too", default=True),
    },
    fault=True,
)
def _compete(gateway: Gateway, values: Values) -> Values:
    """Another session of the same user has the data: 10197 for what is open and what is asked."""
    if not values["on"]:
        return _end_session(gateway, values["symbol"])
    world, symbol = gateway.world, values["symbol"]
    world.streams.competing.add(symbol)
    streams = [s for s in world.streams.of(symbol) if s.kind != "history"]
    for stream in streams:
        _tell(gateway, stream, _COMPETING, None)
        if values["end"]:
            world.streams.drop(stream, str(_COMPETING), gateway.moment().mono_s)
    subscriptions = _live_depth(gateway, symbol) if values["depth"] else []
    if values["depth"]:
        world.desk.entitlements.setdefault((symbol, "*"), _COMPETING)
    for subscription in subscriptions:
        link = gateway.links.get(subscription.connection)
        text = data_text(_COMPETING, subscription.listing)
        gateway.send_error([link] if link else [], subscription.req_id, _COMPETING, text)
        if values["end"]:
            world.desk.drop(subscription, "dropped", gateway.moment().mono_s)
    if not values["end"]:
        held: list[Stream | Subscription] = [*streams, *subscriptions]
        for silent in held:
            silent.muted = True
        gateway.muted_by_session += held
    return {"told": len(streams) + len(subscriptions)}


def _end_session(gateway: Gateway, symbol: str) -> Values:
    world = gateway.world
    competing = world.streams.competing
    competing.difference_update(set(competing) if symbol == "*" else {symbol})
    for key in [key for key, code in world.desk.entitlements.items() if code == _COMPETING]:
        if symbol in ("*", key[0]):
            del world.desk.entitlements[key]
    kept: list[Stream | Subscription] = []
    for held in gateway.muted_by_session:
        name = held.security.symbol if isinstance(held, Stream) else held.listing.symbol
        if symbol in ("*", name):
            held.muted = False
        else:
            kept.append(held)
    gateway.muted_by_session = kept
    return {"told": 0}


def _live_depth(gateway: Gateway, symbol: str) -> list[Subscription]:
    return [
        s for s in gateway.world.desk if s.state == "live" and symbol in ("*", s.listing.symbol)
    ]


def _entitle_stream(gateway: Gateway, stream: Stream, code: int | None) -> None:
    view, client = stream.view, stream.client
    desk = gateway.world.streams
    if code is not None and desk.refusal_code(stream.kind, stream.security.symbol, client):
        _tell(gateway, stream, code, None)
        desk.drop(stream, str(code), gateway.moment().mono_s)
    elif isinstance(view, LineView) and (code is not None or view.degraded):
        delayed = code not in (None, 10090)
        if code is not None:
            _tell(gateway, stream, 10167 if delayed else code, None)
        data_type = (client.data_type if client.data_type in (3, 4) else 3) if delayed else 1
        view.restrict(code == 10090)
        link = gateway.links.get(client.connection)
        if link:
            link.write(b"".join(view.switch(data_type)))


def _tell(gateway: Gateway, stream: Stream, code: int, text: str | None) -> None:
    link = gateway.links.get(stream.client.connection)
    usual = data_text(code, stream.security.listing)
    gateway.send_error([link] if link else [], stream.req_id, code, usual if text is None else text)
