"""Lets `python3 scripts/NAME.py` work with whatever interpreter `python3` is.

Read by interpreters that may be old and bare: standard library only, no recent syntax.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OLDEST: Final = (3, 11)
PACKAGES: Final = (
    "hiredis",
    "ib_async",
    "loguru",
    "msgspec",
    "orjson",
    "redis",
    "rich",
    "supervisor",
    "typer",
    "yaml",
)


def use_virtual_environment() -> None:
    """Go on in the tree's own `.venv` where this interpreter lacks something."""
    lacking = lacks(sys.version_info[:2], _is_installed)
    if not lacking:
        return
    python = ROOT / ".venv/bin/python"
    if not python.exists() or _is_prefix(python.parent.parent):
        sys.exit(f"{sys.executable} lacks {', '.join(lacking)}; run `make install`")
    os.execv(python, [str(python), *sys.argv])


def lacks(version: Sequence[int], is_installed: Callable[[str], bool]) -> list[str]:
    """What the scripts need and this interpreter does not have."""
    lacking = [name for name in PACKAGES if not is_installed(name)]
    if tuple(version) < OLDEST:
        lacking.insert(0, "python {}.{}".format(*OLDEST))
    return lacking


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _is_prefix(environment: Path) -> bool:
    return Path(sys.prefix).resolve() == environment.resolve()
