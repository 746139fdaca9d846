"""Memory, open files and threads of every process of the product, over the whole run."""

from __future__ import annotations

import http.client
import threading
import time
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.oracle.evidence import Findings
from tests.oracle.growth import Life, Sample, after_warm_up, growth_of
from tests.oracle.rig import Rig

__all__ = ["Lives", "ResourceLog", "check_growth", "check_resources", "growth_rows"]

_EVERY_S: Final = 2.0
_WARM_S: Final = 30.0
_FILES_MORE: Final = 20
_THREADS_MORE: Final = 8
_RSS_MAX_MB: Final = 400.0
# Only so long a growth is held against the product.
_LONG_MIN: Final = 10.0


# (program, pid) -> what it used
Lives = Mapping[tuple[str, int], Life]


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


def check_resources(lives: Lives) -> Findings:
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


def growth_rows(lives: Lives) -> dict[str, dict[str, Any]]:
    """By program, of the process that lived longest: what it had once warm and at the end."""
    found: dict[str, dict[str, Any]] = {}
    for (name, _), life in sorted(lives.items(), key=lambda one: len(one[1])):
        warm = after_warm_up(life)
        growth = growth_of([(sample.at_s, sample.rss_mb) for sample in warm])
        if growth is not None:
            found[name] = {
                "minutes": round((warm[-1].at_s - warm[0].at_s) / 60, 1),
                "rss_mb": [round(warm[0].rss_mb, 1), round(warm[-1].rss_mb, 1)],
                "mb_per_h": [round(part, 2) for part in growth],
                "verdict": growth.verdict,
                "files": [warm[0].files, warm[-1].files],
                "threads": [warm[0].threads, warm[-1].threads],
            }
    return found


def check_growth(rows: Mapping[str, Mapping[str, Any]]) -> Findings:
    """Redis holds a day of bars, which it gathers all day; its bound is `maxmemory`."""
    findings = Findings()
    for name, row in rows.items():
        if row["verdict"] == "grows" and row["minutes"] >= _LONG_MIN and name != "redis":
            low = row["mb_per_h"][1]
            text = f"{name}: at least {low} MB an hour over {row['minutes']} minutes"
            findings.violation("memory flat", text)
    return findings
