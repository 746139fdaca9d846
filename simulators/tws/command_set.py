from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .commands import Command
from .commands_data import DATA
from .commands_faults import FAULTS
from .commands_market import MARKET
from .commands_trades import TRADES
from .commands_transport import TRANSPORT
from .errors import CommandError
from .options import check

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["COMMANDS", "dispatch", "validate"]


def _help(gateway: Gateway, values: dict[str, Any]) -> dict[str, Any]:
    return {"commands": {name: list(found.fields) for name, found in sorted(COMMANDS.items())}}


COMMANDS: Final[dict[str, Command]] = {
    **MARKET,
    **FAULTS,
    **TRANSPORT,
    **TRADES,
    **DATA,
    "help": Command({}, _help, fault=False),
}


def validate(body: Any) -> tuple[Command, dict[str, Any]]:
    """The command of a request and its fields, checked, with defaults filled in."""
    if not isinstance(body, dict):
        raise CommandError(f"request must be an object, was {body!r:.60}")
    name = body.get("command")
    if not isinstance(name, str) or name not in COMMANDS:
        raise CommandError(f"unknown command, was {name!r}, one of {', '.join(sorted(COMMANDS))}")
    found = COMMANDS[name]
    unknown = [key for key in body if key != "command" and key not in found.fields]
    if unknown:
        listed = ", ".join(found.fields) or "none"
        raise CommandError(f"unknown field of {name}, was {unknown[0]!r}, one of {listed}")
    values = {}
    for key, bounds in found.fields.items():
        value = check(key, body.get(key), bounds)
        values[key] = bounds.default if value is None else value
    return found, values


def dispatch(gateway: Gateway, body: Any) -> dict[str, Any]:
    found, values = validate(body)
    result = found.run(gateway, values)
    if found.fault:
        gateway.world.counters.faults[body["command"]] += 1
    return result
