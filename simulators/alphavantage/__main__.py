from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulators import command_line
from simulators.bounds import Bounds, typed
from simulators.command_line import PORT, flag, new_parser
from simulators.scenario import Scenario, load_scenario

from .bounds import check_date, one_of
from .command_set import COMMANDS
from .commands_world import snapshot
from .plans import PLANS
from .samples import Samples
from .server import Ports, Server
from .setup import Setup

__all__ = ["main", "read_run"]

_NAME: Final = "simulators.alphavantage"
_CONTRACTS: Final = Bounds(int, "N or SYMBOL=N, repeatable", 1, 20_000, required=True)
# Flags that are fields of Setup as they stand.
_FIELDS: Final[dict[str, Bounds]] = {
    "seed": Bounds(int, "same seed, same data", 0, 2**63, default=7),
    "plan": one_of(PLANS, "whose limits hold", default="600"),
    "per_minute": Bounds(int, "in place of the plan's", 0, 1_000_000),
    "per_second": Bounds(int, "in place of the plan's", 0, 1_000_000),
    "moving": Bounds(float, "share of rows that change at each fetch", 0, 1, default=0.05),
    "rows": Bounds(int, "of an indicator", 2, 100, default=100),
    "news_every_s": Bounds(int, "one article of a symbol in so long", 1, 86_400, default=1800),
    "realtime_options": one_of(
        ("always", "plan"), "plan: the fake chain below 600", default="always"
    ),
}


@dataclass(frozen=True, slots=True)
class Run:
    ports: Ports
    setup: Setup
    scenario: Scenario


def main(argv: list[str] | None = None) -> int:
    return command_line.run(_NAME, argv, read_run, _serve)


async def _serve(run: Run) -> None:
    server = Server(run.setup, run.ports, run.scenario)
    await command_line.serve(server, lambda: snapshot(server))


def read_run(argv: list[str]) -> Run:
    args = _parser().parse_args(argv)
    values = {name: typed(flag(name), getattr(args, name), b) for name, b in _FIELDS.items()}
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
        typed("--port", args.port, PORT),
        typed("--control-port", args.control_port, PORT),
    )
    scenario = Scenario([])
    if args.scenario:
        scenario = load_scenario(Path(args.scenario), COMMANDS.validate, "first_request")
    return Run(ports, setup, scenario)


def _read_contracts(text: str, setup: Setup) -> None:
    symbol, equals, number = text.rpartition("=")
    count = typed(f"--contracts {symbol}".rstrip(), number, _CONTRACTS)
    if equals:
        setup.contracts_of[symbol.upper()] = count
    else:
        setup.contracts = count


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(_NAME, 8180, 8181)
    parser.add_argument("--keys", help="K1,K2: others are refused; without it any key is good")
    parser.add_argument("--contracts", action="append", help=_CONTRACTS.about)
    parser.add_argument("--no-limits", action="store_true", help="nothing is refused for its rate")
    parser.add_argument("--count-refused", action="store_true", help="refused calls count too")
    parser.add_argument("--date", help="YYYY-MM-DD in New York, else today")
    parser.add_argument("--samples", help="directory of recorded documents")
    parser.add_argument("--scenario", help="YAML list of {at_s, command, ...}")
    for name, bounds in _FIELDS.items():
        parser.add_argument(flag(name), help=bounds.about)
    return parser


if __name__ == "__main__":
    sys.exit(main())
