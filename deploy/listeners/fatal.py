"""Programs that supervisord gave up: started again, ever more seldom, for ever. Pure.

What made them fail may pass: settings that are put right, a lease that runs out, a full disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deploy.listeners.seen import Action, Incident, Seen, Start

WAITS_S: Final = (5.0, 10.0, 20.0, 30.0)
# A program that runs this long has recovered; one that fails sooner goes on where it was.
STABLE_S: Final = 30.0
# A start shows within this; what is FATAL after it failed again, or could not be started.
_STARTED_S: Final = 2.0


@dataclass(slots=True)
class _Fallen:
    since_s: float
    tries: int = 0
    # When the next start is due, None while one is under way.
    due_s: float | None = None
    started_s: float = 0.0
    running_since_s: float | None = None

    @property
    def wait_s(self) -> float:
        return WAITS_S[min(self.tries, len(WAITS_S) - 1)]


class FatalRule:
    def __init__(self) -> None:
        self._fallen: dict[str, _Fallen] = {}

    def decide(self, programs: Iterable[Seen], now_s: float) -> list[Action]:
        actions: list[Action] = []
        for one in programs:
            if one.state == "FATAL":
                actions += self._on_fatal(one.name, now_s)
            elif one.stopped:
                self._fallen.pop(one.name, None)
            elif one.state == "RUNNING" and one.name in self._fallen:
                actions += self._on_running(one, now_s)
        return actions

    def _on_fatal(self, name: str, now_s: float) -> list[Action]:
        fallen = self._fallen.get(name)
        actions: list[Action] = []
        if fallen is None or fallen.running_since_s is not None:
            tries = 0 if fallen is None else fallen.tries
            fallen = self._fallen[name] = _Fallen(now_s, tries)
            fallen.due_s = now_s + fallen.wait_s
            text = f"{name}: supervisord gave up, started again in {fallen.wait_s:g} s"
            actions.append(Incident("fatal", f"{text}, then ever more seldom"))
        elif fallen.due_s is None and now_s - fallen.started_s >= _STARTED_S:
            fallen.due_s = now_s + fallen.wait_s
        if fallen.due_s is not None and now_s >= fallen.due_s:
            fallen.due_s, fallen.started_s = None, now_s
            fallen.tries += 1
            actions.append(Start(name))
        return actions

    def _on_running(self, one: Seen, now_s: float) -> list[Action]:
        fallen = self._fallen[one.name]
        if fallen.running_since_s is None:
            fallen.running_since_s = now_s
            times = "start" if fallen.tries == 1 else "starts"
            text = (
                f"{one.name}: runs again {now_s - fallen.since_s:.1f} s after supervisord gave up"
            )
            return [Incident("recovered", f"{text}, {fallen.tries} {times}, pid {one.pid}")]
        if now_s - fallen.running_since_s >= STABLE_S:
            del self._fallen[one.name]
        return []
