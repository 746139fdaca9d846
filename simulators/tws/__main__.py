from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulators import command_line
from simulators.bounds import Bounds, typed
from simulators.command_line import PORT, flag, new_parser
from simulators.errors import OptionError
from simulators.scenario import Scenario, load_scenario

from .command_set import COMMANDS
from .commands_market import snapshot
from .options import OPTIONS, Options
from .replay import Replay, parse_replay
from .replay_trades import WHOLE_DAY_S, TradeReplay, load_trade_replay, read_window
from .server import Gateway, Ports
from .world import World

__all__ = ["main"]

_NAME: Final = "simulators.tws"
_SEED: Final = Bounds(int, "of the market", 0, 2**63, required=True)
_BY_SYMBOL: Final = ("rate", "trade_rate")
_TICK_MS: Final = Bounds(int, "rows are written this often", 1, 1_000, required=True)


@dataclass(frozen=True, slots=True)
class Setup:
    ports: Ports
    seed: int
    options: Options
    replays: dict[str, Replay]
    trade_replays: dict[str, TradeReplay]
    scenario: Scenario


def main(argv: list[str] | None = None) -> int:
    return command_line.run(_NAME, argv, read_setup, _serve)


async def _serve(setup: Setup) -> None:
    world = World.create(setup.options, setup.seed, setup.replays, setup.trade_replays)
    gateway = Gateway(world, setup.ports, setup.scenario)
    await command_line.serve(gateway, lambda: snapshot(gateway))


def read_setup(argv: list[str]) -> Setup:
    args = _parser().parse_args(argv)
    options = Options()
    for name, bounds in OPTIONS.items():
        value = getattr(args, name)
        if name not in _BY_SYMBOL and value is not None:
            options.update(name, typed(flag(name), value, bounds))
    for name in _BY_SYMBOL:
        _read_rates(name, getattr(args, name) or [], options)
    ports = Ports(
        args.host,
        typed("--port", args.port, PORT),
        typed("--control-port", args.control_port, PORT),
        typed("--tick-ms", args.tick_ms, _TICK_MS),
    )
    replays = dict(_read_replay(text) for text in args.replay or [])
    window_s = read_window(args.replay_window) if args.replay_window else WHOLE_DAY_S
    trade_replays = dict(_read_trade_replay(text, window_s) for text in args.replay_trades or [])
    recordings: list[Replay | TradeReplay] = [*replays.values(), *trade_replays.values()]
    for recording in recordings:
        recording.started = args.replay_start == "subscribe"
    scenario = Scenario([])
    if args.scenario:
        scenario = load_scenario(Path(args.scenario), COMMANDS.validate, "first_subscription")
    seed = typed("--seed", args.seed, _SEED)
    return Setup(ports, seed, options, replays, trade_replays, scenario)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(_NAME, 4002, 4003)
    parser.add_argument("--seed", default="7", help=_SEED.about)
    parser.add_argument("--tick-ms", default="5", help=_TICK_MS.about)
    parser.add_argument("--scenario", help="YAML list of {at_s, command, ...}")
    parser.add_argument("--replay", action="append", help="FILE or SYMBOL=FILE, repeatable")
    parser.add_argument("--replay-trades", action="append", help="FILE.zip or SYMBOL=FILE.zip")
    parser.add_argument("--replay-window", help="HH:MM-HH:MM New York, of --replay-trades")
    parser.add_argument("--replay-start", default="subscribe", choices=("subscribe", "command"))
    for name, bounds in OPTIONS.items():
        if name in _BY_SYMBOL:
            parser.add_argument(flag(name), action="append", help="N or SYMBOL=N, repeatable")
        elif bounds.kind is bool:
            parser.add_argument(flag(name), action="store_true", default=None, help=bounds.about)
        else:
            parser.add_argument(flag(name), help=bounds.about)
    return parser


def _read_rates(option: str, texts: list[str], options: Options) -> None:
    by_symbol: dict[str, float] = getattr(options, f"{option}s")
    for text in texts:
        symbol, equals, number = text.rpartition("=")
        rate = typed(f"{flag(option)} {symbol}".rstrip(), number, OPTIONS[option])
        if equals:
            by_symbol[symbol] = rate
        else:
            options.update(option, rate)


def _read_replay(text: str) -> tuple[str, Replay]:
    symbol, _, name = text.rpartition("=")
    path = Path(name)
    try:
        with path.open() as lines:
            replay = parse_replay(lines, path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--replay cannot be read, was {name!r}: {error}") from error
    # Recordings are named SYMBOL_DATE_STYLE.jsonl.
    return symbol or path.stem.split("_")[0].upper(), replay


def _read_trade_replay(text: str, window_s: tuple[int, int]) -> tuple[str, TradeReplay]:
    symbol, _, name = text.rpartition("=")
    path = Path(name)
    # Recordings are named SYMBOL_DATE_KIND.zip.
    return symbol or path.stem.split("_")[0].upper(), load_trade_replay(path, window_s)


if __name__ == "__main__":
    sys.exit(main())
