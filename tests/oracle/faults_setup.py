"""Faults of what surrounds the product: its files, its settings, its supervisor's disk."""

from __future__ import annotations

import os
import signal
from typing import Any, Final

from deploy.supervisor_client import SupervisorClient
from tests.oracle.draw import Draw
from tests.oracle.faults import ALL_FED, Fault
from tests.oracle.plan import VENUES
from tests.oracle.rig import Rig
from tests.support.worker_process import write_universe

__all__ = ["SETUP"]

_READERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
_RELOADED_S: Final = 60.0


def _without_symbol(rig: Rig, draw: Draw) -> None:
    """One symbol less after a restart of those who read the universe."""
    left = {symbol: venues for symbol, venues in VENUES.items() if symbol != draw.symbol}
    write_universe(rig.product.layout.root / "config", left)
    rig.supervisorctl("restart", *_READERS)


def _with_symbol(rig: Rig, token: Any) -> None:
    write_universe(rig.product.layout.root / "config", VENUES)
    rig.supervisorctl("restart", *_READERS)


def _disk_full(rig: Rig, draw: Draw) -> int:
    pid = _supervisor(rig)
    rig.log_disk.fill(pid)
    return pid


def _disk_free(rig: Rig, pid: int) -> None:
    rig.log_disk.free(pid)


def _supervisor(rig: Rig) -> int:
    with SupervisorClient(rig.product.layout.socket) as client:
        return client.pid()


def _supervisor_dead(rig: Rig, draw: Draw) -> None:
    """Its children live on and nobody looks after them until somebody runs `make up` again."""
    os.kill(_supervisor(rig), signal.SIGKILL)


def _make_up(rig: Rig, token: Any) -> None:
    try:
        rig.make_up()
    except RuntimeError as error:
        rig.complaints.append(("make up", str(error)[-400:]))


def _make_down(rig: Rig, draw: Draw) -> None:
    rig.product.launch("down")


def _reload(rig: Rig, draw: Draw) -> None:
    """`supervisorctl reload`: everything is stopped and started again, Redis too."""
    before = rig.pid("redis")
    rig.supervisorctl("reload")
    rig.wait(lambda: rig.pid("redis") not in (0, before) and rig.answers(), _RELOADED_S)


SETUP: Final = (
    Fault("supervisord kill -9, make up", "setup", _supervisor_dead, _make_up, (1.0, 6.0), ALL_FED),
    Fault("make down, make up", "setup", _make_down, _make_up, (1.0, 4.0), ALL_FED),
    Fault("supervisorctl reload", "setup", _reload, hits=ALL_FED),
    Fault("symbol removed and added", "setup", _without_symbol, _with_symbol, (4.0, 8.0), ALL_FED),
    Fault("log disk full", "setup", _disk_full, _disk_free, (3.0, 8.0), ALL_FED),
)
