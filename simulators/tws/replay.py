from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from simulators.errors import OptionError

from .book import ASK, BID, DELETE, INSERT, UPDATE, Book, Row, RowOp

__all__ = ["Replay", "ReplayBook", "parse_replay"]

# Whole numbers from here up are dollars x 10000 (LOBSTER), below they are dollars.
_SCALED_FROM: Final = 20_000
_MAKER: Final = "NSDQ"


class ReplayBook(Book):
    """The book a recording has built so far."""


class Replay:
    """A recording and how far it has been sent; time is passed in, not read."""

    def __init__(self, operations: list[tuple[float, RowOp]]) -> None:
        self._operations = operations
        self._next = 0
        # Seconds of recorded time that have passed since the first operation.
        self._clock_s = 0.0
        # False until the command that starts it, when it was told to wait for one.
        self.started = True
        self.book = ReplayBook()

    @property
    def finished(self) -> bool:
        return self._next >= len(self._operations)

    @property
    def sent(self) -> int:
        return self._next

    @property
    def total(self) -> int:
        return len(self._operations)

    def restart(self) -> None:
        self._next = 0
        self._clock_s = 0.0
        self.book = ReplayBook()

    def advance(self, elapsed_s: float, speed: float, limit: int) -> list[RowOp]:
        """The operations due after elapsed_s more seconds; speed 0 = whatever fits in limit."""
        self._clock_s += elapsed_s * speed
        due: list[RowOp] = []
        while not self.finished and len(due) < limit:
            at_s, op = self._operations[self._next]
            if speed > 0 and at_s > self._clock_s:
                break
            due.append(op)
            self.book.apply(op)
            self._next += 1
        return due


def parse_replay(lines: Iterable[str], name: str) -> Replay:
    records = [_record(line, f"{name}:{number}") for number, line in enumerate(lines, 1)]
    if not records:
        raise OptionError(f"replay {name} has no operations, was empty")
    prices = [record["price"] for record in records if record["price"]]
    scaled = bool(prices) and all(type(p) is int and p >= _SCALED_FROM for p in prices)
    start_s = records[0]["t"]
    return Replay([(record["t"] - start_s, _operation(record, scaled)) for record in records])


def _operation(record: dict[str, Any], scaled: bool) -> RowOp:
    price = record["price"]
    price_e4 = int(price) if scaled else round(price * 10_000)
    row = Row(price_e4, record["size"], _MAKER)
    return RowOp(record["operation"], record["side"], record["position"], row)


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise OptionError(f"replay {where} is not JSON, was {line[:60]!r}") from error
    if not isinstance(record, dict):
        raise OptionError(f"replay {where} must be an object, was {line[:60]!r}")
    for field in ("t", "price", "size"):
        if type(record.get(field)) not in (int, float):
            raise OptionError(f"replay {where} {field} must be a number, was {record.get(field)!r}")
    _require(record, "operation", (INSERT, UPDATE, DELETE), where)
    _require(record, "side", (ASK, BID), where)
    position = record.get("position")
    if type(position) is not int or position < 0:
        raise OptionError(f"replay {where} position must be 0 or more, was {position!r}")
    return record


def _require(record: dict[str, Any], field: str, allowed: tuple[int, ...], where: str) -> None:
    if record.get(field) not in allowed or type(record[field]) is not int:
        listed = ", ".join(str(value) for value in allowed)
        raise OptionError(
            f"replay {where} {field} must be one of {listed}, was {record.get(field)!r}"
        )
