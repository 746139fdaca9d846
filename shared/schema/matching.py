"""Which row of the contract a key belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from shared.schema.key_names import KeyNames
from shared.schema.row import Row, Shape
from shared.schema.table import rows
from shared.schema.values import NAME_PATTERN, VENUE_PATTERN

_SHAPES: Final = {
    "symbol": NAME_PATTERN,
    # Within a key the name ends at a colon.
    "venue": VENUE_PATTERN.replace("$)", ":)"),
    "contract": "^[A-Za-z0-9]{16,24}$",
    "document": "^(?:calls|puts|chain)$",
    "indicator": "^(?:RSI|MACD|BBANDS|ATR)$",
    "worker": "^[a-z][a-z0-9_]{0,39}$",
    "account": "^[0-9a-f]{8}$",
}
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Matcher:
    """Finds the row of a key; rows that stand first win, as the table has the narrow ones first."""

    def __init__(self, keys: KeyNames) -> None:
        self._rows = [
            (row, re.compile(_expression(row.key(keys))))
            for row in rows()
            if row.shape is not Shape.CHANNEL
        ]

    def find(self, key: str) -> tuple[Row, Mapping[str, str]] | None:
        """The row, and what stands for its placeholders; None for a key of no row."""
        for row, expression in self._rows:
            found = expression.fullmatch(key)
            if found is not None:
                return row, found.groupdict()
        return None


def _expression(pattern: str) -> str:
    parts = _PLACEHOLDER.split(pattern)
    return "".join(
        f"(?P<{part}>{_SHAPES[part][1:-1]})" if odd % 2 else re.escape(part)
        for odd, part in enumerate(parts)
    )
