"""One deliberate bug: what it changes in a copy of the product, and what must be found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Bug", "bug"]


@dataclass(frozen=True, slots=True)
class Bug:
    name: str
    # (file, text that stands there once, what takes its place)
    edits: tuple[tuple[str, str, str], ...]
    # What it must be found as; others may be broken too.
    invariant: str
    faults: tuple[str, ...] = ()
    # How long it has to show.
    seconds: float = 10.0
    # What its world is like: see plan.py.
    stream_maxlen: int = 400_000
    contracts: int = 40

    def put_into(self, root: Path) -> None:
        for path, old, new in self.edits:
            text = (root / path).read_text(encoding="utf-8")
            if text.count(old) != 1:
                raise ValueError(f"{path} must hold {old!r} once, had it {text.count(old)} times")
            (root / path).write_text(text.replace(old, new), encoding="utf-8")


def bug(
    name: str,
    path: str,
    edit: tuple[str, str],
    invariant: str,
    faults: tuple[str, ...] = (),
    **other: Any,
) -> Bug:
    return Bug(name, ((path, *edit),), invariant, faults, **other)
