"""Memory, open files and threads of every process of the product, over the whole run."""

from __future__ import annotations

import http.client
import math
import threading
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.oracle.evidence import Findings
from tests.oracle.rig import Rig

__all__ = ["Life", "ResourceLog", "Sample", "Slope", "check_resources", "slope_of"]

_EVERY_S: Final = 2.0
_WARM_S: Final = 30.0
_FILES_MORE: Final = 20
_THREADS_MORE: Final = 8
_RSS_MAX_MB: Final = 400.0
# A slope of memory says nothing before so long.
_SLOPE_S: Final = 300.0
_WARM_UP_S: Final = 120.0
_OF_95: Final = 1.96
_HOUR_S: Final = 3_600.0


class Sample(NamedTuple):
    at_s: float
    rss_mb: float
    files: int
    threads: int


class Slope(NamedTuple):
    """Memory per hour, and half of its interval of 95 % confidence."""

    mb_per_h: float
    plus_minus: float


# (program, pid) -> what it used
Life = Mapping[tuple[str, int], Sequence[Sample]]


class ResourceLog:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resources", daemon=True)
        self.lives: dict[tuple[str, int], list[Sample]] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            try:
                programs = self._rig.programs()
            except (OSError, http.client.HTTPException, xmlrpc.client.Error):
                # supervisord is away or has no children yet.
                continue
            for name, program in programs.items():
                sample = _sample(program.pid) if program.pid else None
                if sample is not None:
                    self.lives.setdefault((name, program.pid), []).append(sample)


def _sample(pid: int) -> Sample | None:
    process = Path("/proc") / str(pid)
    try:
        status = dict(
            line.split(":", 1) for line in (process / "status").read_text("utf-8").splitlines()
        )
        files = len(list((process / "fd").iterdir()))
    except (OSError, ValueError):
        return None
    if "VmRSS" not in status:
        return None
    rss_mb = int(status["VmRSS"].split()[0]) / 1_024
    return Sample(time.monotonic(), rss_mb, files, int(status["Threads"]))


def check_resources(lives: Life) -> Findings:
    """Files and threads stay as they were once a process is warm; memory stays in bounds."""
    findings = Findings()
    for (name, pid), samples in lives.items():
        most_mb = max(sample.rss_mb for sample in samples)
        findings.counts[f"most MB, {name}"] = max(
            round(most_mb), findings.counts.get(f"most MB, {name}", 0)
        )
        if most_mb > _RSS_MAX_MB:
            findings.violation("memory bounded", f"{name} {pid}: {most_mb:.0f} MB")
        warm = [s for s in samples if s.at_s > samples[0].at_s + _WARM_S]
        if len(warm) < 6:
            continue
        third = len(warm) // 3
        early, late = warm[:third], warm[-third:]
        for what, more in (("files", _FILES_MORE), ("threads", _THREADS_MORE)):
            before, after = (max(getattr(s, what) for s in part) for part in (early, late))
            if after > before + more:
                findings.violation(f"{what} flat", f"{name} {pid}: {before}, then {after}")
    return findings


def slope_of(samples: Sequence[Sample]) -> Slope | None:
    """By least squares, after the warm-up; None where there is too little to tell."""
    points = [(s.at_s, s.rss_mb) for s in samples if s.at_s > samples[0].at_s + _WARM_UP_S]
    if not points or points[-1][0] - points[0][0] < _SLOPE_S:
        return None
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    error = math.sqrt(rest / (count - 2) / spread)
    return Slope(slope * _HOUR_S, _OF_95 * error * _HOUR_S)
