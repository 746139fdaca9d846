"""Operations from the command line: python3 scripts/tickvisor.py --help."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

if not __package__:
    # Run as a plain file: the root is not importable yet, the packages perhaps not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from scripts.interpreter import use_virtual_environment

    use_virtual_environment()

import typer

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.book import book
from scripts.ops.budget import budget
from scripts.ops.chain import chain
from scripts.ops.contract_keys import keys
from scripts.ops.coverage import coverage
from scripts.ops.ledgers import gaps, incidents
from scripts.ops.orders import reconnect, resubscribe
from scripts.ops.redis_access import acl, redis_url
from scripts.ops.stale import stale
from scripts.ops.status import status
from scripts.ops.verification import verify
from shared.settings import redacted_url
from shared.store import source as product_source

SEE: Final = "See what is going on"
ACT: Final = "Do something about it"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def tickvisor() -> None:
    """Look after a tickvisor installation."""


def source(
    reset: Annotated[
        bool, typer.Option("--reset", help="Delete every key of the product; no worker may run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a reset.")] = False,
) -> None:
    """Print whose data this Redis holds (live, sim, replay or none), or delete all of it."""
    settings = settings_or_exit(PROGRAM)
    held = ask(settings, product_source.current) or "none"
    if not reset:
        print(held)
        return
    url = redacted_url(settings.redis.url)
    if not yes:
        typer.confirm(f"delete all tickvisor data (source: {held}) in {url}?", abort=True)
    deleted = ask(settings, product_source.reset)
    print(f"deleted {deleted} keys; the next worker sets the source")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A list of findings.")] = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="Ask for a little market data, and make two calls of Alpha Vantage.",
        ),
    ] = True,
) -> None:
    """Check settings, Redis, supervisord, gateway, vendor, clock and machine.

    Exit codes: 0 nothing failed, 1 something did, 78 unusable settings.
    """
    # Both feeds come with it, and no other command should wait for them.
    from scripts.doctor import doctor_command

    doctor_command(as_json, probe)


# In the order of --help: a command of another module is one line more.
COMMANDS: Final[tuple[tuple[str, str, Callable[..., None]], ...]] = (
    (SEE, "status", status),
    (SEE, "stale", stale),
    (SEE, "gaps", gaps),
    (SEE, "incidents", incidents),
    (SEE, "coverage", coverage),
    (SEE, "book", book),
    (SEE, "chain", chain),
    (SEE, "budget", budget),
    (SEE, "doctor", doctor),
    (SEE, "verify", verify),
    (SEE, "keys", keys),
    (SEE, "redis-url", redis_url),
    (SEE, "acl", acl),
    (ACT, "resubscribe", resubscribe),
    (ACT, "reconnect", reconnect),
    (ACT, "source", source),
)
for panel, name, command in COMMANDS:
    app.command(name, rich_help_panel=panel)(command)


def main() -> None:
    # A shell starts background jobs with the interrupt ignored, and then Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name=PROGRAM)


if __name__ == "__main__":
    main()
