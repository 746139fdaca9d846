"""What a writer hands to the sink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol

from shared.store.confirmed import Position
from shared.store.item import ItemT
from shared.store.resp import pack
from shared.store.scripts import Script


class Flush(Generic[ItemT]):
    """Packed commands; the first replies belong to the appended items, in order.

    `shares` says how many items each of these replies answers for, None means one each. `names`
    say what the other replies are about, for the log; `side` is the writer's own note of what
    the flush says besides its items.
    """

    __slots__ = ("appended", "names", "payload", "shares", "side")

    def __init__(
        self,
        payload: bytes,
        appended: Sequence[ItemT],
        names: list[str],
        side: Any,
        shares: Sequence[int] | None = None,
    ) -> None:
        self.payload = payload
        self.appended = appended
        self.names = names
        self.side = side
        self.shares = shares

    @property
    def item_replies(self) -> int:
        """How many replies are about items; those about `names` follow."""
        return len(self.appended if self.shares is None else self.shares)

    @property
    def replies(self) -> int:
        return self.item_replies + len(self.names)

    def items(self, index: int) -> Sequence[ItemT]:
        """The items that reply number `index` answers for."""
        if self.shares is None:
            return self.appended[index : index + 1]
        start = sum(self.shares[:index])
        return self.appended[start : start + self.shares[index]]

    def name(self, index: int) -> str:
        """What reply number `index` is about."""
        if index < self.item_replies:
            verb = "XADD" if self.shares is None else "append"
            return f"{verb} {self.items(index)[0].symbol}"
        return self.names[index - self.item_replies]


@dataclass(slots=True)
class Commands:
    """Commands of a flush behind the appended items."""

    parts: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, *args: bytes) -> None:
        self.parts.append(pack(*args))
        self.names.append(name)


class Writer(Protocol[ItemT]):
    """Turns items into commands; one per key family."""

    feed: str
    # Whether readers see the items' numbers.
    numbered: bool
    scripts: tuple[Script, ...]

    def encode(self, batch: Sequence[ItemT], drained: bool) -> Flush[ItemT]:
        """Commands for a batch; `drained` says that no item waits behind it."""

    def confirmed(self, flush: Flush[ItemT], replies: Sequence[Any]) -> None:
        """The flush was carried out, with these replies."""

    def metrics(self) -> dict[str, int]:
        """Counters of its own."""

    def repeat(self, symbols: Iterable[str]) -> None:
        """Say the last values of these symbols again: Redis may not have them."""

    def pending(self) -> bool:
        """Whether there is something to write besides queued items."""

    def positions(self) -> list[str]:
        """Symbols whose stored `seq` has to be compared after a break."""

    def position_commands(self, symbol: str) -> bytes:
        """Two commands that tell a symbol's position."""

    def position(self, replies: Sequence[Any]) -> Position: ...

    def reseed(self, symbol: str, position: Position) -> None:
        """Go on behind what Redis has, where it is ahead of us."""
