from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators import commands
from simulators.bounds import Bounds
from simulators.commands import Command, Values

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["CLIENT_ID", "FOR_S", "SYMBOL", "Commands"]

Handler = Callable[["Gateway", Values], Values]

SYMBOL: Final = Bounds(str, "symbol as IBKR spells it", required=True)
CLIENT_ID: Final = Bounds(int, "one client; all without it", 0, 2_000_000_000)
FOR_S: Final = Bounds(float, "how long, for ever without it", 0, 1_000_000)


class Commands(commands.Commands["Gateway"]):
    """The commands of one module, by name; a fault that was carried out is counted by it."""

    def add(
        self, name: str, fields: dict[str, Bounds] | None = None, fault: bool = False
    ) -> Callable[[Handler], Handler]:
        def register(run: Handler) -> Handler:
            self[name] = Command(fields or {}, _counted(name, run) if fault else run)
            return run

        return register


def _counted(name: str, run: Handler) -> Handler:
    def run_and_count(gateway: Gateway, values: Values) -> Values:
        result = run(gateway, values)
        gateway.world.counters.faults[name] += 1
        return result

    return run_and_count
