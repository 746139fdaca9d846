"""Rows of the chain before: one that is as it was needs no second reading.

From one fetch to the next most contracts of a chain do not move, and their rows come in the same
order, so that a row is compared with the one that stood in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from shared.market.option import Chain, Contract


class RowsBefore:
    """Goes along with one reading of the symbol's next chain."""

    def __init__(self, chain: Chain | None = None) -> None:
        self._rows: Sequence[Raw] = chain.rows if chain else ()
        self._all: Sequence[Contract] = chain.contracts if chain else ()
        self._contracts: Sequence[Contract | None] = self._all
        if chain and chain.doubtful:
            doubtful = chain.doubtful
            self._contracts = [None if one.contractID in doubtful else one for one in self._all]
        self._at = 0
        self._numbers: dict[str, int] | None = None

    def matched(self, rows: Sequence[Raw]) -> list[Contract | None]:
        """The contract of each of the next rows, None where it has to be read; empty where that is
        so of all."""
        start, end = self._at, self._at + len(rows)
        before, contracts = self._rows[start:end], self._contracts[start:end]
        self._at = end
        if not before:
            return []
        found = [
            one if row == other else None
            for row, other, one in zip(rows, before, contracts, strict=False)
        ]
        return found + [None] * (len(rows) - len(found))

    def read_up_to(self, last: Contract) -> None:
        """What `matched` was given ended with this contract: where rows came or went, the place
        is found again."""
        if 0 < self._at <= len(self._all) and self._all[self._at - 1].contractID == last.contractID:
            return
        if self._numbers is None:
            self._numbers = {one.contractID: n for n, one in enumerate(self._all)}
        number = self._numbers.get(last.contractID)
        if number is not None:
            self._at = number + 1
