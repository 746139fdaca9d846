from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.bounds import Bounds, check
from simulators.commands import Values
from simulators.errors import CommandError

from . import wire
from .book import BID, UPDATE, Row, RowOp
from .commands import CLIENT_ID, FOR_S, SYMBOL, Commands
from .contracts import canonical_venue
from .depth import REFUSAL_TEXTS, Subscription

if TYPE_CHECKING:
    from .link import Link
    from .server import Gateway

__all__ = ["FAULTS", "reset_depth"]

FAULTS: Final = Commands()

_HALTED: Final = "Market depth data has been HALTED. Please re-subscribe."
_RESET: Final = (
    "Market depth data has been RESET. Please empty deep book contents before applying any new "
    "entries."
)
_LOST: Final = "Connectivity between IBKR and Trader Workstation has been lost."
_RESTORED_LOST: Final = (
    "Connectivity between IBKR and Trader Workstation has been restored - data lost."
)
_RESTORED_KEPT: Final = (
    "Connectivity between IBKR and Trader Workstation has been restored - data maintained. All "
    "data farms are connected: usfarm; ushmds; secdefnj."
)


@FAULTS.add(
    "error",
    {
        "code": Bounds(int, "TWS error code", 0, 1_000_000, required=True),
        "text": Bounds(str, "else the usual text"),
        "req_id": Bounds(int, "-1 = none", -1, 2**31, default=-1),
        "symbol": Bounds(str, "to every subscription of it instead"),
        "client_id": CLIENT_ID,
        "end": Bounds(bool, "the subscription ends with it", default=False),
    },
    fault=True,
)
def _error(gateway: Gateway, values: Values) -> Values:
    text = values["text"]
    if text is None:
        text = REFUSAL_TEXTS.get(values["code"], f"error {values['code']}")
    if values["symbol"] is None:
        links = gateway.links_of(values["client_id"])
        return {"sent": gateway.send_error(links, values["req_id"], values["code"], text)}
    told = _tell_subscriptions(gateway, values["symbol"], values["code"], text)
    if values["end"]:
        for subscription in told:
            gateway.world.desk.drop(subscription, "dropped", gateway.moment().mono_s)
    return {"sent": len(told)}


@FAULTS.add("halt", {"symbol": SYMBOL}, fault=True)
def _halt(gateway: Gateway, values: Values) -> Values:
    told = _tell_subscriptions(gateway, values["symbol"], 316, _HALTED)
    for subscription in told:
        subscription.state = "halted"
        gateway.world.desk.journal.told("halt", subscription)
    return {"sent": len(told)}


@FAULTS.add(
    "reset",
    {
        "symbol": SYMBOL,
        "refill_after_ms": Bounds(int, "the book stays empty so long", 0, 600_000, default=0),
    },
    fault=True,
)
def reset_depth(gateway: Gateway, values: Values) -> Values:
    told = _tell_subscriptions(gateway, values["symbol"], 317, _RESET)
    for subscription in told:
        subscription.primed, subscription.behind = False, None
        gateway.world.desk.journal.told("reset", subscription)
    if values["refill_after_ms"]:
        waiting = [subscription for subscription in told if not subscription.muted]
        _mute(waiting, True)
        gateway.later(values["refill_after_ms"] / 1000, lambda: _mute(waiting, False))
    return {"sent": len(told)}


@FAULTS.add(
    "connectivity",
    {
        "state": Bounds(str, choices=("lost", "restored_lost", "restored_kept"), required=True),
        "data": Bounds(bool, "after restored_kept rows flow again", default=True),
    },
    fault=True,
)
def _connectivity(gateway: Gateway, values: Values) -> Values:
    state = values["state"]
    links = gateway.links_of(None)
    if state == "lost":
        _go_silent(gateway, "lost")
        return {"sent": gateway.send_error(links, -1, 1100, _LOST)}
    if state == "restored_lost":
        for subscription in list(gateway.world.desk):
            gateway.world.desk.drop(subscription, "dropped", gateway.moment().mono_s)
        for stream in gateway.world.streams:
            gateway.world.streams.drop(stream, "dropped", gateway.moment().mono_s)
    _end_silence(gateway, "lost", values["data"])
    code, text = (1101, _RESTORED_LOST) if state == "restored_lost" else (1102, _RESTORED_KEPT)
    return {"sent": gateway.send_error(links, -1, code, text)}


@FAULTS.add(
    "farm",
    {
        "state": Bounds(str, choices=("broken", "connecting", "ok"), required=True),
        "farm": Bounds(str, "a name with hmds is a history farm", default="usfarm"),
        "resume": Bounds(bool, "after ok the old subscriptions have data again", default=True),
        "notify": Bounds(bool, "send the notice", default=True),
    },
    fault=True,
)
def _farm(gateway: Gateway, values: Values) -> Values:
    farm, state = values["farm"], values["state"]
    history = _history(farm)
    name = f"{'HMDS' if history else 'Market'} data farm connection is"
    code, text = {
        "broken": (2105 if history else 2103, f"{name} broken:{farm}"),
        "connecting": (2119, f"Market data farm is connecting:{farm}"),
        "ok": (2106 if history else 2104, f"{name} OK:{farm}"),
    }[state]
    if state == "broken":
        _go_silent(gateway, farm)
    elif state == "ok":
        _end_silence(gateway, farm, values["resume"])
    links = gateway.links_of(None) if values["notify"] else []
    return {"sent": gateway.send_error(links, -1, code, text)}


@FAULTS.add(
    "entitle",
    {
        "symbol": Bounds(str, "* = any", default="*"),
        "venue": Bounds(str, "* = any", default="*"),
        "code": Bounds(int, "null = entitled", choices=(354, 10089, 10090, 10092, 10168, 10186)),
    },
    fault=True,
)
def _entitle(gateway: Gateway, values: Values) -> Values:
    entitlements = gateway.world.desk.entitlements
    key = (values["symbol"], canonical_venue(values["venue"]))
    if values["code"] is not None:
        entitlements[key] = values["code"]
    elif key == ("*", "*"):
        entitlements.clear()
    else:
        entitlements.pop(key, None)
    return {"refused": {f"{s}:{v}": code for (s, v), code in entitlements.items()}}


@FAULTS.add(
    "hold_slots", {"slots": Bounds(int, "held by others", 0, 1000, required=True)}, fault=True
)
def _hold_slots(gateway: Gateway, values: Values) -> Values:
    gateway.world.desk.held_slots = values["slots"]
    return {}


@FAULTS.add(
    "hold_client_ids", {"ids": Bounds(list, "client ids in use", required=True)}, fault=True
)
def _hold_client_ids(gateway: Gateway, values: Values) -> Values:
    ids = {check("ids", item, Bounds(int, "", 0, required=True)) for item in values["ids"]}
    gateway.world.held_client_ids = ids
    return {}


@FAULTS.add(
    "delist",
    {"symbol": SYMBOL, "on": Bounds(bool, "false brings it back", default=True)},
    fault=True,
)
def _delist(gateway: Gateway, values: Values) -> Values:
    delisted = gateway.world.directory.delisted
    if values["on"]:
        delisted.add(values["symbol"])
    else:
        delisted.discard(values["symbol"])
    return {}


def _distort(how: str, gateway: Gateway, values: Values) -> Values:
    symbol = values["symbol"]
    if not gateway.world.desk.of_symbol(symbol):
        raise CommandError(f"symbol has no subscription, was {symbol!r}")

    def heal() -> None:
        gateway.heal_on_resubscribe.pop(symbol, None)
        gateway.send_output(gateway.world.feed.distort(symbol, "heal", gateway.blocked()))

    gateway.send_output(gateway.world.feed.distort(symbol, how, gateway.blocked()))
    if values["for_s"] is not None:
        gateway.later(values["for_s"], heal)
    if values["heal_on_resubscribe"]:
        gateway.heal_on_resubscribe[symbol] = gateway.moment().mono_s
    return {}


_HEAL: Final = Bounds(bool, "a new subscription gets a good book", default=False)


@FAULTS.add("cross", {"symbol": SYMBOL, "for_s": FOR_S, "heal_on_resubscribe": _HEAL}, fault=True)
def _cross(gateway: Gateway, values: Values) -> Values:
    return _distort("cross", gateway, values)


@FAULTS.add("unsort", {"symbol": SYMBOL, "for_s": FOR_S, "heal_on_resubscribe": _HEAL}, fault=True)
def _unsort(gateway: Gateway, values: Values) -> Values:
    return _distort("unsort", gateway, values)


@FAULTS.add("heal", {"symbol": SYMBOL})
def _heal(gateway: Gateway, values: Values) -> Values:
    gateway.heal_on_resubscribe.pop(values["symbol"], None)
    output = gateway.world.feed.distort(values["symbol"], "heal", gateway.blocked())
    gateway.send_output(output)
    return {}


@FAULTS.add(
    "stray_rows",
    {
        "rows": Bounds(int, "how many", 1, 100_000, default=10),
        "req_id": Bounds(int, "nobody's reqId", 0, 2**31, default=999_999),
        "client_id": CLIENT_ID,
    },
    fault=True,
)
def _stray_rows(gateway: Gateway, values: Values) -> Values:
    op = RowOp(UPDATE, BID, 0, Row(10_000, 100, "STRAY"))
    data = wire.depth_rows_l2(values["req_id"], [op] * values["rows"], smart=False)
    links = gateway.links_of(values["client_id"])
    for link in links:
        link.write(data)
    return {"clients": len(links)}


def _tell_subscriptions(gateway: Gateway, symbol: str, code: int, text: str) -> list[Subscription]:
    told: list[Subscription] = []
    for subscription in gateway.world.desk.of_symbol(symbol):
        link: Link | None = gateway.links.get(subscription.connection)
        if link and subscription.state == "live":
            link.perform([link.session.error(subscription.req_id, code, text)])
            told.append(subscription)
    return told


def _mute(subscriptions: list[Subscription], muted: bool) -> None:
    for subscription in subscriptions:
        subscription.muted = muted


def _go_silent(gateway: Gateway, what: str) -> None:
    world = gateway.world
    silenced_by = world.ticks.history_silenced_by if _history(what) else world.feed.silenced_by
    silenced_by.add(what)
    gateway.silent_since_s.setdefault(what, gateway.moment().mono_s)


def _end_silence(gateway: Gateway, what: str, resume: bool) -> None:
    world = gateway.world
    world.feed.silenced_by.discard(what)
    world.ticks.history_silenced_by.discard(what)
    since_s = gateway.silent_since_s.pop(what, None)
    if resume or since_s is None:
        return
    # Subscriptions made since then are alive; the older ones stay mute for good.
    for subscription in world.desk if not _history(what) else ():
        subscription.muted |= subscription.opened_s <= since_s
    kinds = ("bars", "history") if _history(what) else ("lines", "ticks")
    for stream in world.streams:
        stream.muted |= stream.opened_s <= since_s and (what == "lost" or stream.kind in kinds)


def _history(farm: str) -> bool:
    return "hmds" in farm
