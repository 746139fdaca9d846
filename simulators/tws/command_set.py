from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.commands import CommandSet

from .commands_data import DATA
from .commands_faults import FAULTS
from .commands_market import MARKET
from .commands_trades import TRADES
from .commands_transport import TRANSPORT

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["COMMANDS"]

COMMANDS: Final[CommandSet[Gateway]] = CommandSet(MARKET, FAULTS, TRANSPORT, TRADES, DATA)
