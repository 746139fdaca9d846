"""Documents of megabytes, written so that nobody waits for them.

Set at once, such a document holds up everyone else on this Redis, which copies it into its
append-only file in one piece too. So documents grow under names of their own, piece by piece, and
are renamed when they are whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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


class Growing:
    """Documents that grow together under `keys`, with one batch of pieces in flight.

    Every method raises StoreUnavailable or StoreRefused: what is there is no whole document then.
    """

    def __init__(self, connection: RespConnection, keys: Sequence[bytes], ttl: bytes) -> None:
        """`ttl`: after so many seconds what was left behind is gone."""
        self._connection = connection
        self._keys = keys
        self._ttl = ttl
        self._sizes = [0] * len(keys)
        self._sent: asyncio.Future[list[Any]] | None = None
        # What Redis must say to the batch in flight: how long each document is by now.
        self._expected: list[bytes | int] = []

    async def add(self, pieces: Sequence[bytes]) -> None:
        """One piece for each document, or nothing; sent once Redis has taken those before."""
        commands: list[bytes] = []
        expected: list[bytes | int] = []
        for number, (key, piece) in enumerate(zip(self._keys, pieces, strict=True)):
            if not piece:
                continue
            if self._sizes[number]:
                commands.append(pack(b"APPEND", key, piece))
                expected.append(self._sizes[number] + len(piece))
            else:
                # Over whatever an earlier attempt has left. Never empty: APPEND to a document that
                # was lost would begin another one, of the right size and without an expiry.
                commands.append(pack(b"SET", key, piece, b"EX", self._ttl))
                expected.append(b"OK")
            self._sizes[number] += len(piece)
        if commands:
            await self.settle()
            self._expected = expected
            self._sent = self._connection.send(b"".join(commands), len(commands))

    async def settle(self) -> None:
        """Until Redis has taken every piece."""
        sent, self._sent = self._sent, None
        if sent is not None and checked(await sent) != self._expected:
            raise StoreUnavailable("redis lost a document that was being written")


def checked(replies: list[Any]) -> list[Any]:
    """The replies, of which none is an error, inside of a transaction neither."""
    if replies.count(b"OK") == len(replies):
        return replies
    for reply in replies:
        for error in reply if isinstance(reply, list) else (reply,):
            if isinstance(error, hiredis.ReplyError):
                text = str(error)
                # Where EXECABORT does not say why, the reply to a command before it has done so.
                if text.removeprefix(_ABORTED).startswith(_PASSING):
                    raise StoreUnavailable(text)
                raise StoreRefused(text)
    return replies
