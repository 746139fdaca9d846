"""tickvisor verify."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import typer

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.fit import Column, table
from scripts.ops.options import AsJson
from scripts.ops.screen import console, print_json
from shared.settings import Settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.verify import verify as verify_once
from shared.views.words import plain, plural

COLUMNS: Final = (Column("row"), Column("keys", right=True))
_PAUSE_S: Final = 0.5
Seconds = Annotated[
    float, typer.Option("--seconds", min=0, max=86_400, help="Again and again for so long.")
]


@dataclass(slots=True)
class Verified:
    """`faults` in the order in which they were found, each once; `checked` is the most of a row."""

    passes: int = 0
    faults: dict[str, None] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)

    def add(self, faults: list[str], checked: Mapping[str, int]) -> list[str]:
        """Those that are new."""
        new = [one for one in dict.fromkeys(faults) if one not in self.faults]
        self.passes += 1
        self.faults.update(dict.fromkeys(new))
        for name, keys in checked.items():
            self.checked[name] = max(keys, self.checked.get(name, 0))
        return new


def verify(seconds: Seconds = 0.0, as_json: AsJson = False) -> None:
    """Check every key of the product in Redis against the contract; nothing is written.

    Faults are printed one per line, then how many keys each row of the contract has.

    Exit codes: 0 no fault, 1 any fault or no Redis, 78 unusable settings.
    """
    settings = settings_or_exit(PROGRAM)
    found = ask(settings, lambda store, keys: _repeated(settings, (store, keys), seconds, as_json))
    if as_json:
        print_json(document(found))
    else:
        _print_counts(found)
    if found.faults:
        raise typer.Exit(1)


async def _repeated(
    settings: Settings, where: tuple[Store, Keys], seconds: float, silent: bool
) -> Verified:
    found, until_s = Verified(), time.monotonic() + seconds
    try:
        while True:
            report = await verify_once(*where, settings)
            faults = [plain(one) for one in report.faults]
            for line in found.add(faults, report.checked):
                if not silent:
                    print(line, flush=True)
            if time.monotonic() + _PAUSE_S >= until_s:
                return found
            await asyncio.sleep(_PAUSE_S)
    except asyncio.CancelledError:
        # Ctrl-C ends it early, with what was found so far.
        return found


def document(found: Verified) -> dict[str, Any]:
    return {
        "ok": not found.faults,
        "passes": found.passes,
        "faults": list(found.faults),
        "checked": found.checked,
    }


def summary(found: Verified) -> str:
    keys, faults = sum(found.checked.values()), len(found.faults)
    passes = "1 pass" if found.passes == 1 else f"{found.passes} passes"
    return f"{plural(keys, 'key')} checked in {passes}, {_faults(faults)}"


def _faults(amount: int) -> str:
    return plural(amount, "fault") if amount else "no fault"


def _print_counts(found: Verified) -> None:
    screen = console()
    rows = [[name, str(keys)] for name, keys in found.checked.items() if keys]
    if rows:
        screen.print(table(COLUMNS, rows, screen.width))
    absent = [name for name, keys in found.checked.items() if not keys]
    if absent:
        print(f"no key of: {', '.join(absent)}")
    print(summary(found))
