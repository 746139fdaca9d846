"""What supervisord says of a program. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgramSeen:
    """`starts` counts those of this supervisord's life; None where its log does not tell."""

    name: str
    state: str
    uptime_s: float | None = None
    detail: str = ""
    starts: int | None = None
