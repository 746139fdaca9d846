"""Plays a step of faults, and times how soon what they hit is fed again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import redis

from tests.oracle.draw import Draw
from tests.oracle.evidence import Disturbance, Findings, Window
from tests.oracle.faults import Fault
from tests.oracle.recovery import PongWatch
from tests.oracle.rig import AWAY, Rig, now_ms
from tests.oracle.schedule import Step
from tests.oracle.surfaces import newest_ms, slots_live

__all__ = ["Injector"]

_HELD_MS: Final = 5_000
_KEEPS_LATE: Final = ("ibkr_depth", "redis", "slow bytes")
_POLL_S: Final = 0.03
_ANSWERS_S: Final = 60.0
_LAST: Final = {"setup": 1, "redis": 2}
# One that was begun, with what ends it.
Begun = tuple[Fault, Draw, Any]


def _hit(fault: Fault) -> str:
    """`kill -9 ibkr_depth` is one of a worker."""
    return fault.name.split()[-1] if fault.group == "workers" else fault.group


def _end_order(begun: Begun) -> tuple[int, float]:
    """`make up` waits for data, so that what keeps it away must be over; it starts Redis anew."""
    fault, draw, _ = begun
    return _LAST.get(fault.group, 0), draw.hold_s


class Injector:
    def __init__(self, rig: Rig, watch: PongWatch, findings: Findings) -> None:
        self._rig = rig
        self._watch = watch
        self._findings = findings
        self.faults: dict[str, int] = {}
        # group -> seconds each; "group: surface" is one part of it
        self.recoveries: dict[str, list[float]] = {}
        # When cancels may have come late.
        self.held: list[Window] = []
        self.disturbances: list[Disturbance] = []

    def play(self, step: Step) -> None:
        time.sleep(step.wait_s)
        from_ms = now_ms()
        begun = [begin for one in step.faults if (begin := self._begin(*one)) is not None]
        begun_ms = now_ms()
        self._end(begun)
        since_ms = self._over_ms(begun, from_ms, begun_ms)
        name = begun[0][0].target if len(begun) == 1 else ""
        # Of two together neither is over before both are.
        until_ms = since_ms + max((one.patience_s for one, _, _ in begun), default=0.0) * 1_000
        for fault, _, _ in begun:
            self._recover(fault, (since_ms, until_ms), name or "other")
        groups = tuple(fault.group for fault, _ in step.faults)
        hit = tuple(_hit(fault) for fault, _ in step.faults)
        self.disturbances.append(Disturbance(from_ms, now_ms(), hit))
        if any(word in step.name for word in _KEEPS_LATE) or {"load", "setup"} & set(groups):
            self.held.append(Window(from_ms - _HELD_MS, now_ms() + _HELD_MS))

    def _begin(self, fault: Fault, draw: Draw) -> Begun | None:
        """Two together may be one too many: what is down already cannot be hurt."""
        try:
            return fault, draw, fault.begin(self._rig, draw)
        except (redis.RedisError, *AWAY):
            self._findings.count("faults that could not begin")
            return None

    def _end(self, begun: Sequence[Begun]) -> None:
        begun_s = time.monotonic()
        for fault, draw, token in sorted(begun, key=_end_order):
            if fault.waits:
                time.sleep(max(0.0, begun_s + draw.hold_s - time.monotonic()))
            fault.end(self._rig, token)
            self.faults[fault.name] = self.faults.get(fault.name, 0) + 1

    def _over_ms(self, begun: Sequence[Begun], from_ms: int, begun_ms: int) -> int:
        """From when on time is taken.

        Of a killed worker nothing comes any more: what is newer than the kill is its successor's.
        Redis is back with its first PONG, which comes before the command that started it returns.
        """
        targets = [fault.target for fault, _, _ in begun]
        if len(targets) == 1 and targets[0].startswith("kill"):
            return begun_ms
        if targets == ["redis"]:
            self._rig.wait(lambda: self._watch.answers, _ANSWERS_S)
            return self._watch.answered_ms(from_ms) or now_ms()
        return now_ms()

    def _recover(self, fault: Fault, time_ms: tuple[int, float], name: str) -> None:
        since_ms, until_ms = time_ms
        took_s = self._wait(fault, since_ms, until_ms)
        for surface in (one for one in fault.hits if one not in took_s):
            passed_s = (now_ms() - since_ms) / 1_000
            text = f"{surface}: nothing new {passed_s:.1f} s after {fault.name}"
            self._findings.violation("fresh after a fault", text)
            # Told with what it had until then, so that a figure cannot leave out the worst.
            took_s[surface] = passed_s
        if took_s:
            self._note(name, max(took_s.values()))
        if name != "other" and len(took_s) > 1:
            for surface, one_s in took_s.items():
                self._note(f"{name}: {surface}", one_s)

    def _wait(self, fault: Fault, since_ms: int, until_ms: float) -> dict[str, float]:
        """Seconds until each surface that the fault hit had something new."""
        took_s: dict[str, float] = {}
        while True:
            for surface in [one for one in fault.hits if one not in took_s]:
                if self._back(surface, since_ms):
                    took_s[surface] = (now_ms() - since_ms) / 1_000
            if len(took_s) == len(fault.hits) or now_ms() >= until_ms:
                return took_s
            time.sleep(_POLL_S)

    def _back(self, surface: str, since_ms: int) -> bool:
        try:
            if surface == "slots":
                return slots_live(self._rig)
            return newest_ms(self._rig, surface) > since_ms
        except (redis.RedisError, *AWAY):
            return False

    def _note(self, name: str, took_s: float) -> None:
        self.recoveries.setdefault(name, []).append(round(took_s, 3))
