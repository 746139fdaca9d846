from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.commands import CommandSet

from .commands_faults import FAULTS
from .commands_world import WORLD

if TYPE_CHECKING:
    from .server import Server

__all__ = ["COMMANDS"]

COMMANDS: Final[CommandSet[Server]] = CommandSet(WORLD, FAULTS)
