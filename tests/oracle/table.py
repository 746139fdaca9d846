"""`python -m tests.oracle.table FILES.json`: what many runs showed, as a table in Markdown.

Exit 1 when a run broke an invariant, or all together took longer to recover than they may.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.oracle.report import Figures, failed, rows_of

__all__ = ["markdown"]


def main(arguments: list[str]) -> int:
    runs = [json.loads(Path(name).read_text(encoding="utf-8")) for name in arguments]
    runs.sort(key=lambda run: (run["minutes"], run["seed"]))
    if not runs:
        print("which files? python -m tests.oracle.table FILES.json", file=sys.stderr)
        return 2
    print(markdown(runs))
    reasons = failed(runs)
    for reason in reasons:
        print(f"FAILED {reason}", file=sys.stderr)
    return int(bool(reasons))


def markdown(runs: Sequence[Figures]) -> str:
    lengths = Counter(run["minutes"] for run in runs)
    told = ", ".join(f"{number} of {minutes:g} min" for minutes, number in sorted(lengths.items()))
    seeds = ", ".join(str(run["seed"]) for run in runs)
    head = [("runs", told), ("seeds", seeds)]
    lines = [f"| {what} | {figure} |" for what, figure in (*head, *rows_of(runs))]
    return "\n".join(["| | |", "|---|---|", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
