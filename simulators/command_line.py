"""The life of a simulator as a process: flags, a ready line, a run until a signal, a last line."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, Protocol, TypeVar

from .bounds import Bounds
from .errors import OptionError

__all__ = ["EXIT_START_FAILED", "EXIT_UNUSABLE", "PORT", "flag", "new_parser", "run", "serve"]

# EX_CONFIG of sysexits.h: flags or scenario unusable, starting again will not help.
EXIT_UNUSABLE: Final = 78
EXIT_START_FAILED: Final = 3

PORT: Final = Bounds(int, "0 = a free one", 0, 65_535, required=True)
Flags = TypeVar("Flags")


class Simulator(Protocol):
    port: int
    control_port: int

    async def open(self) -> None: ...
    async def run(self) -> None: ...
    async def close(self) -> None: ...
    def stop(self) -> None: ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        # argparse of Python 3.11 makes a list without a value of it.
        broken = [arg for arg in args or () if arg.startswith("--") and arg.endswith("=--")]
        if broken:
            raise OptionError(f"a flag must have a value, was {broken[0][:80]!r}")
        return super().parse_args(args, namespace)


def new_parser(name: str, port: int, control_port: int) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m {name}", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "localhost"))
    parser.add_argument("--port", default=str(port), help=PORT.about)
    parser.add_argument("--control-port", default=str(control_port), help=PORT.about)
    return parser


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def run(
    name: str,
    argv: list[str] | None,
    read: Callable[[list[str]], Flags],
    play: Callable[[Flags], Coroutine[Any, Any, None]],
) -> int:
    """The exit status of the whole program."""
    try:
        flags = read(sys.argv[1:] if argv is None else argv)
    except OptionError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    try:
        asyncio.run(play(flags))
    except OSError as error:
        print(f"{name}: cannot listen: {error}", file=sys.stderr)
        return EXIT_START_FAILED
    return 0


async def serve(simulator: Simulator, counters: Callable[[], dict[str, Any]]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, simulator.stop)
    await simulator.open()
    _say({"event": "ready", "port": simulator.port, "control_port": simulator.control_port})
    try:
        await simulator.run()
    finally:
        await simulator.close()
    _say({"event": "stopped", **counters()})


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)
