"""What the guardian sees of a program, and what it may do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """One program as supervisord, the system and Redis show it.

    `worker`: it owes a heartbeat; `frozen`: stopped by a signal (state T of proc(5)); `beat`: the
    time stamp of the newest heartbeat that this very pid wrote, 0 where none is known.
    """

    name: str
    state: str
    pid: int = 0
    worker: bool = False
    frozen: bool = False
    beat: int = 0

    @property
    def stopped(self) -> bool:
        """By an operator: what he stops stays stopped."""
        return self.state in ("STOPPED", "STOPPING")


@dataclass(frozen=True, slots=True)
class Kill:
    """End this process: ask it, or, with `force`, do not ask."""

    name: str
    pid: int
    force: bool


@dataclass(frozen=True, slots=True)
class Start:
    name: str


@dataclass(frozen=True, slots=True)
class Incident:
    kind: str
    text: str


Action = Kill | Start | Incident
