"""Are the packages here those that are locked, and is anything known against them? make audit.

Exit codes: 0 nothing is wrong, 1 something is, 3 what can be seen here is right and nobody could be
asked for known vulnerabilities. With --offline nobody is asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

if not __package__:
    # Run as a plain file: the root is not importable yet.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.installed_packages import audited, read_locks, site_packages
from scripts.lock_requirements import DEVELOPMENT, ROOT, RUNTIME

WRONG: Final = 1
NOT_ASKED: Final = 3
_ANSWER_S: Final = 120.0


def main(arguments: Sequence[str]) -> int:
    locks = [ROOT / RUNTIME, ROOT / DEVELOPMENT]
    audit = audited(read_locks(locks), site_packages())
    faults = [*audit.faults, *_conflicts()]
    for package, licence in sorted(audit.licences.items()):
        print(f"{package:40} {licence}")
    print(f"{len(audit.licences)} packages, {audit.files} files held against their hashes")
    offline = "--offline" in arguments
    known, unknown = ([], "") if offline else vulnerabilities(locks, arguments[-1:])
    for fault in [*faults, *known]:
        print(f"wrong: {fault}", file=sys.stderr)
    if faults or known:
        return WRONG
    if unknown:
        print(f"known vulnerabilities were not asked for: {unknown}", file=sys.stderr)
        return NOT_ASKED
    print("nothing is wrong" + (", known vulnerabilities aside" if offline else ""))
    return 0


def vulnerabilities(locks: Iterable[Path], auditor: Sequence[str]) -> tuple[list[str], str]:
    """What is known against the locked packages, and why that cannot be said of all of them."""
    if not auditor:
        return [], "no pip-audit was named"
    files = [part for lock in locks for part in ("--requirement", str(lock))]
    command = [*auditor, "--disable-pip", "--require-hashes", "--format=json", *files]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"{type(error).__name__} of {auditor[0]}"
    try:
        return told(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        lines = done.stderr.strip().split("\n")
        return [], f"pip-audit ended with {done.returncode}: {lines[-1][:200]}"


def told(document: Mapping[str, Any]) -> tuple[list[str], str]:
    """The service's answer; pip-audit takes a package it could not ask about for a good one."""
    packages = document["dependencies"]
    known = [
        f"{one['name']} {one['version']}: {found['id']}"
        for one in packages
        for found in one.get("vulns", ())
    ]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if not packages:
        return known, "the answer names no package"
    return known, f"no answer about {len(skipped)} of {len(packages)} packages" if skipped else ""


def _conflicts() -> list[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip().split("\n") if done.returncode else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
