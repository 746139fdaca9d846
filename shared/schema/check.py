"""One key against its row. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.schema.decoding import decoded, joined
from shared.schema.row import Context, Fault, Flaw, Item, Limits, Reading, Row, shown
from shared.schema.times import ahead, is_time

_SOURCE: Final = "source"


def check(row: Row, reading: Reading, ttl_ms: int, now_ms: int, limits: Limits) -> list[Fault]:
    """Everything that is wrong with a key; `ttl_ms` is what PTTL said, `now_ms` is Unix ms."""
    if reading.kind != row.kind:
        return [Fault(reading.key, "type", reading.kind, f"be {row.kind}")]
    context = Context(reading.names, ttl_ms, now_ms, limits)
    items, flaws = decoded(row, reading)
    flaws += _ttl(row, context)
    for item in items:
        flaws += (_under(item.path, flaw) for flaw in _of_item(row, item, context))
    # What could not be read makes no hole in the sequence of the others.
    if len(items) == _parts(row, reading):
        for rule in row.over_all:
            flaws += rule(items, reading, context)
    # What is wrong with a field first is what is wrong with it.
    by_field = {flaw.field: flaw for flaw in reversed(flaws)}
    return [
        Fault(reading.key, flaw.field, shown(flaw.was), flaw.must)
        for flaw in flaws
        if by_field[flaw.field] is flaw
    ]


def _parts(row: Row, reading: Reading) -> int:
    return len(reading.data) if row.kind in ("list", "zset", "stream") else 1


def _under(path: str, flaw: Flaw) -> Flaw:
    return flaw._replace(field=joined(path, flaw.field))


def _ttl(row: Row, context: Context) -> Iterator[Flaw]:
    most, ttl_ms = row.ttl.most_s, context.ttl_ms
    if row.ttl.free:
        return
    if most is None:
        if ttl_ms >= 0:
            yield Flaw("ttl", f"{ttl_ms} ms", "be none: the key must not expire")
        return
    most_ms = most(context.limits) * 1000
    if ttl_ms < 0:
        yield Flaw("ttl", "none", f"be at most {most_ms:.0f} ms")
    elif ttl_ms > most_ms:
        yield Flaw("ttl", f"{ttl_ms} ms", f"be at most {most_ms:.0f} ms")


def _of_item(row: Row, item: Item, context: Context) -> Iterator[Flaw]:
    if isinstance(item.doc, msgspec.Struct):
        yield from _of_every_payload(item.doc, context)
    for rule in row.rules:
        yield from rule(item, context)


def _of_every_payload(doc: msgspec.Struct, context: Context) -> Iterator[Flaw]:
    """Times, the names in the key, and the source mean the same wherever they stand."""
    for name in doc.__struct_fields__:
        value = getattr(doc, name)
        if is_time(name) and isinstance(value, int):
            yield from ahead(name, value, context)
        elif name in context.names and value != context.names[name]:
            yield Flaw(name, value, f"be {context.names[name]}, as in the key")
        elif name == _SOURCE and context.limits.source not in (None, value):
            yield Flaw(name, value, f"be {context.limits.source}, the source of this redis")
