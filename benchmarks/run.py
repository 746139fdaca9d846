"""The headline figures of the feeds: python -m benchmarks.run [PART ...] (`make bench`).

Everything on the same two cores, with deploy/redis.conf as shipped (append-only file on).
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from rich.console import Console

from benchmarks.chain_figures import chains
from benchmarks.depth_figures import depth
from benchmarks.harness import pin
from benchmarks.tick_figures import ticks
from benchmarks.watch_figures import watch

PARTS: Final = {"depth": depth, "ticks": ticks, "chains": chains, "watch": watch}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none means all")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"unknown: {', '.join(unknown)}")
    console = Console(width=110)
    cores = pin()
    met = [PARTS[name](console, cores) for name in chosen]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
