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
from typing import Final

from rich.console import Console

from tests.oracle.campaign import EVIDENCE, Campaign, Plan
from tests.oracle.report import Figures, failed, figures_of, table_of
from tests.oracle.schedule import planned
from tests.oracle.verdict import judge

# Reached within minutes, so that a soak shows that streams are trimmed.
_SOAK_MAXLEN: Final = 2_000


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    console = Console(emoji=False)
    if options.again:
        return _judge_again(options.again, console)
    # Whoever ends the run must not leave a product behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runs = [_run(_plan(options, seed), options, console) for seed in options.seed]
    if len(runs) > 1:
        console.print(table_of(runs))
    reasons = failed(runs) if len(runs) > 1 else []
    for reason in reasons:
        console.print(reason, style="red", highlight=False, markup=False, soft_wrap=True)
    if options.json:
        text = json.dumps(runs[0] if len(runs) == 1 else runs)
        Path(options.json).write_text(text, encoding="utf-8")
    return int(bool(reasons) or any(run["violations"] for run in runs))


def _run(plan: Plan, options: argparse.Namespace, console: Console) -> Figures:
    home = Path(tempfile.mkdtemp(prefix="tickvisor-oracle-"))
    with console.status("begins") as status:

        def say(text: str) -> None:
            status.update(text)
            if not console.is_terminal or options.verbose:
                console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False, markup=False)

        run = figures_of(Campaign(home, plan, say).run())
    console.print(table_of([run]))
    for violation in run["texts"]:
        console.print(violation, style="red", highlight=False, markup=False, soft_wrap=True)
    if options.into:
        options.into.mkdir(parents=True, exist_ok=True)
        name = f"seed-{plan.seed}-{run['minutes']:g}min.json"
        (options.into / name).write_text(json.dumps(run), encoding="utf-8")
    if run["violations"] or options.keep:
        console.print(f"kept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    return run


def _judge_again(home: Path, console: Console) -> int:
    """What a kept run left, by the checks as they are now."""
    findings = judge(pickle.loads((home / EVIDENCE).read_bytes()))
    for violation in findings.violations:
        console.print(violation, style="red", highlight=False, markup=False, soft_wrap=True)
    console.print(findings.counts, findings.by_invariant)
    return int(bool(findings.violations))


def _plan(options: argparse.Namespace, seed: int) -> Plan:
    seconds = options.minutes * 60
    if options.fault:
        return Plan(seed, seconds, only=planned(seed, options.fault))
    if options.calm:
        return Plan(seed, seconds, only=(), stream_maxlen=_SOAK_MAXLEN)
    return Plan(seed, seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oracle", description="faults under load, then the truth")
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="one run for each")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--calm", action="store_true", help="no faults: `make soak`")
    parser.add_argument("--fault", nargs="+", help="these by name, one after the other")
    parser.add_argument("--again", type=Path, help="judge the kept directory of a run once more")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--into", type=Path, help="a JSON file of each run in this directory")
    parser.add_argument("--keep", action="store_true", help="leave the run's directory")
    parser.add_argument("--verbose", action="store_true", help="every step on a line of its own")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
