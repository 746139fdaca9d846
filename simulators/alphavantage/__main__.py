from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from .bounds import Bounds, check_date, typed
from .command_set import validate
from .commands_world import snapshot
from .errors import OptionError
from .plans import PLANS
from .samples import Samples
from .scenario import Scenario, load_scenario
from .server import Ports, Server
from .setup import Setup

__all__ = ["main", "read_run"]

# EX_CONFIG of sysexits.h: flags or scenario unusable, starting again will not help.
EXIT_UNUSABLE: Final = 78
EXIT_START_FAILED: Final = 3

_PORT: Final = Bounds(int, "0 = a free one", 0, 65_535, required=True)
_CONTRACTS: Final = Bounds(int, "N or SYMBOL=N, repeatable", 1, 20_000, required=True)
# Flags that are fields of Setup as they stand.
_FIELDS: Final[dict[str, Bounds]] = {
    "seed": Bounds(int, "same seed, same data", 0, 2**63, default=7),
    "plan": Bounds(str, "whose limits hold", choices=tuple(PLANS), default="600"),
    "per_minute": Bounds(int, "in place of the plan's", 0, 1_000_000),
    "per_second": Bounds(int, "in place of the plan's", 0, 1_000_000),
    "moving": Bounds(float, "share of rows that change at each fetch", 0, 1, default=0.05),
    "rows": Bounds(int, "of an indicator", 2, 100, default=100),
    "news_every_s": Bounds(int, "one article of a symbol in so long", 1, 86_400, default=1800),
    "realtime_options": Bounds(
        str, "plan: the fake chain below 600", choices=("always", "plan"), default="always"
    ),
}


@dataclass(frozen=True, slots=True)
class Run:
    ports: Ports
    setup: Setup
    scenario: Scenario


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(message)


def main(argv: list[str] | None = None) -> int:
    try:
        run = read_run(sys.argv[1:] if argv is None else argv)
    except OptionError as error:
        print(f"simulators.alphavantage: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    try:
        asyncio.run(_serve(run))
    except OSError as error:
        print(f"simulators.alphavantage: cannot listen: {error}", file=sys.stderr)
        return EXIT_START_FAILED
    return 0


async def _serve(run: Run) -> None:
    server = Server(run.setup, run.ports, run.scenario)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.open()
    _say({"event": "ready", "port": server.port, "control_port": server.control_port})
    try:
        await server.run()
    finally:
        await server.close()
    _say({"event": "stopped", **snapshot(server)})


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


def read_run(argv: list[str]) -> Run:
    args = _parser().parse_args(argv)
    values = {name: typed(_flag(name), getattr(args, name), b) for name, b in _FIELDS.items()}
    setup = Setup(**values)
    setup.limits = not args.no_limits
    setup.count_refused = args.count_refused
    setup.keys = frozenset(filter(None, (args.keys or "").split(",")))
    setup.date = check_date("--date", args.date) if args.date else None
    for text in args.contracts or []:
        _read_contracts(text, setup)
    if args.samples:
        setup.samples = Path(args.samples)
        # Unusable recordings are told of before anything listens.
        Samples(setup.samples)
    ports = Ports(
        args.host,
        typed("--port", args.port, _PORT),
        typed("--control-port", args.control_port, _PORT),
    )
    scenario = load_scenario(Path(args.scenario), validate) if args.scenario else Scenario([])
    return Run(ports, setup, scenario)


def _read_contracts(text: str, setup: Setup) -> None:
    symbol, equals, number = text.rpartition("=")
    count = typed(f"--contracts {symbol}".rstrip(), number, _CONTRACTS)
    if equals:
        setup.contracts_of[symbol.upper()] = count
    else:
        setup.contracts = count


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m simulators.alphavantage", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "localhost"))
    parser.add_argument("--port", default="8180", help=_PORT.about)
    parser.add_argument("--control-port", default="8181", help=_PORT.about)
    parser.add_argument("--keys", help="K1,K2: others are refused; without it any key is good")
    parser.add_argument("--contracts", action="append", help=_CONTRACTS.about)
    parser.add_argument("--no-limits", action="store_true", help="nothing is refused for its rate")
    parser.add_argument("--count-refused", action="store_true", help="refused calls count too")
    parser.add_argument("--date", help="YYYY-MM-DD in New York, else today")
    parser.add_argument("--samples", help="directory of recorded documents")
    parser.add_argument("--scenario", help="YAML list of {at_s, command, ...}")
    for name, bounds in _FIELDS.items():
        parser.add_argument(_flag(name), help=bounds.about)
    return parser


if __name__ == "__main__":
    sys.exit(main())
