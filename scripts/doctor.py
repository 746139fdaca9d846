"""Why does it not work, or will it: every part is asked, side by side, and judged in one line."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import orjson
import typer
from loguru import logger
from rich.text import Text

from scripts import doctor_clock, doctor_machine, doctor_probes
from scripts.doctor_clock import Moment
from scripts.doctor_finding import Finding, documents, fail, failed, lines, ok
from scripts.doctor_probes import Seen
from scripts.ops.screen import console
from shared.errors import SettingsError
from shared.process import EXIT_SETTINGS
from shared.settings import Settings, load_settings, repository_root
from shared.settings_checks import LOOPBACK
from shared.settings_redis import OPERATOR, as_user

_FAILED: Final = 1
_STYLES: Final = {"ok": "", "warn": "yellow", "fail": "bold red"}


def doctor_command(
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
    try:
        settings = as_user(load_settings(os.environ, repository_root()), OPERATOR)
    except SettingsError as error:
        remedy = "correct it in .env or in config/"
        show([fail("settings", problem, remedy) for problem in error.problems], as_json)
        raise typer.Exit(EXIT_SETTINGS) from None
    found = findings(settings, probe)
    show(found, as_json)
    raise typer.Exit(_FAILED if failed(found) else 0)


def doctor(settings: Settings, live_probe: bool) -> int:
    """Print what was found; 0, or 1 when something failed."""
    found = findings(settings, live_probe)
    show(found, as_json=False)
    return _FAILED if failed(found) else 0


def show(found: list[Finding], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(documents(found)).decode(), flush=True)
        return
    screen = console()
    said = lines(found, screen.width if screen.is_terminal else None)
    for one, line in zip(found, said, strict=True):
        screen.print(Text(line, style=_STYLES[one.state]), soft_wrap=True)


def findings(settings: Settings, live_probe: bool) -> list[Finding]:
    # What parts of the product log about an attempt is the doctor's to say.
    logger.disable("shared")
    try:
        return asyncio.run(examined(settings, live_probe))
    finally:
        logger.enable("shared")


async def examined(settings: Settings, live_probe: bool) -> list[Finding]:
    """Redis and supervisord first: they know which workers the other checks must not disturb."""
    began, seen, root = _moment(), Seen(), repository_root()
    redis, programs = await asyncio.gather(
        _guarded("redis", doctor_probes.redis(settings, seen)),
        _guarded("supervisord", doctor_probes.programs(settings, seen)),
    )
    gateway, vendor = await asyncio.gather(
        _guarded("gateway", doctor_probes.gateway(settings, seen, live_probe)),
        _guarded("vendor", doctor_probes.vendor(settings, seen, live_probe)),
    )
    ahead_s = {
        "Redis": seen.redis.skew_s if seen.redis else None,
        "the gateway": seen.gateway.skew_s if seen.gateway else None,
        "the vendor": seen.vendor.skew_s if seen.vendor else None,
    }
    return [
        _settings(settings),
        *doctor_machine.installation(root),
        *redis,
        *programs,
        *gateway,
        *vendor,
        *doctor_clock.judge(ahead_s, began, _moment()),
        *doctor_machine.machine(_directories(settings, seen)),
    ]


async def _guarded(check: str, work: Awaitable[list[Finding]]) -> list[Finding]:
    """A check that breaks must not cost the others; the text of its error may hold a secret."""
    try:
        return await work
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"the check broke, {type(error).__name__} at {Path(place.filename).name}"
        return [fail(check, f"{text}:{place.lineno}", "please report this")]


def _settings(settings: Settings) -> Finding:
    symbols, depth = len(settings.universe.symbols()), len(settings.depth_symbols())
    workers = ", ".join(settings.supervision.workers())
    text = f"source {settings.source}, {symbols} symbols, {depth} with depth, workers {workers}"
    return ok("settings", text)


def _directories(settings: Settings, seen: Seen) -> list[Path]:
    found = [Path(settings.home) / "var"]
    url = urlsplit(settings.redis.url)
    local = url.scheme == "unix" or url.hostname in LOOPBACK
    if seen.redis and seen.redis.directory and local:
        found.append(Path(seen.redis.directory))
    return found


def _moment() -> Moment:
    return Moment(time.time(), time.monotonic())
