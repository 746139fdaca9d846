"""The product's processes as the system sees them, also when supervisord itself is gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.layout import Layout

_PROC: Final = Path("/proc")
_NAME_VARIABLE: Final = b"SUPERVISOR_PROCESS_NAME="
# supervisord and the guardian first, or they would start again what is being stopped; then
# workers, simulators, and Redis last, for the others still write to it.
_STOP_ORDER: Final = {
    "supervisord": -2,
    "guardian": -1,
    "tws_simulator": 1,
    "alphavantage_simulator": 1,
    "redis": 2,
}
# supervisord itself waits 10 s for a worker, 10 s for a simulator and 20 s for Redis.
_GRACE_S: Final = {"supervisord": 50.0, "redis": 20.0}


@dataclass(frozen=True, slots=True)
class Survivor:
    pid: int
    name: str


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def wait_until_gone(pids: Collection[int], deadline_s: float) -> bool:
    until = time.monotonic() + deadline_s
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def find_ours(layout: Layout) -> list[Survivor]:
    """supervisord started for this tree, and everything any supervisord of this tree started.

    supervisord marks its children with its own address, so nothing else is taken for one.
    """
    if not _PROC.is_dir():
        return []
    found = [
        survivor
        for entry in _PROC.iterdir()
        if entry.name.isdigit() and (survivor := _ours(int(entry.name), layout)) is not None
    ]
    return sorted(found, key=lambda one: _rank(one.name))


def stop(survivors: list[Survivor]) -> None:
    """Name by name in order, first asked, then killed."""
    for name in sorted({one.name for one in survivors}, key=_rank):
        pids = [one.pid for one in survivors if one.name == name]
        _send(pids, signal.SIGTERM)
        if not wait_until_gone(pids, _GRACE_S.get(name, 10.0)):
            _send(pids, signal.SIGKILL)
            wait_until_gone(pids, 5.0)


def _ours(pid: int, layout: Layout) -> Survivor | None:
    if pid == os.getpid():
        return None
    entry = _PROC / str(pid)
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
        environment = (entry / "environ").read_bytes().split(b"\0")
        directory, program = (entry / "cwd").readlink(), (entry / "exe").readlink().name
    except OSError:
        # Another user's, a kernel thread, or gone in the meantime.
        return None
    if str(layout.supervisord_conf).encode() in words and b"supervisor.supervisord" in words:
        return Survivor(pid, "supervisord")
    # Redis writes its title over its own environment: it is known by the directory it keeps.
    if directory == layout.redis and program.startswith(("redis", "valkey")):
        return Survivor(pid, "redis")
    if f"SUPERVISOR_SERVER_URL=unix://{layout.socket}".encode() not in environment:
        return None
    names = [one.partition(b"=")[2] for one in environment if one.startswith(_NAME_VARIABLE)]
    return Survivor(pid, names[0].decode(errors="replace") if names else "unknown")


def _rank(name: str) -> int:
    return _STOP_ORDER.get(name, 0)


def is_stopped(pid: int) -> bool:
    """By SIGSTOP or a terminal, so that it takes no signal but SIGKILL and SIGCONT."""
    return _stat(pid)[:1] == ["T"]


def parent(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[1]) if stat else None


def _is_zombie(pid: int) -> bool:
    return _stat(pid)[:1] == ["Z"]


def _stat(pid: int) -> list[str]:
    """proc(5) stat from the third field on, state and parent; nothing where the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
