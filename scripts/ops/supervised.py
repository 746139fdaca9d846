"""What supervisord says of the programs, and how often it has started each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from deploy.layout import Layout
from deploy.supervisor_client import Program, SupervisorClient
from shared.views.programs import ProgramSeen

_UPTIME: Final = re.compile(r"uptime (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")
_SPAWNED: Final = re.compile(r" spawned: '([^']+)' with pid ")
_BEGAN: Final = " supervisord started with pid "
_BACKUPS: Final = 5


def read_programs(home: Path) -> list[ProgramSeen]:
    """Raises OSError where no supervisord answers."""
    layout = Layout(home)
    with SupervisorClient(layout.socket) as client:
        programs = client.programs()
    return seen_programs(programs, starts(log_lines(layout.log / "supervisord.log")))


def seen_programs(programs: Iterable[Program], counted: Counter[str] | None) -> list[ProgramSeen]:
    return [
        ProgramSeen(
            one.name,
            one.state,
            uptime_s(one.description),
            one.description,
            None if counted is None else counted[one.name],
        )
        for one in programs
    ]


def uptime_s(description: str) -> float | None:
    """`pid 1886, uptime 2 days, 0:00:04`; None for a program that does not run."""
    found = _UPTIME.search(description)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def starts(lines: Iterable[str]) -> Counter[str] | None:
    """Starts by program since the last line that says that supervisord began; None without one."""
    counted: Counter[str] | None = None
    for line in lines:
        if _BEGAN in line:
            counted = Counter()
        elif counted is not None and (found := _SPAWNED.search(line)):
            counted[found[1]] += 1
    return counted


def log_lines(log: Path) -> list[str]:
    """The log and as much of its backups as reaches back to the begin of this supervisord."""
    lines: list[str] = []
    for path in (log, *(log.with_name(f"{log.name}.{n}") for n in range(1, _BACKUPS + 1))):
        try:
            lines[:0] = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            break
        if any(_BEGAN in line for line in lines):
            break
    return lines
