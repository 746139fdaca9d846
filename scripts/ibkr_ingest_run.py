"""An IBKR worker in the foreground: python3 scripts/ibkr_ingest_run.py run [--worker ...]."""

from __future__ import annotations

import runpy
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

if not __package__:
    # Run as a plain file: the root is not importable yet, the packages perhaps not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from scripts.interpreter import use_virtual_environment

    use_virtual_environment()

import typer

# 128 + SIGINT, as a shell counts it.
EXIT_INTERRUPTED: Final = 130


class WorkerChoice(StrEnum):
    DEPTH = "ibkr_depth"
    TRADES = "ibkr_trades"


WORKER: Final = typer.Option("--worker", help="Level-2 depth, or trades, quotes and bars.")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def ingestion() -> None:
    """IBKR ingestion in the foreground."""


@app.command()
def run(worker: Annotated[WorkerChoice, WORKER] = WorkerChoice.DEPTH) -> None:
    """Run one worker until Ctrl-C; JSON log lines go to stdout.

    Exit codes: 0 stopped, 3 start-up failure or another instance runs, 78 unusable settings.
    """
    try:
        # What `python -m` does: a script imports no worker.
        runpy.run_module(f"workers.{worker.value}", run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        # The worker takes Ctrl-C itself as soon as it runs: this one came before.
        print("ibkr_ingest_run: interrupted before the worker had started", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def main() -> None:
    app(prog_name="ibkr_ingest_run")


if __name__ == "__main__":
    main()
