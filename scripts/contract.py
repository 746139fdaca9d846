"""The documents of the Redis contract: python -m scripts.contract --write|--check."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from shared.schema.documents import files
from shared.settings import repository_root
from shared.store.keys import Keys

_USAGE: Final = 2
_GENERATED: Final = ("keys.md", "schema/*.json")


def main(arguments: Sequence[str]) -> int:
    docs = repository_root() / "docs"
    if list(arguments) == ["--write"]:
        write(docs, files(Keys("")))
        return 0
    if list(arguments) == ["--check"]:
        found = differences(docs, files(Keys("")))
        for line in found:
            print(line, file=sys.stderr)
        return 1 if found else 0
    print("usage: python -m scripts.contract --write|--check", file=sys.stderr)
    return _USAGE


def write(docs: Path, wanted: Mapping[str, str]) -> None:
    for path in _extra(docs, wanted):
        path.unlink()
    for name, text in wanted.items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def differences(docs: Path, wanted: Mapping[str, str]) -> list[str]:
    """One line per generated file that is missing, out of date, or of no row any more."""
    lines = []
    for name, text in wanted.items():
        path = docs / name
        if not path.exists():
            lines.append(f"docs/{name} is missing: run python -m scripts.contract --write")
        elif path.read_text(encoding="utf-8") != text:
            lines.append(f"docs/{name} is out of date: run python -m scripts.contract --write")
    return lines + [
        f"docs/{path.relative_to(docs)} belongs to no row" for path in _extra(docs, wanted)
    ]


def _extra(docs: Path, wanted: Mapping[str, str]) -> list[Path]:
    there = [path for pattern in _GENERATED for path in docs.glob(pattern)]
    return sorted(path for path in there if str(path.relative_to(docs)) not in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
