"""All rows of the contract."""

from __future__ import annotations

from shared.schema import coordination, depth, market, monitoring, news, options
from shared.schema.row import Row


def rows() -> tuple[Row, ...]:
    """In the order of the documents; of two rows that fit a key, the first is its row."""
    return (
        *depth.ROWS,
        *market.ROWS,
        *options.ROWS,
        *news.ROWS,
        *monitoring.ROWS,
        *coordination.ROWS,
    )
