"""Where processes listen, as the kernel tells it (proc(5), tcp and unix of /proc/net)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

_LISTEN: Final = "0A"
_ACCEPTS: Final = "00010000"
# 127.0.0.1 and ::1 as they stand in the tables.
_LOOPBACK: Final = ("0100007F", "00000000000000000000000001000000")


def tcp_listeners(pids: Collection[int]) -> dict[int, bool]:
    """Ports that these processes listen on, and whether that is on loopback."""
    inodes, found = _inodes(pids), {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for fields in _rows(Path(table)):
            if fields[3] == _LISTEN and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found[int(port, 16)] = address in _LOOPBACK
    return found


def unix_listeners(pids: Collection[int]) -> set[str]:
    inodes = _inodes(pids)
    return {
        fields[7] if len(fields) > 7 else "unnamed"
        for fields in _rows(Path("/proc/net/unix"))
        if fields[3] == _ACCEPTS and fields[6] in inodes
    }


def _rows(table: Path) -> Iterator[list[str]]:
    for line in table.read_text(encoding="utf-8").splitlines()[1:]:
        yield line.split()


def _inodes(pids: Collection[int]) -> set[str]:
    found = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                match = re.fullmatch(r"socket:\[(\d+)\]", str(handle.readlink()))
            except FileNotFoundError:
                continue
            if match:
                found.add(match[1])
    return found
