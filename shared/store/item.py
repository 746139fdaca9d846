"""What a sink writes: numbered items of a symbol, in order."""

from __future__ import annotations

from typing import Protocol, TypeVar


class Item(Protocol):
    """`seq` rises by one per item of a symbol; times are Unix ms and monotonic seconds."""

    @property
    def symbol(self) -> str: ...

    @property
    def venue(self) -> str: ...

    @property
    def seq(self) -> int: ...

    @property
    def ts_ms(self) -> int: ...

    @property
    def received_s(self) -> float: ...

    @property
    def size_bytes(self) -> int:
        """What it takes of a bounded queue."""


ItemT = TypeVar("ItemT", bound=Item)
