"""Recorded depth, where it stands beside the repository; tests skip where it does not."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Final

import msgspec
import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[2]
Level = tuple[int, int]


class DepthOperation(msgspec.Struct, frozen=True):
    """`ev` is the row of the books file that the operation belongs to."""

    position: int
    operation: int
    side: int
    price: float
    size: int
    ev: int

    def fields(self) -> list[bytes]:
        """As message 13 of request 7 carries it, trailing empty field included."""
        text = f"13|1|7|{self.position}||{self.operation}|{self.side}|{self.price}|{self.size}|0|"
        return text.encode().split(b"|")


class RecordedBook(msgspec.Struct, frozen=True):
    """Ten levels a side, (price x 10000, size), best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def shared_data() -> Path:
    return Path(os.environ.get("SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


def _depth_file(suffix: str) -> Path:
    return shared_data() / "depth" / f"AAPL_20120621_{suffix}"


def depth_operations(style: str) -> list[DepthOperation]:
    """Every operation of the recording in one style, ``shift`` or ``replace``."""
    decode = msgspec.json.Decoder(DepthOperation).decode
    lines = _depth_file(f"{style}.jsonl").read_bytes().splitlines()
    return [decode(line) for line in lines]


def depth_books() -> list[RecordedBook]:
    with _depth_file("books.csv").open(encoding="ascii", newline="") as file:
        return [_book([int(cell) for cell in row]) for row in csv.reader(file)]


def _book(cells: list[int]) -> RecordedBook:
    asks = tuple(zip(cells[0::4], cells[1::4], strict=True))
    bids = tuple(zip(cells[2::4], cells[3::4], strict=True))
    return RecordedBook(bids, asks)


needs_depth_recording: Final = pytest.mark.skipif(
    not _depth_file("books.csv").exists(), reason="no recorded depth beside the repository"
)
