from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from random import Random
from typing import Final

from .body import Body, Piece
from .contract import Contract, Row, row_text

__all__ = ["Chain", "expirations", "rows_body"]

# Rows that are rendered and compressed together; smaller ones compress worse.
_BLOCK_ROWS: Final = 32
_NO_BID_SHARE: Final = 0.15
_STEPS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0)
_SPOT_SWING: Final = 0.05
# Longer chains move in runs, so that few blocks are made anew.
_RUN_EVERY: Final = 400


class Chain:
    """All contracts of one symbol on one day; only blocks with changes are rendered again."""

    def __init__(
        self, symbol: str, date: datetime.date, contracts: int, spot: float, random: Random
    ) -> None:
        self.symbol = symbol
        self.date = date
        self.spot = spot
        self._first_spot = spot
        self._random = random
        self._contracts = list(_listed(symbol, date, contracts, spot))
        for contract in self._contracts:
            contract.open(spot, random)
        by_distance = sorted(self._contracts, key=lambda c: c.otm, reverse=True)
        for contract in by_distance[: int(_NO_BID_SHARE * len(by_distance))]:
            contract.no_bid = True
        self.rows: list[Row] = [c.quote(spot, random) for c in self._contracts]
        self._blocks: dict[bool, list[Piece | None]] = {}
        self._bodies: dict[bool, tuple[str, Body]] = {}

    def move(self, share: float) -> int:
        """New quotes for this share of the rows; the others keep theirs."""
        wanted = min(len(self.rows), math.ceil(share * len(self.rows)))
        if not wanted:
            return 0
        self._walk()
        for index in self._movers(wanted):
            contract = self._contracts[index]
            self.rows[index] = contract.quote(self.spot, self._random, trade=True)
            for blocks in self._blocks.values():
                blocks[index // _BLOCK_ROWS] = None
        self._bodies.clear()
        return wanted

    def body(self, endpoint: str, greeks: bool) -> Body:
        kept = self._bodies.get(greeks)
        if kept is None or kept[0] != endpoint:
            kept = endpoint, Body(_framed(endpoint, self._pieces(greeks)))
            self._bodies[greeks] = kept
        return kept[1]

    def _pieces(self, greeks: bool) -> list[Piece]:
        count = math.ceil(len(self.rows) / _BLOCK_ROWS)
        blocks = self._blocks.setdefault(greeks, [None] * count)
        pieces = []
        for number, block in enumerate(blocks):
            if block is None:
                start = number * _BLOCK_ROWS
                rows = self.rows[start : start + _BLOCK_ROWS]
                block = blocks[number] = _rows_piece(rows if greeks else _bare(rows), not number)
            pieces.append(block)
        return pieces

    def _walk(self) -> None:
        spot = self.spot * (1 + self._random.gauss(0, 0.0005))
        low, high = self._first_spot * (1 - _SPOT_SWING), self._first_spot * (1 + _SPOT_SWING)
        self.spot = min(max(spot, low), high)

    def _movers(self, wanted: int) -> Iterable[int]:
        run = max(1, len(self.rows) // _RUN_EVERY)
        starts = list(range(0, len(self.rows), run))
        self._random.shuffle(starts)
        found: list[int] = []
        for start in starts:
            found += range(start, min(start + run, len(self.rows)))
            if len(found) >= wanted:
                break
        return found[:wanted]


def rows_body(endpoint: str, rows: list[Row]) -> Body:
    """The rows as they are, however odd; nothing is kept for the next time."""
    if not rows:
        return Body.of(f"{_head(endpoint)}[]\n}}")
    return Body(_framed(endpoint, [_rows_piece(rows, True)]))


def _head(endpoint: str) -> str:
    return f'{{\n    "endpoint": "{endpoint}",\n    "message": "success",\n    "data": '


def _framed(endpoint: str, pieces: list[Piece]) -> list[Piece]:
    return [Piece(f"{_head(endpoint)}[\n".encode()), *pieces, Piece(b"\n    ]\n}")]


def _rows_piece(rows: list[Row], first: bool) -> Piece:
    text = ",\n".join(map(row_text, rows))
    return Piece((text if first else f",\n{text}").encode())


def _bare(rows: list[Row]) -> list[Row]:
    return [row[:14] for row in rows]


def expirations(date: datetime.date, count: int) -> list[datetime.date]:
    """Eight Fridays to come, then one in four weeks."""
    friday = date + datetime.timedelta(days=(4 - date.weekday() - 1) % 7 + 1)
    weeks = [n if n < 8 else 8 + 4 * (n - 8) for n in range(count)]
    return [friday + datetime.timedelta(weeks=n) for n in weeks]


def _listed(symbol: str, date: datetime.date, contracts: int, spot: float) -> Iterable[Contract]:
    """In the vendor's order: expiration, strike, call before put."""
    pairs = math.ceil(contracts / 2)
    dates = expirations(date, min(30, max(1, pairs // 40)))
    each, rest = divmod(pairs, len(dates))
    left = contracts
    for number, expiration in enumerate(dates):
        for strike in _strikes(spot, each + (number < rest)):
            for call in (True, False)[:left]:
                yield Contract(symbol, date, expiration, call, strike)
                left -= 1


def _strikes(spot: float, count: int) -> list[float]:
    step = next((step for step in _STEPS if step >= 0.5 * spot / max(1, count)), _STEPS[-1])
    lowest = max(step, round((spot - step * count / 2) / step) * step)
    return [lowest + step * n for n in range(count)]
