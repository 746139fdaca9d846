"""What keys say of each other: greeks of the contracts of a chain, losses that explain holes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shared.schema.key_names import KeyNames
from shared.schema.row import Fault, Reading


class _ContractNames(msgspec.Struct):
    by_contract: dict[str, msgspec.Raw]


class ChainsSeen:
    """Remembers the contracts of each chain as chains go by, to compare what comes after."""

    def __init__(self, keys: KeyNames, greeks_outlive: bool) -> None:
        """`greeks_outlive`: by their expiries greeks may stay when a chain has gone."""
        self._keys = keys
        self._greeks_outlive = greeks_outlive
        # None where a chain is there and cannot be read: its own row says so.
        self._contracts: dict[str, frozenset[str] | None] = {}

    def forget(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self._contracts.pop(symbol, None)

    def check(self, row: str, reading: Reading) -> list[Fault]:
        """Take note of a chain; compare greeks with the chain that went by before."""
        symbol = reading.names.get("symbol", "")
        if row == "chain":
            self._contracts[symbol] = _contracts(reading.data)
        elif row == "greeks":
            return self._of_chain(reading, symbol, reading.names["contract"])
        return []

    def _of_chain(self, reading: Reading, symbol: str, contract: str) -> list[Fault]:
        if symbol in self._contracts:
            contracts = self._contracts[symbol]
            fits = contracts is None or contract in contracts
        else:
            fits = self._greeks_outlive
        if fits:
            return []
        return [
            Fault(reading.key, "key", "there", f"be of a contract of {self._keys.chain(symbol)}")
        ]


def _contracts(data: Any) -> frozenset[str] | None:
    try:
        return frozenset(msgspec.json.decode(data, type=_ContractNames).by_contract)
    except (msgspec.DecodeError, TypeError, ValueError):
        return None


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
