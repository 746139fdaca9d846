"""What keys say of each other: documents and greeks of one chain, losses that explain holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.schema.key_names import KeyNames
from shared.schema.row import Fault, Reading

# Rows whose keys are written together, in the order in which they are to go by.
TOGETHER: Final = ("calls", "puts", "chain")
_RIGHTS: Final = {"calls": "call", "puts": "put"}


class _Typed(msgspec.Struct):
    type: str


class _Contracts(msgspec.Struct):
    by_contract: dict[str, _Typed]


class _Named(msgspec.Struct):
    contractID: str


class ChainsSeen:
    """Remembers the documents of each chain as they go by, to compare what comes after."""

    def __init__(self, keys: KeyNames, greeks_outlive: bool) -> None:
        """`greeks_outlive`: by their expiries greeks may stay when a chain has gone."""
        self._keys = keys
        self._greeks_outlive = greeks_outlive
        # By row and symbol, the right of each contract; None for what cannot be read, as its own
        # row says.
        self._seen: dict[tuple[str, str], Mapping[str, str] | None] = {}

    def forget(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            for row in TOGETHER:
                self._seen.pop((row, symbol), None)

    def check(self, row: str, reading: Reading) -> list[Fault]:
        """Take note of a document; compare with what went by before."""
        symbol = reading.names.get("symbol", "")
        if row in TOGETHER:
            self._seen[row, symbol] = _contracts(row, reading.data)
        if row == "chain":
            return list(self._sides(symbol))
        if row == "greeks":
            return self._of_chain(reading, symbol, reading.names["contract"])
        return []

    def _sides(self, symbol: str) -> Iterator[Fault]:
        chain = self._seen["chain", symbol]
        if chain is None:
            return
        for row, right in _RIGHTS.items():
            key = self._keys.calls(symbol) if row == "calls" else self._keys.puts(symbol)
            wanted = {name for name, one in chain.items() if one == right}
            must = f"be those of the {len(wanted)} {row} of {self._keys.chain(symbol)}"
            if (row, symbol) not in self._seen:
                yield Fault(key, "key", "absent", f"be there with {self._keys.chain(symbol)}")
                continue
            rows = self._seen[row, symbol]
            if rows is not None and rows.keys() != wanted:
                yield Fault(key, "rows", str(len(rows)), must)

    def _of_chain(self, reading: Reading, symbol: str, contract: str) -> list[Fault]:
        if ("chain", symbol) in self._seen:
            contracts = self._seen["chain", symbol]
            fits = contracts is None or contract in contracts
        else:
            fits = self._greeks_outlive
        if fits:
            return []
        return [
            Fault(reading.key, "key", "there", f"be of a contract of {self._keys.chain(symbol)}")
        ]


def _contracts(row: str, data: Any) -> dict[str, str] | None:
    try:
        if row == "chain":
            found = msgspec.json.decode(data, type=_Contracts).by_contract
            return {name: one.type for name, one in found.items()}
        rows = msgspec.json.decode(data, type=list[_Named])
    except (msgspec.DecodeError, TypeError, ValueError):
        return None
    return {one.contractID.strip(): _RIGHTS[row] for one in rows}


def gap_ranges(
    entries: Iterable[Mapping[bytes, bytes]],
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Numbers lost, by feed and symbol; entries without numbers explain no hole."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for fields in entries:
        first, last = fields.get(b"from_seq", b""), fields.get(b"to_seq", b"")
        if first.isdigit() and last.isdigit():
            feed = fields.get(b"feed", b"").decode("utf-8", "replace")
            symbol = fields.get(b"symbol", b"").decode("utf-8", "replace")
            found.setdefault((feed, symbol), []).append((int(first), int(last)))
    return found
