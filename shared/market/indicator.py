"""A technical indicator's readings. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndicatorReading:
    """The newest value of an indicator and those before it.

    `values` are by the vendor's names (``MACD_Signal``, ``Real Upper Band``) and belong to the bar
    at `ts_ms`. `history` is newest first, starts with that bar and has at most 100 entries. Times
    are Unix ms; `time_zone` is the IANA name of the zone the vendor's bar times are in. `delayed`
    is true where the vendor says that its data is. `bad_values` counts the rows passed over.
    """

    symbol: str
    indicator: str
    interval: str
    params: dict[str, int | str]
    ts_ms: int
    time_zone: str
    fetched_ms: int
    values: dict[str, float]
    history: list[tuple[int, dict[str, float]]]
    delayed: bool
    bad_values: int
