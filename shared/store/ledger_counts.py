"""How often each kind of line was added to a ledger, followed from look to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from shared.store.kept import number, text
from shared.store.ops_documents import texts

Kind = TypeVar("Kind", bound=Hashable)
# More than a ledger holds: one look is enough for all of it, the rest would come with the next.
_MOST: Final = 12_000


class LedgerCounts(Generic[Kind]):
    """Lines and the numbers in them, by kind; `kind_of` gives None for what is not counted.

    The first look takes in what the ledger holds. Nothing is forgotten when it is trimmed.
    """

    def __init__(self, key: str, kind_of: Callable[[Mapping[str, str]], Kind | None]) -> None:
        self._key = key
        self._kind_of = kind_of
        self._after = "-"
        self.lines: Counter[Kind] = Counter()
        self.items: Counter[Kind] = Counter()

    def ask(self, pipe: Any) -> None:
        """The first command of a look; `take` gets its reply."""
        pipe.xrange(self._key, self._after, "+", count=_MOST)

    def take(self, entries: Iterable[Any] | None) -> None:
        for name, raw in entries or ():
            self._after = f"({text(name)}"
            fields = texts(raw)
            kind = self._kind_of(fields)
            if kind is not None:
                self.lines[kind] += 1
                self.items[kind] += number(raw.get(b"count"))
