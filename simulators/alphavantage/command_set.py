from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .bounds import check
from .commands import Command, Values
from .commands_faults import FAULTS
from .commands_world import WORLD
from .errors import CommandError

if TYPE_CHECKING:
    from .server import Server

__all__ = ["COMMANDS", "dispatch", "validate"]


def _help(server: Server, values: Values) -> Values:
    return {"commands": {name: list(found.fields) for name, found in sorted(COMMANDS.items())}}


COMMANDS: Final[dict[str, Command]] = {**WORLD, **FAULTS, "help": Command({}, _help)}


def validate(body: Any) -> tuple[Command, Values]:
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
    return found, {key: check(key, body.get(key), b) for key, b in found.fields.items()}


def dispatch(server: Server, body: Any) -> Values:
    found, values = validate(body)
    return found.run(server, values)
