"""What a writer hands to the sink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.market.depth import DepthUpdate
from shared.store.confirmed import Position
from shared.store.resp import pack
from shared.store.scripts import Script


class Flush:
    """Packed commands; the first `len(appended)` replies belong to those items in order.

    `names` say what the other replies are about, for the log; `side` is the writer's own note
    of what the flush says besides its items.
    """

    __slots__ = ("appended", "names", "payload", "side")

    def __init__(
        self, payload: bytes, appended: Sequence[DepthUpdate], names: list[str], side: Any
    ) -> None:
        self.payload = payload
        self.appended = appended
        self.names = names
        self.side = side

    @property
    def replies(self) -> int:
        return len(self.appended) + len(self.names)

    def name(self, index: int) -> str:
        """What reply number `index` is about."""
        appended = len(self.appended)
        if index < appended:
            return f"XADD {self.appended[index].symbol}"
        return self.names[index - appended]


@dataclass(slots=True)
class Commands:
    """Commands of a flush behind the appended items."""

    parts: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, *args: bytes) -> None:
        self.parts.append(pack(*args))
        self.names.append(name)


class Writer(Protocol):
    """Turns items into commands; one per key family."""

    feed: str
    scripts: tuple[Script, ...]

    def encode(self, batch: Sequence[DepthUpdate], drained: bool) -> Flush:
        """Commands for a batch; `drained` says that no item waits behind it."""

    def confirmed(self, flush: Flush, replies: Sequence[Any]) -> None:
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
