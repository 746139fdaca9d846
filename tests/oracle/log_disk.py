"""A small disk for the logs, so that it can be full: a tmpfs where mounting works.

Elsewhere no file of supervisord's, who writes everybody's log, grows any more.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["LogDisk"]

_SIZE: Final = "64m"
_FULL_BYTES: Final = 4_096
_CHUNK: Final = b"\0" * 65_536


class LogDisk:
    def __init__(self, directory: Path) -> None:
        directory.parent.mkdir(mode=0o700, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        options = ["-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tickvisor-oracle"]
        self._directory = directory
        self.is_mounted = _ran(["mount", *options, str(directory)])

    @property
    def _filler(self) -> Path:
        return self._directory / "filler"

    def fill(self, supervisor_pid: int) -> None:
        if not self.is_mounted:
            _limit(supervisor_pid, _FULL_BYTES)
            return
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(_CHUNK)

    def free(self, supervisor_pid: int) -> None:
        if self.is_mounted:
            self._filler.unlink(missing_ok=True)
        else:
            _limit(supervisor_pid, None)

    def close(self) -> None:
        """What was written stays, on the disk that is not full."""
        if self.is_mounted:
            kept = self._directory.with_name("log.kept")
            self._filler.unlink(missing_ok=True)
            shutil.copytree(self._directory, kept, dirs_exist_ok=True)
            _ran(["umount", "--lazy", str(self._directory)])
            shutil.copytree(kept, self._directory, dirs_exist_ok=True)
            shutil.rmtree(kept)


def _limit(pid: int, most_bytes: int | None) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if most_bytes is None else most_bytes, hard))


def _ran(command: list[str]) -> bool:
    """Nobody else than root may mount, and not everywhere."""
    if os.geteuid() != 0:
        return False
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
