"""Greeks → Redis in small slices: what changed is written, what did not has its expiry renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.market.option import Chain, Contract
from shared.store.growing import checked
from shared.store.option_documents import GreeksCommands, greeks_texts
from shared.store.option_draft import Written
from shared.store.resp import RespConnection

# Some 0.4 ms of Redis's time.
SLICE: Final = 250


class Known(NamedTuple):
    """What Redis has of a contract's greeks.

    A hash: that two differ and share it, one in 10^19, is accepted. A contract that is the same
    object need not be compared.
    """

    contract: Contract
    digest: int


# None where only the name is known.
KnownGreeks = dict[str, Known | None]


class GreeksWriter:
    """Writes the greeks of one chain; `old` is what Redis has, `new` becomes what it has then."""

    def __init__(
        self, connection: RespConnection, commands: GreeksCommands, old: Mapping[str, Known | None]
    ) -> None:
        self._connection = connection
        self._commands = commands
        self._old = old
        self.new: KnownGreeks = {}
        self.done = Written()

    async def write(self, chain: Chain) -> bool:
        """One slice is packed while Redis works on the one before; False when it lost a key."""
        sent: asyncio.Future[list[Any]] | None = None
        for part in slices(chain.contracts):
            commands = self._packed(part)
            await asyncio.sleep(0)
            if sent is not None and 0 in checked(await sent):
                return False
            sent = self._connection.send(b"".join(commands), len(commands)) if commands else None
        return sent is None or 0 not in checked(await sent)

    def _packed(self, part: Sequence[Contract]) -> list[bytes]:
        commands, others = self._renewed(part)
        old, new, store, renew = self._old, self.new, self._commands.store, self._commands.renew
        changed = 0
        for one, text in greeks_texts(others):
            name = one.contractID
            known, digest = old.get(name), hash(text)
            new[name] = Known(one, digest)
            if known is not None and known.digest == digest:
                commands.append(renew(name))
            else:
                changed += 1
                commands.append(store(name, text))
        self.done.changed += changed
        self.done.renewed += len(commands) - changed
        return commands

    def _renewed(self, part: Sequence[Contract]) -> tuple[list[bytes], list[Contract]]:
        """Commands for those that are as they were, and the others."""
        get, new, renew = self._old.get, self.new, self._commands.renew
        commands, others = [], []
        for one in part:
            name = one.contractID
            known = get(name)
            if known is not None and known.contract is one:
                new[name] = known
                commands.append(renew(name))
            else:
                others.append(one)
        return commands, others


def slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
