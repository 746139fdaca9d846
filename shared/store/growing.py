"""Documents of megabytes, written so that nobody waits for them.

Set at once, such a document holds up everyone else on this Redis, which copies it into its
append-only file in one piece too. So it grows under a name of its own, piece by piece, and is
renamed when it is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import hiredis

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.resp import RespConnection, pack

_ABORTED: Final = "EXECABORT Transaction discarded because of: "
_PASSING: Final = (
    "OOM", "MISCONF", "LOADING", "BUSY", "READONLY", "TRYAGAIN", "MASTERDOWN",
    # The whole document was lost before it was renamed: somebody emptied Redis.
    "ERR no such key",
)  # fmt: skip


async def grow(connection: RespConnection, key: bytes, ttl: bytes, pieces: Iterable[bytes]) -> None:
    """Write a document under `key`; one piece is made while Redis works on the one before.

    Raises:
        StoreUnavailable, StoreRefused: what is there is no whole document.
    """
    size, sent = 0, connection.send(pack(b"SET", key, b"", b"EX", ttl), 1)
    for piece in pieces:
        command = pack(b"APPEND", key, piece)
        await asyncio.sleep(0)
        _check_size(checked(await sent), size)
        size += len(piece)
        sent = connection.send(command, 1)
    _check_size(checked(await sent), size)


def checked(replies: list[Any]) -> list[Any]:
    """The replies, of which none is an error, inside of a transaction neither."""
    for reply in replies:
        for error in reply if isinstance(reply, list) else (reply,):
            if isinstance(error, hiredis.ReplyError):
                text = str(error)
                # Where EXECABORT does not say why, the reply to a command before it has done so.
                if text.removeprefix(_ABORTED).startswith(_PASSING):
                    raise StoreUnavailable(text)
                raise StoreRefused(text)
    return replies


def _check_size(replies: list[Any], size: int) -> None:
    """APPEND says how long the document is by now; SET, which begins it, says OK."""
    if size and replies != [size]:
        raise StoreUnavailable("redis lost a document that was being written")
