"""A depth writer of two symbols, whose clock stands still, and its flushes' commands as texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.market.depth import DepthUpdate, Pair
from shared.store.confirmed import Position
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.flush import Flush
from shared.store.keys import Keys
from tests.unit.store.resp_commands import commands
from tests.unit.store.updates import update

SPY = Pair("SPY", "ARCA")


def writer(ttls: DepthTtls | None = None, prefix: str = "") -> DepthWriter:
    """It is 5000 for ever."""
    found = DepthWriter(Keys(prefix), ["SPY", "QQQ"], 10_000, ttls or DepthTtls())
    found.clock_ms = lambda: 5000
    return found


def encode(
    found: DepthWriter, *batch: DepthUpdate, drained: bool = True
) -> tuple[Flush[DepthUpdate], list[list[str]]]:
    flush = found.encode(batch, drained)
    return flush, commands(flush.payload)


def sent(found: DepthWriter, *batch: DepthUpdate, drained: bool = True) -> list[list[str]]:
    """Encode and confirm."""
    flush, lines = encode(found, *batch, drained=drained)
    found.confirmed(flush, [1] * flush.replies)
    return lines


def on(lines: Iterable[list[str]], key: str) -> list[list[str]]:
    return [line for line in lines if line[1] == key]


def changed(seq: int, **changes: Any) -> DepthUpdate:
    item = update(seq)
    for name, value in changes.items():
        setattr(item, name, value)
    return item


def states(lines: Iterable[list[str]], key: str = "market:SPY:ARCA:book") -> list[str]:
    return [line[2].rpartition('"state":')[2] for line in on(lines, key)]


def ticker(lines: Iterable[list[str]]) -> list[str]:
    [found] = [line for line in lines if line[0] == "EVALSHA"]
    return found


def numbered(found: DepthWriter, seq: int) -> None:
    """The symbol stands at this number."""
    found.reseed("SPY", Position(seq, 1000 + seq, seq))
