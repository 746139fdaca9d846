"""tickvisor resubscribe, tickvisor reconnect."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from scripts.configured import fail, settings_or_exit
from scripts.ops.asking import PROGRAM, ask, chosen, known_symbol
from scripts.ops.options import AsJson, Symbol
from scripts.ops.screen import print_json
from shared.control.freshness import OWNERS
from shared.settings import Settings
from shared.store.ops_orders import DONE, Order, answered
from shared.store.ops_reader import OpsReader

# Those that take commands, in the order of their names in the contract.
FEED_WORKERS: Final = tuple(dict.fromkeys(OWNERS.values()))

OfWorker = Annotated[
    str,
    typer.Option(
        "--worker",
        help="ibkr_depth, ibkr_trades, av_options or av_sentiment; without it that of depth where"
        " the symbol holds a slot, else that of trades.",
    ),
]
Worker = Annotated[
    str,
    typer.Argument(metavar="WORKER", help="ibkr_depth, ibkr_trades, av_options or av_sentiment."),
]


def resubscribe(symbol: Symbol, worker: OfWorker = "", as_json: AsJson = False) -> None:
    """Have a worker ask anew for a symbol's data, and print what it answers.

    Exit codes: 0 done, 1 refused, or not answered within 10 s, 2 unknown symbol or worker.
    """
    settings = settings_or_exit(PROGRAM)
    name = known_symbol(settings, symbol)
    asked = chosen("worker", worker, FEED_WORKERS) if worker else _worker_of(settings, name)
    _give(settings, Order(asked, "resubscribe", name, PROGRAM), as_json)


def reconnect(worker: Worker, as_json: AsJson = False) -> None:
    """Have a worker drop its connection and log in anew, and print what it answers.

    Exit codes: 0 done, 1 refused, or not answered within 10 s, 2 unknown worker.
    """
    settings = settings_or_exit(PROGRAM)
    _give(
        settings, Order(chosen("worker", worker, FEED_WORKERS), "reconnect", "", PROGRAM), as_json
    )


def _worker_of(settings: Settings, symbol: str) -> str:
    """A parked symbol has nothing at the depth worker that could be asked for anew."""
    live = ask(settings, lambda store, keys: OpsReader(store, keys).is_live(symbol))
    return "ibkr_depth" if live else "ibkr_trades"


def _give(settings: Settings, order: Order, as_json: bool) -> None:
    answer = ask(settings, lambda store, keys: answered(store, keys, order))
    done = answer.endswith(DONE)
    if as_json:
        print_json({"ok": done, "worker": order.worker, "answer": answer})
    elif done:
        print(f"{order.worker}: {answer}")
    if not done:
        raise typer.Exit(1) if as_json else fail(PROGRAM, f"{order.worker}: {answer}")
