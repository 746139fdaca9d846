"""Greeks → Redis in small slices: what changed is written, what did not is asked for.

A key that Redis still has need not be written; its expiry is renewed when its turn comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final, NamedTuple

from shared.give_way import give_way
from shared.market.option import Chain, Contract
from shared.store.growing import checked
from shared.store.option_documents import GreeksCommands, greeks_texts
from shared.store.option_draft import Written
from shared.store.renewal import is_due
from shared.store.resp import RespConnection

# Some 0.4 ms of Redis's time.
SLICE: Final = 400
# Redis need not wait for the next slice, nor has it many to read at once.
_IN_FLIGHT: Final = 3


@dataclass(slots=True)
class KnownGreeks:
    """What Redis has of a symbol's greeks.

    `digests` are hashes of the documents: that two differ and share one, one in 10^19, is accepted;
    None where only the name is known. A contract that is the same object need not be compared.
    """

    digests: dict[str, int | None] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)


class _Slice(NamedTuple):
    """Packed commands; `present`: how many keys the first of them asks for, if any."""

    commands: list[bytes]
    present: int

    def lost(self, replies: list[Any]) -> bool:
        """Whether Redis no longer has a key that it must have."""
        if self.present and replies[0] != self.present:
            return True
        return 0 in replies


class GreeksWriter:
    """Writes the greeks of one chain; `old` is what Redis has, `new` becomes what it has then."""

    def __init__(
        self,
        connection: RespConnection,
        commands: GreeksCommands,
        old: KnownGreeks,
        due: list[bool],
    ) -> None:
        """`due`: the phases of keys whose expiry is renewed."""
        self._connection = connection
        self._commands = commands
        self._old = old
        self._due = due
        self.new = KnownGreeks()
        self.done = Written()

    async def write(self, chain: Chain) -> bool:
        """False when Redis has lost a key."""
        return await self._send(self._packed(part) for part in slices(chain.contracts))

    async def renew(self) -> bool:
        """All stay as they are; False when Redis has lost a key."""
        self.new = self._old
        names = list(self._old.digests)
        return await self._send(self._kept(part) for part in slices(names))

    async def _send(self, packed: Iterator[_Slice]) -> bool:
        """Slices are packed while Redis works on those before."""
        sent: deque[tuple[_Slice, asyncio.Future[list[Any]]]] = deque()
        for one in packed:
            await give_way()
            if len(sent) == _IN_FLIGHT:
                first, replies = sent.popleft()
                if first.lost(checked(await replies)):
                    return False
            if one.commands:
                payload = b"".join(one.commands)
                sent.append((one, self._connection.send(payload, len(one.commands))))
        return not any([one.lost(checked(await replies)) for one, replies in sent])

    def _packed(self, part: Sequence[Contract]) -> _Slice:
        kept, others = self._compared(part) if self._old.contracts else ([], part)
        found = greeks_texts(others)
        names = [one.contractID for one, _ in found]
        digests = [hash(text) for _, text in found]
        self.new.digests.update(zip(names, digests, strict=True))
        self.new.contracts.update(zip(names, [one for one, _ in found], strict=True))
        old, store, changed = self._old.digests, self._commands.store, []
        for (_, text), name, digest in zip(found, names, digests, strict=True):
            if old.get(name) == digest:
                kept.append(name)
            else:
                changed.append(store(name, text))
        self.done.changed += len(changed)
        commands, present = self._kept(kept)
        return _Slice(commands + changed, present)

    def _compared(self, part: Sequence[Contract]) -> tuple[list[str], list[Contract]]:
        """Names of contracts that are those of the chain before, and all others."""
        names = [one.contractID for one in part]
        before = map(self._old.contracts.get, names)
        same = [one is other for one, other in zip(part, before, strict=True)]
        kept = list(compress(names, same))
        self.new.contracts.update(zip(kept, compress(part, same), strict=True))
        self.new.digests.update(zip(kept, map(self._old.digests.get, kept), strict=True))
        return kept, [one for one, known in zip(part, same, strict=True) if not known]

    def _kept(self, names: Sequence[str]) -> _Slice:
        self.done.renewed += len(names)
        due = self._due
        renewed = [name for name in names if is_due(name, due)] if True in due else []
        asked = names
        if renewed:
            asked = [name for name in names if not is_due(name, due)]
        commands = [self._commands.present(asked)] if asked else []
        return _Slice(commands + [self._commands.renew(name) for name in renewed], len(asked))


def slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
