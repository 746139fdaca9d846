"""All rules of the guardian in one: what is seen comes in, what is to be done goes out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deploy.listeners.fatal import FatalRule
from deploy.listeners.hung import HungRule
from deploy.listeners.seen import Action, Incident, Seen

# A program that crashes all the time is told once in so long.
TOLD_EVERY_S: Final = 60.0


class Judgement:
    def __init__(self, late_s: float) -> None:
        """`late_s`: how old a worker's heartbeat may be."""
        self._hung = HungRule(late_s)
        self._fatal = FatalRule()
        # When a program's crashes were told last, and how many came since.
        self._told: dict[str, tuple[float, int]] = {}

    def decide(
        self, programs: Sequence[Seen], redis_since_s: float | None, now_s: float
    ) -> list[Action]:
        return [
            *self._hung.decide(programs, redis_since_s, now_s),
            *self._fatal.decide(programs, now_s),
        ]

    def exited(self, name: str, pid: int, now_s: float) -> list[Action]:
        """A process ended unexpectedly after it had run; supervisord starts the next one."""
        if self._hung.killed(name, pid):
            return []
        told_s, since = self._told.get(name, (-TOLD_EVERY_S, 0))
        if now_s - told_s < TOLD_EVERY_S:
            self._told[name] = (told_s, since + 1)
            return []
        self._told[name] = (now_s, 0)
        before = f", as {since} before it" if since else ""
        return [Incident("restart", f"{name}: pid {pid} ended unexpectedly{before}, started again")]
