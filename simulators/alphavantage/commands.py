from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .bounds import Bounds

if TYPE_CHECKING:
    from .server import Server

__all__ = ["SYMBOL", "Command", "Commands", "Values"]

Values = dict[str, Any]
Handler = Callable[["Server", Values], Values]

SYMBOL: Final = Bounds(str, "in any case", required=True)


@dataclass(frozen=True, slots=True)
class Command:
    fields: dict[str, Bounds]
    run: Handler


class Commands(dict[str, Command]):
    """The commands of one module, by name."""

    def add(
        self, name: str, fields: dict[str, Bounds] | None = None
    ) -> Callable[[Handler], Handler]:
        def register(run: Handler) -> Handler:
            self[name] = Command(fields or {}, run)
            return run

        return register
