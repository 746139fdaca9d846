from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .options import Bounds

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["CLIENT_ID", "FOR_S", "SYMBOL", "Command", "Commands"]

Handler = Callable[["Gateway", dict[str, Any]], dict[str, Any]]
Register = Callable[[Handler], Handler]

SYMBOL: Final = Bounds(str, "symbol as IBKR spells it", required=True)
CLIENT_ID: Final = Bounds(int, "one client; all without it", 0, 2_000_000_000)
FOR_S: Final = Bounds(float, "how long, for ever without it", 0, 1_000_000)


@dataclass(frozen=True, slots=True)
class Command:
    fields: dict[str, Bounds]
    run: Handler
    # A fault is counted by name.
    fault: bool


class Commands(dict[str, Command]):
    """The commands of one module, by name."""

    def add(self, name: str, fields: dict[str, Bounds], fault: bool = False) -> Register:
        def register(run: Handler) -> Handler:
            self[name] = Command(fields, run, fault)
            return run

        return register
