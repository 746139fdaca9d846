"""The product's wall clock, which may be an hour wrong: a library that its processes preload.

It is built with the machine's C compiler; where there is none, no clock is stepped. (libfaketime
0.9.10 would do the same, but CPython's sleep fails under it.) The monotonic clock is left alone,
and so are the simulators and the checker: vendors keep the time.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Final

__all__ = ["COMPILER", "FakeClock", "true_ms"]

_STEP_MS: Final = 3_600_000
_SOURCE: Final = Path(__file__).with_suffix(".c")
COMPILER: Final = shutil.which("cc")


def true_ms(ms: int, now_ms: int | None = None) -> int:
    """What a time written by the product was by the right clock: runs are far below an hour."""
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    hours = round((ms - now_ms) / _STEP_MS)
    return ms - hours * _STEP_MS if abs(hours) == 1 else ms


class FakeClock:
    def __init__(self, directory: Path) -> None:
        self._offset = directory / "clock_offset"
        self._library = directory / "fake_clock.so"
        self.step(0)
        command = [COMPILER or "cc", "-O2", "-shared", "-fPIC", "-o", str(self._library)]
        subprocess.run([*command, str(_SOURCE)], check=True)

    def step(self, hours: int) -> None:
        """In one write, so that all processes that were started with `env` see it at once."""
        data = struct.pack("=q", hours * _STEP_MS // 1_000)
        # The file must stay the same one: it is mapped.
        with self._offset.open("r+b" if self._offset.exists() else "wb", buffering=0) as file:
            file.write(data)

    @property
    def env(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "TICKVISOR_CLOCK": str(self._offset)}
