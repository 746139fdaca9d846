"""What a sink asks Redis after every break: are the scripts there, and how far does it stand?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import hiredis

from shared.errors import StoreUnavailable
from shared.store.confirmed import Position
from shared.store.flush import Writer
from shared.store.item import ItemT
from shared.store.outcome import first_passing
from shared.store.resp import RespConnection, pack
from shared.store.scripts import Script


async def load_scripts(connection: RespConnection, scripts: Sequence[Script]) -> None:
    """A Redis that restarted, or was told to, has forgotten them."""
    commands = [pack(b"SCRIPT", b"LOAD", script.text.encode()) for script in scripts]
    await _ask(connection, b"".join(commands), len(commands))


async def read_positions(
    connection: RespConnection, writer: Writer[ItemT]
) -> tuple[dict[str, Position], Mapping[str, Position]]:
    """Every symbol's position, and those of the symbols whose key is of the right type.

    A key that is no stream has no position: what would be sent again would be refused again.
    """
    symbols = writer.positions()
    payload = b"".join(writer.position_commands(symbol) for symbol in symbols)
    replies = await _ask(connection, payload, 2 * len(symbols))
    pairs = {symbol: replies[2 * n : 2 * n + 2] for n, symbol in enumerate(symbols)}
    positions = {symbol: writer.position(pair) for symbol, pair in pairs.items()}
    usable = {
        symbol: positions[symbol]
        for symbol, pair in pairs.items()
        if not isinstance(pair[0], hiredis.ReplyError)
    }
    return positions, usable


async def _ask(connection: RespConnection, payload: bytes, count: int) -> Sequence[Any]:
    if not count:
        return []
    replies = await connection.send(payload, count)
    passing = first_passing(replies)
    if passing is not None:
        raise StoreUnavailable(str(replies[passing]))
    return replies
