"""Write the lock files anew from setup.cfg and pyproject.toml: make lock.

Versions that are locked stay, unless what is declared no longer allows them. Every file that the
index has of a version is listed by its hash, so that other platforms can install as well.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RUNTIME: Final = "requirements.lock"
DEVELOPMENT: Final = "requirements-dev.lock"
AUDIT: Final = "requirements-audit.lock"
_RESOLVER: Final = "uv==0.13.9"
_AUDITOR: Final = "pip-audit==2.10.1"
_OPTIONS: Final = (
    "--python-version=3.11", "--universal", "--generate-hashes", "--no-annotate", "--no-header",
    "--quiet",
)  # fmt: skip
_ENTRY: Final = re.compile(r"(?m)^(?=[a-zA-Z])")


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        venv.create(place / "venv", with_pip=True)
        python = place / "venv/bin/python"
        _run(python, "-m", "pip", "install", "--quiet", _RESOLVER)
        held = place / "held.txt"
        held.write_text("\n".join(versions((ROOT / RUNTIME, ROOT / DEVELOPMENT))), "utf-8")
        build = place / "build.in"
        build.write_text("\n".join(_build_requirements()), "utf-8")
        compile_ = (place / "venv/bin/uv", "pip", "compile", *_OPTIONS, f"--constraint={held}")
        runtime = _run(*compile_, ROOT / "setup.cfg", build)
        everything = _run(*compile_, "--extra=dev", ROOT / "setup.cfg", build)
        auditor = place / "audit.in"
        auditor.write_text(_AUDITOR, "utf-8")
        (ROOT / AUDIT).write_text(_run(*compile_, auditor), "utf-8")
    (ROOT / RUNTIME).write_text(runtime, "utf-8")
    (ROOT / DEVELOPMENT).write_text(beyond(everything, runtime), "utf-8")
    return 0


def entries(text: str) -> list[str]:
    """A lock's entries, each with the hashes below it."""
    return [entry for entry in _ENTRY.split(text) if entry.strip()]


def beyond(everything: str, runtime: str) -> str:
    """Entries of the first that the second has not."""
    known = set(entries(runtime))
    return "".join(entry for entry in entries(everything) if entry not in known)


def versions(locks: Iterable[Path]) -> list[str]:
    """`name==version` of every entry, without hashes and markers."""
    texts = [lock.read_text("utf-8") for lock in locks if lock.exists()]
    return [entry.split()[0] for text in texts for entry in entries(text)]


def _build_requirements() -> list[str]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return list(document["build-system"]["requires"])


def _run(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
