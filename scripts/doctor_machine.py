"""The machine and the installation: versions, private files, disk, memory, open files."""

from __future__ import annotations

import configparser
import resource
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn

_PYTHON: Final = (3, 11)
_MB: Final = 1_048_576
_DISK_WARN_MB: Final = 1_024
_DISK_FAIL_MB: Final = 200
_MEMORY_WARN_MB: Final = 512
_MEMORY_FAIL_MB: Final = 128
_FILES: Final = 1_024


def installation(root: Path) -> list[Finding]:
    return [
        python(sys.version_info[:3]),
        packages(requirements(root), _installed),
        private_file(root / ".env"),
    ]


def machine(directories: Iterable[Path]) -> list[Finding]:
    """`directories`: var/ and that of a Redis on this machine."""
    # One line for each file system.
    roots = {one.stat().st_dev: one for one in reversed([existing(d) for d in directories])}
    return [
        *(disk(one, shutil.disk_usage(one).free) for one in reversed(roots.values())),
        memory(available_bytes(Path("/proc/meminfo"))),
        open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    ]


def python(found: tuple[int, ...]) -> Finding:
    text = ".".join(str(number) for number in found)
    if found[:2] < _PYTHON:
        return fail("python", text, "3.11 or later is needed, then `make install`")
    return ok("python", text)


def requirements(root: Path) -> dict[str, str]:
    """Pinned versions by package, from setup.cfg; empty where it is not there."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / "setup.cfg", encoding="utf-8")
    rows = parser.get("options", "install_requires", fallback="").splitlines()
    pairs = [row.split("==") for row in rows if "==" in row]
    return {name.strip(): wanted.strip() for name, wanted in pairs}


def packages(wanted: dict[str, str], installed: Callable[[str], str]) -> Finding:
    found = {name: installed(name) for name in wanted}
    missing = [name for name in wanted if not found[name]]
    other = [
        f"{name} is {found[name]}, must be {wanted[name]}"
        for name in wanted
        if found[name] and found[name] != wanted[name]
    ]
    if missing:
        return fail("packages", f"missing: {', '.join(missing)}", "run `make install`")
    if other:
        return warn("packages", "; ".join(other), "run `make install`")
    return ok("packages", f"{len(wanted)} as required")


def private_file(path: Path) -> Finding:
    """Readable by its owner alone: it holds a key and perhaps a password."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return ok(path.name, "is not there, the environment alone counts")
    if mode & 0o077:
        return warn(path.name, f"mode {mode:o}, others can read it", f"chmod 600 {path.name}")
    return ok(path.name, f"mode {mode:o}")


def disk(directory: Path, free_bytes: int) -> Finding:
    free_mb = free_bytes // _MB
    text = f"{free_mb / 1_024:.1f} GB free at {directory}"
    remedy = "free some: logs are in var/log, the append-only file in var/redis"
    if free_mb < _DISK_FAIL_MB:
        return fail("disk", text, remedy)
    return warn("disk", text, remedy) if free_mb < _DISK_WARN_MB else ok("disk", text)


def existing(directory: Path) -> Path:
    """Itself, or what it will be made in."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory


def available_bytes(meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text("ascii").splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return int(rest.split()[0]) * 1_024
    except (OSError, ValueError, IndexError):
        return None
    return None


def memory(available: int | None) -> Finding:
    if available is None:
        return ok("memory", "this system does not tell")
    free_mb = available // _MB
    text, remedy = f"{free_mb} MB available", "end other programs, or lower redis.maxmemory_mb"
    if free_mb < _MEMORY_FAIL_MB:
        return fail("memory", text, remedy)
    return warn("memory", text, remedy) if free_mb < _MEMORY_WARN_MB else ok("memory", text)


def open_files(limit: int) -> Finding:
    if limit == resource.RLIM_INFINITY:
        return ok("open-files", "no limit")
    if limit < _FILES:
        remedy = "raise it with `ulimit -n 4096` before `make up`"
        return warn("open-files", f"at most {limit}", remedy)
    return ok("open-files", f"at most {limit}")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
