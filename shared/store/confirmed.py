"""Which numbers of each symbol Redis has confirmed: what it may lose, and we then owe. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from shared.store.item import Item

# A gap starts a new span. Redis loses its newest entries, so old spans may be forgotten.
_MAX_SPANS: Final = 64


class Position(NamedTuple):
    """How far a symbol's data stands in Redis; zeros for nothing."""

    seq: int  # of the newest stream entry
    entry_ms: int  # time part of that entry's id
    highest_seq: int  # ever said, also where the stream was deleted since


class Span(msgspec.Struct):
    """Consecutive numbers, both ends included; times in Unix ms."""

    first: int
    last: int
    first_ts: int
    last_ts: int


class Confirmed:
    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}

    def add(self, item: Item) -> None:
        """Numbers of a symbol come in rising order."""
        spans = self._spans.get(item.symbol)
        if spans is None:
            spans = self._spans[item.symbol] = []
        elif spans and spans[-1].last == item.seq - 1:
            span = spans[-1]
            span.last = item.seq
            if item.ts_ms > span.last_ts:
                span.last_ts = item.ts_ms
            elif item.ts_ms < span.first_ts:
                span.first_ts = item.ts_ms
            return
        spans.append(Span(item.seq, item.seq, item.ts_ms, item.ts_ms))
        if len(spans) > _MAX_SPANS:
            del spans[0]

    def newest(self, symbol: str) -> int:
        spans = self._spans.get(symbol)
        return spans[-1].last if spans else 0

    def take_above(self, symbol: str, seq: int, entry_ms: int | None) -> list[Span]:
        """What is confirmed above `seq` (an entry of `entry_ms`), oldest first; forgotten here."""
        spans = self._spans.get(symbol, [])
        taken: list[Span] = []
        while spans and spans[-1].last > seq:
            span = spans.pop()
            if span.first <= seq:
                upto_ms = span.last_ts if entry_ms is None else entry_ms
                since_ms = span.first_ts if entry_ms is None else entry_ms
                spans.append(Span(span.first, seq, span.first_ts, upto_ms))
                taken.append(Span(seq + 1, span.last, since_ms, span.last_ts))
                break
            taken.append(span)
        return taken[::-1]
