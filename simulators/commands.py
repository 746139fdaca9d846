from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .bounds import Bounds, check
from .errors import CommandError

__all__ = ["Command", "CommandSet", "Commands", "Values"]

Values = dict[str, Any]
# The simulator that a command is carried out on.
Served = TypeVar("Served")
Handler = Callable[[Served, Values], Values]


@dataclass(frozen=True, slots=True)
class Command(Generic[Served]):
    fields: dict[str, Bounds]
    run: Handler[Served]


class Commands(dict[str, Command[Served]]):
    """The commands of one module, by name."""

    def add(
        self, name: str, fields: dict[str, Bounds] | None = None
    ) -> Callable[[Handler[Served]], Handler[Served]]:
        def register(run: Handler[Served]) -> Handler[Served]:
            self[name] = Command(fields or {}, run)
            return run

        return register


class CommandSet(Commands[Served]):
    """All commands of a simulator, with `help` among them."""

    def __init__(self, *parts: Commands[Served]) -> None:
        super().__init__()
        for part in parts:
            self.update(part)
        self.add("help")(self._help)

    def validate(self, body: Any) -> tuple[Command[Served], Values]:
        """The command of a request and its fields, checked, with defaults filled in."""
        if not isinstance(body, dict):
            raise CommandError(f"request must be an object, was {body!r:.60}")
        name = body.get("command")
        if not isinstance(name, str) or name not in self:
            raise CommandError(f"unknown command, was {name!r}, one of {', '.join(sorted(self))}")
        found = self[name]
        unknown = [key for key in body if key != "command" and key not in found.fields]
        if unknown:
            listed = ", ".join(found.fields) or "none"
            raise CommandError(f"unknown field of {name}, was {unknown[0]!r}, one of {listed}")
        return found, {key: check(key, body.get(key), b) for key, b in found.fields.items()}

    def dispatch(self, served: Served, body: Any) -> Values:
        found, values = self.validate(body)
        return found.run(served, values)

    def _help(self, served: Served, values: Values) -> Values:
        return {"commands": {name: list(found.fields) for name, found in sorted(self.items())}}
