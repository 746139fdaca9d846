"""Workers that live and no longer beat: killed, and started again. Pure, monotonic seconds.

A heartbeat counts from when it was seen to change, by the guardian's clock alone. It can stop for
reasons that are not the worker's, so nobody is killed before Redis has answered for a while, with
more patience where all stop at once, few at a time, and ever more seldom where it does not help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.listeners.seen import Action, Incident, Kill, Seen, Start

# Younger processes are left alone; one that never beat may still be importing on a busy machine.
MIN_AGE_S: Final = 10.0
FIRST_BEAT_S: Final = 30.0
# After an outage a worker may sit out a time-out of 5 s and the pause before its next beat.
SETTLE_S: Final = 10.0
ASKED_S: Final = 2.0
SUPERVISORDS_S: Final = 1.0
START_EVERY_S: Final = 5.0
FIRST_WAIT_S: Final = 30.0
MAX_WAIT_S: Final = 300.0
MOST_AT_ONCE: Final = 2
AT_ONCE_S: Final = 5.0
# How much longer a silence must last when every worker is silent.
ALL_AT_ONCE: Final = 3.0
_ALIVE: Final = ("STARTING", "RUNNING")


@dataclass(slots=True)
class _Life:
    """One process: since when it is known, and when its heartbeat was seen to change."""

    pid: int
    since_s: float
    beat: int = 0
    beat_s: float = 0.0


@dataclass(slots=True)
class _Replacement:
    """A process that was killed, until its successor beats."""

    pid: int
    killed_s: float
    asked: bool
    # Unknown until its end is seen.
    next_start_s: float | None = None
    successor: int = 0


@dataclass(slots=True)
class _Restraint:
    """The kills of one program: when the last one was, and how long the next one waits."""

    last_s: float
    wait_s: float = FIRST_WAIT_S

    def again(self, now_s: float) -> None:
        helped = now_s - self.last_s >= 2 * self.wait_s
        self.wait_s = FIRST_WAIT_S if helped else min(MAX_WAIT_S, 2 * self.wait_s)
        self.last_s = now_s


class HungRule:
    def __init__(self, late_s: float) -> None:
        self._late_s = late_s
        self._lives: dict[str, _Life] = {}
        self._replacing: dict[str, _Replacement] = {}
        self._restraints: dict[str, _Restraint] = {}
        # The newest process of each program that was killed: news of its end may come late.
        self._killed: dict[str, int] = {}

    def decide(
        self, programs: Sequence[Seen], redis_since_s: float | None, now_s: float
    ) -> list[Action]:
        """`redis_since_s`: since when Redis has answered, None while it does not."""
        workers = [one for one in programs if one.worker and one.state in _ALIVE]
        self._follow(workers, now_s)
        actions = self._replace({one.name: one for one in programs}, now_s)
        if redis_since_s is None or now_s - redis_since_s < max(SETTLE_S, self._late_s):
            return actions
        running = [one for one in workers if one.state == "RUNNING"]
        return actions + self._kill(running, now_s)

    def killed(self, name: str, pid: int) -> bool:
        """Whether the end of this process was ours."""
        return self._killed.get(name) == pid

    def _follow(self, workers: Iterable[Seen], now_s: float) -> None:
        for one in workers:
            life = self._lives.get(one.name)
            if life is None or life.pid != one.pid:
                life = self._lives[one.name] = _Life(one.pid, now_s)
            if one.beat and one.beat != life.beat:
                life.beat, life.beat_s = one.beat, now_s

    def _kill(self, running: Sequence[Seen], now_s: float) -> list[Action]:
        late = {one.name: age_s for one in running if (age_s := self._late(one, now_s))}
        if len(late) == len(running) > 1:
            limit_s = ALL_AT_ONCE * self._late_s
            late = {name: age_s for name, age_s in late.items() if age_s > limit_s}
        recent = [one for one in self._restraints.values() if now_s - one.last_s < AT_ONCE_S]
        ready = [one for one in running if one.name in late and self._may(one.name, now_s)]
        ready.sort(key=lambda one: -late[one.name])
        actions: list[Action] = []
        for one in ready[: max(0, MOST_AT_ONCE - len(recent))]:
            actions += self._begin(one, late[one.name], now_s)
        return actions

    def _late(self, one: Seen, now_s: float) -> float:
        """How old its heartbeat is where it is too old, else 0."""
        life = self._lives[one.name]
        if one.name in self._replacing and self._replacing[one.name].pid == one.pid:
            return 0.0
        since_s, limit_s = (
            (life.beat_s, self._late_s) if life.beat else (life.since_s, FIRST_BEAT_S)
        )
        old_enough = now_s - life.since_s >= MIN_AGE_S
        return now_s - since_s if old_enough and now_s - since_s > limit_s else 0.0

    def _may(self, name: str, now_s: float) -> bool:
        restraint = self._restraints.get(name)
        return restraint is None or now_s - restraint.last_s >= restraint.wait_s

    def _begin(self, one: Seen, age_s: float, now_s: float) -> list[Action]:
        if one.name in self._restraints:
            self._restraints[one.name].again(now_s)
        else:
            self._restraints[one.name] = _Restraint(now_s)
        # A process that is stopped would take the request when it is continued, if ever.
        self._replacing[one.name] = _Replacement(one.pid, now_s, asked=not one.frozen)
        self._killed[one.name] = one.pid
        limit_s = self._late_s if self._lives[one.name].beat else FIRST_BEAT_S
        how = "is stopped by a signal: killed" if one.frozen else "is asked to end"
        text = f"{one.name}: last heartbeat {age_s:.1f} s ago, limit {limit_s:g} s; pid {one.pid}"
        return [Incident("hung", f"{text} {how}"), Kill(one.name, one.pid, one.frozen)]

    def _replace(self, programs: Mapping[str, Seen], now_s: float) -> list[Action]:
        actions: list[Action] = []
        for name, killed in list(self._replacing.items()):
            one = programs.get(name)
            # FATAL has a rule of its own.
            if one is None or one.stopped or one.state == "FATAL":
                del self._replacing[name]
            elif one.state == "EXITED":
                actions += self._start(name, killed, now_s)
            elif one.pid == killed.pid:
                actions += self._insist(one, killed, now_s)
            elif one.state in _ALIVE:
                actions += self._succeeded(one, killed, now_s)
        return actions

    def _insist(self, one: Seen, killed: _Replacement, now_s: float) -> list[Action]:
        waited_s = now_s - killed.killed_s
        if waited_s >= FIRST_WAIT_S:
            # Not even SIGKILL ended it: it is judged anew.
            del self._replacing[one.name]
        elif killed.asked and waited_s >= ASKED_S:
            killed.asked = False
            return [Kill(one.name, one.pid, force=True)]
        return []

    def _start(self, name: str, killed: _Replacement, now_s: float) -> list[Action]:
        """supervisord does not start again what ended with code 0 when it was asked to."""
        if killed.next_start_s is None:
            # What ended with another code it starts within a moment.
            killed.next_start_s = now_s + SUPERVISORDS_S
        if now_s < killed.next_start_s:
            return []
        killed.next_start_s = now_s + START_EVERY_S
        return [Start(name)]

    def _succeeded(self, one: Seen, killed: _Replacement, now_s: float) -> list[Action]:
        actions: list[Action] = []
        if killed.successor != one.pid:
            killed.successor = one.pid
            text = f"{one.name}: started again, pid {one.pid} follows pid {killed.pid}"
            actions.append(Incident("restart", text))
        life = self._lives[one.name]
        # Right after the fork it does not yet look like a worker, and is not followed.
        if life.pid == one.pid and life.beat:
            del self._replacing[one.name]
            text = f"{one.name}: beats again {now_s - killed.killed_s:.1f} s after the kill"
            actions.append(Incident("recovered", text))
        return actions
