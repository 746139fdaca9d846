"""`make oracle SEED=7 MINUTES=3`: python -m tests.oracle --seed 7 --minutes 3."""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tests.oracle.campaign import EVIDENCE, Campaign, Outcome, Plan
from tests.oracle.report import table_of
from tests.oracle.verdict import judge

# Reached within minutes, so that a soak shows that streams are trimmed.
_SOAK_MAXLEN: Final = 2_000


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    console = Console()
    if options.again:
        return _judge_again(options.again, console)
    # Whoever ends the run must not leave a product behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = Path(tempfile.mkdtemp(prefix="tickvisor-oracle-"))
    with console.status("begins") as status:

        def say(text: str) -> None:
            status.update(text)
            if not console.is_terminal or options.verbose:
                console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)

        outcome = Campaign(home, _plan(options), say).run()
    console.print(table_of([outcome]))
    for violation in outcome.findings.violations:
        console.print(violation, style="red", highlight=False, soft_wrap=True)
    if options.json:
        Path(options.json).write_text(json.dumps(_figures(outcome)), encoding="utf-8")
    failed = bool(outcome.findings.violations)
    if failed or options.keep:
        console.print(f"kept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    return int(failed)


def _judge_again(home: Path, console: Console) -> int:
    """What a kept run left, by the checks as they are now."""
    findings = judge(pickle.loads((home / EVIDENCE).read_bytes()))
    for violation in findings.violations:
        console.print(violation, style="red", highlight=False, soft_wrap=True)
    console.print(findings.counts, findings.by_invariant)
    return int(bool(findings.violations))


def _plan(options: argparse.Namespace) -> Plan:
    seconds = options.minutes * 60
    if options.calm:
        return Plan(options.seed, seconds, only=(), stream_maxlen=_SOAK_MAXLEN)
    return Plan(options.seed, seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oracle", description="faults under load, then the truth")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--calm", action="store_true", help="no faults: `make soak`")
    parser.add_argument("--again", type=Path, help="judge the kept directory of a run once more")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--keep", action="store_true", help="leave the run's directory")
    parser.add_argument("--verbose", action="store_true", help="every step on a line of its own")
    return parser


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "faults": outcome.faults,
        "recoveries": outcome.recoveries,
        "mb_per_h": outcome.slopes,
        "counts": outcome.findings.counts,
        "violations": outcome.findings.by_invariant,
        "texts": outcome.findings.violations,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
