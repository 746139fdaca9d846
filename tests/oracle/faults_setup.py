"""Faults of what surrounds the product: its files, its settings, its supervisor's disk."""

from __future__ import annotations

import resource
from typing import Any, Final

from deploy.supervisor_client import SupervisorClient
from tests.oracle.draw import Draw
from tests.oracle.faults import ALL_FED, Fault
from tests.oracle.plan import VENUES
from tests.oracle.rig import Rig
from tests.support.worker_process import write_universe

__all__ = ["SETUP"]

_READERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
_FULL_BYTES: Final = 4_096


def _without_symbol(rig: Rig, draw: Draw) -> None:
    """One symbol less after a restart of those who read the universe."""
    left = {symbol: venues for symbol, venues in VENUES.items() if symbol != draw.symbol}
    write_universe(rig.product.layout.root / "config", left)
    rig.supervisorctl("restart", *_READERS)


def _with_symbol(rig: Rig, token: Any) -> None:
    write_universe(rig.product.layout.root / "config", VENUES)
    rig.supervisorctl("restart", *_READERS)


def _disk_full(rig: Rig, draw: Draw) -> int:
    """supervisord writes everybody's log: no file of its own grows any more."""
    with SupervisorClient(rig.product.layout.socket) as client:
        pid = client.pid()
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FULL_BYTES, hard))
    return pid


def _disk_free(rig: Rig, pid: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


SETUP: Final = (
    Fault("symbol removed and added", "setup", _without_symbol, _with_symbol, (4.0, 8.0), ALL_FED),
    Fault("log disk full", "setup", _disk_full, _disk_free, (3.0, 8.0), ALL_FED),
)
