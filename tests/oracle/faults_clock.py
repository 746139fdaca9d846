"""The wall clock of the product's processes is stepped by an hour, and back.

Whatever is timed inside must go by the monotonic clock: nobody ends, nothing waits for the hour to
pass, and what expired at once is written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tests.oracle.faults import PATIENCE_S, Draw, Fault
from tests.oracle.plan import WORKERS
from tests.oracle.rig import Rig, now_ms
from tests.oracle.surfaces import SURFACES, oldest_ms

__all__ = ["CLOCK"]

_HOUR_MS: Final = 3_600_000
_LIVING: Final = (*WORKERS, "redis", "guardian")


def _stepped(hours: int) -> Callable[[Rig, Draw], dict[str, int]]:
    def begin(rig: Rig, draw: Draw) -> dict[str, int]:
        pids = _pids(rig)
        _step(rig, hours)
        return pids

    return begin


def _right_again(rig: Rig, pids: dict[str, int]) -> None:
    _step(rig, 0)
    for name, pid in _pids(rig).items():
        if pid != pids[name]:
            text = f"{name} was {pids[name]} before the clock was stepped, is {pid}"
            rig.complaints.append(("nobody ends by the clock", text))


def _step(rig: Rig, hours: int) -> None:
    """Every symbol is fed again on every surface, by then."""
    assert rig.clock
    rig.clock.step(hours)
    since_ms = now_ms()
    for surface in SURFACES:
        left_s = max(0.0, PATIENCE_S - (now_ms() - since_ms) / 1_000)
        if not _fed(rig, surface, since_ms, left_s):
            text = f"{surface}: nothing new {PATIENCE_S:.0f} s after the clock went to {hours:+d} h"
            rig.complaints.append(("fresh after a fault", text))
    wrong = [
        name for name, ms in _clocks(rig).items() if round((ms - now_ms()) / _HOUR_MS) != hours
    ]
    if wrong:
        raise RuntimeError(f"the clock of {', '.join(wrong)} was not stepped to {hours:+d} h")


def _fed(rig: Rig, surface: str, since_ms: int, left_s: float) -> bool:
    return rig.wait(lambda: oldest_ms(rig, surface) > since_ms, left_s) is not None


def _clocks(rig: Rig) -> dict[str, int]:
    """What time it is for whom."""
    redis_time: Any = rig.client.time()
    beats: dict[str, Any] = {name: rig.client.get(f"heartbeat:{name}") for name in WORKERS}
    found = {name: int(json.loads(beat)["ts"]) for name, beat in beats.items() if beat}
    return {"redis": int(redis_time[0]) * 1_000, **found}


def _pids(rig: Rig) -> dict[str, int]:
    programs = rig.programs()
    return {name: programs[name].pid for name in _LIVING}


def _clock(name: str, hours: int) -> Fault:
    hold_s = (2.0, 12.0)
    return Fault(name, "clock", _stepped(hours), _right_again, hold_s, SURFACES, needs="fake clock")


CLOCK: Final = (_clock("clock an hour ahead", 1), _clock("clock an hour behind", -1))
