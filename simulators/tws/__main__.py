from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from .command_set import validate
from .commands_market import snapshot
from .errors import OptionError
from .options import OPTIONS, Bounds, Options, check
from .replay import Replay, parse_replay
from .replay_trades import WHOLE_DAY_S, TradeReplay, load_trade_replay, read_window
from .scenario import Scenario, load_scenario
from .server import Gateway, Ports
from .world import World

__all__ = ["main"]

# EX_CONFIG of sysexits.h: flags or scenario unusable, starting again will not help.
EXIT_UNUSABLE: Final = 78
EXIT_START_FAILED: Final = 3

_PORT: Final = Bounds(int, "0 = a free one", 0, 65_535, required=True)
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


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(message)


def main(argv: list[str] | None = None) -> int:
    try:
        setup = read_setup(sys.argv[1:] if argv is None else argv)
    except OptionError as error:
        print(f"simulators.tws: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    try:
        asyncio.run(_serve(setup))
    except OSError as error:
        print(f"simulators.tws: cannot listen: {error}", file=sys.stderr)
        return EXIT_START_FAILED
    return 0


async def _serve(setup: Setup) -> None:
    world = World.create(setup.options, setup.seed, setup.replays, setup.trade_replays)
    gateway = Gateway(world, setup.ports, setup.scenario)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(gateway, "stopping", True))
    await gateway.open()
    _say({"event": "ready", "port": gateway.port, "control_port": gateway.control_port})
    try:
        await gateway.run()
    finally:
        await gateway.close()
    _say({"event": "stopped", **snapshot(gateway)})


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


def read_setup(argv: list[str]) -> Setup:
    args = _parser().parse_args(argv)
    options = Options()
    for name, bounds in OPTIONS.items():
        value = getattr(args, name)
        if name not in _BY_SYMBOL and value is not None:
            options.update(name, _typed(f"--{name}", value, bounds))
    for name in _BY_SYMBOL:
        _read_rates(name, getattr(args, name) or [], options)
    ports = Ports(
        args.host,
        _typed("--port", args.port, _PORT),
        _typed("--control-port", args.control_port, _PORT),
        _typed("--tick-ms", args.tick_ms, _TICK_MS),
    )
    replays = dict(_read_replay(text) for text in args.replay or [])
    window_s = read_window(args.replay_window) if args.replay_window else WHOLE_DAY_S
    trade_replays = dict(_read_trade_replay(text, window_s) for text in args.replay_trades or [])
    recordings: list[Replay | TradeReplay] = [*replays.values(), *trade_replays.values()]
    for recording in recordings:
        recording.started = args.replay_start == "subscribe"
    scenario = load_scenario(Path(args.scenario), validate) if args.scenario else Scenario([])
    seed = _typed("--seed", args.seed, _SEED)
    return Setup(ports, seed, options, replays, trade_replays, scenario)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m simulators.tws", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "localhost"))
    parser.add_argument("--port", default="4002", help=_PORT.about)
    parser.add_argument("--control-port", default="4003", help=_PORT.about)
    parser.add_argument("--seed", default="7", help=_SEED.about)
    parser.add_argument("--tick-ms", default="5", help=_TICK_MS.about)
    parser.add_argument("--scenario", help="YAML list of {at_s, command, ...}")
    parser.add_argument("--replay", action="append", help="FILE or SYMBOL=FILE, repeatable")
    parser.add_argument("--replay-trades", action="append", help="FILE.zip or SYMBOL=FILE.zip")
    parser.add_argument("--replay-window", help="HH:MM-HH:MM New York, of --replay-trades")
    parser.add_argument("--replay-start", default="subscribe", choices=("subscribe", "command"))
    for name, bounds in OPTIONS.items():
        flag = "--" + name.replace("_", "-")
        if name in _BY_SYMBOL:
            parser.add_argument(flag, action="append", help="N or SYMBOL=N, repeatable")
        elif bounds.kind is bool:
            parser.add_argument(flag, action="store_true", default=None, help=bounds.about)
        else:
            parser.add_argument(flag, help=bounds.about)
    return parser


def _typed(name: str, text: Any, bounds: Bounds) -> Any:
    value = text
    if isinstance(text, str) and bounds.kind in (int, float):
        try:
            value = bounds.kind(text)
        except ValueError:
            value = text
    return check(name.replace("_", "-"), value, bounds)


def _read_rates(option: str, texts: list[str], options: Options) -> None:
    flag = "--" + option.replace("_", "-")
    by_symbol: dict[str, float] = getattr(options, f"{option}s")
    for text in texts:
        symbol, equals, number = text.rpartition("=")
        rate = _typed(f"{flag} {symbol}".rstrip(), number, OPTIONS[option])
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
