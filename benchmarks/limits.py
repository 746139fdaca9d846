"""What happens at the bounds: python -m benchmarks.limits [depth] [vendor] [files].

Real workers and Redis as shipped, on the same two cores; about ten minutes. The table stands in
docs/operations.md, "Limits".
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import limits_depth, limits_files, limits_vendor
from benchmarks.harness import pin

PARTS: Final = {
    "depth": limits_depth.cases,
    "vendor": limits_vendor.cases,
    "files": limits_files.cases,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none means all")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"unknown: {', '.join(unknown)}")
    console = Console(width=160)
    table = Table(title=f"at the bounds, {pin()} cores")
    for heading in ("what", "memory", "items", "told", "otherwise"):
        table.add_column(heading)
    for name in chosen:
        for row in PARTS[name](console):
            table.add_row(*row)
            console.print("  ".join(part for part in row if part))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
