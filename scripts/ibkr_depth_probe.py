"""Ladders of one or two symbols, live: python3 scripts/ibkr_depth_probe.py --symbol AAPL."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Final

if not __package__:
    # Run as a plain file: the root is not importable yet, the packages perhaps not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from scripts.interpreter import use_virtual_environment

    use_virtual_environment()

import orjson
import typer
from loguru import logger
from rich.console import Console
from rich.live import Live

from scripts.configured import fail, settings_or_exit
from scripts.depth_probe import DepthProbe
from scripts.ladder import document
from scripts.ladder_table import side_by_side
from shared.errors import ClientIdsExhausted, GatewayUnavailable
from shared.settings import Settings
from shared.universe import Instrument, parse_universe

PROGRAM: Final = "ibkr_depth_probe"
# A pipe has no width of its own.
_PIPE_COLUMNS: Final = 120

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def probe(
    symbol: Annotated[str, typer.Option(help="Symbol of the universe, or any other stock.")],
    symbol2: Annotated[str, typer.Option(help="A second one, shown beside it.")] = "",
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long to watch.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Show depth of one or two symbols as the gateway sends it; Redis is not touched.

    Exit codes: 0 every ladder has rows, 1 not so (the reason on one line), 78 unusable settings.
    """
    settings = settings_or_exit(PROGRAM)
    instruments = chosen(settings, [symbol, symbol2])
    _be_quiet()
    depth = DepthProbe(settings.ibkr, instruments)
    problem = _watched(depth, seconds, as_json)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(report(settings, depth, problem)) + b"\n")
        sys.stdout.flush()
    if problem:
        raise fail(PROGRAM, problem)


def chosen(settings: Settings, names: list[str]) -> list[Instrument]:
    """Each symbol once, from the universe where it has it (with its venues), else as a stock."""
    found: dict[str, Instrument] = {}
    for name in [name.strip() for name in names if name.strip()]:
        symbol = name if name in settings.universe.symbols() else name.upper()
        if symbol in settings.universe.symbols():
            found[symbol] = settings.universe.by_symbol(symbol)
            continue
        problems: list[str] = []
        parsed = parse_universe({"symbols": {symbol: None}}, problems)
        if problems:
            raise typer.BadParameter("; ".join(problems))
        found[symbol] = parsed.instruments[0]
    if not found:
        raise typer.BadParameter("symbol: was empty, must name one")
    return list(found.values())


def report(settings: Settings, depth: DepthProbe, problem: str) -> dict[str, Any]:
    """The JSON document."""
    return {
        "ok": not problem,
        "reason": problem or None,
        "source": settings.source,
        "gateway": f"{settings.ibkr.host}:{settings.ibkr.port}",
        "client_id": depth.client_id or None,
        "seconds": round(depth.watched_s, 3),
        "ladders": [document(ladder) for ladder in depth.ladders()],
    }


def _watched(depth: DepthProbe, seconds: float, silent: bool) -> str:
    """Run the probe; returns why it failed, or an empty string. Ctrl-C ends it early."""
    try:
        if silent:
            asyncio.run(depth.run(seconds, lambda: None))
        else:
            _run_with_display(depth, seconds)
    except KeyboardInterrupt:
        return depth.problem() or ("" if depth.ladders() else "interrupted before the login")
    except ClientIdsExhausted as error:
        return str(error)
    except GatewayUnavailable as error:
        return f"no gateway at {depth.ibkr.host}:{depth.ibkr.port}: {error}"
    return depth.problem()


def _run_with_display(depth: DepthProbe, seconds: float) -> None:
    """Redraw on a terminal; into a pipe or file goes the last picture alone."""
    console = Console()
    if not console.is_terminal:
        try:
            asyncio.run(depth.run(seconds, lambda: None))
        finally:
            if depth.ladders():
                Console(width=_PIPE_COLUMNS).print(side_by_side(depth.ladders()))
        return
    with Live(console=console, auto_refresh=False) as live:

        def draw() -> None:
            live.update(side_by_side(depth.ladders()), refresh=True)

        asyncio.run(depth.run(seconds, draw))


def _be_quiet() -> None:
    """What the gateway says is part of the result; log lines would tear the picture apart."""
    logger.remove()
    logging.getLogger("ib_async").addHandler(logging.NullHandler())
    logging.getLogger("ib_async").propagate = False


def main() -> None:
    # A shell starts background jobs with the interrupt ignored, and then Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name=PROGRAM)


if __name__ == "__main__":
    main()
