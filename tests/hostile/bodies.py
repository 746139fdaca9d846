"""Answers of a vendor that lies, made of true ones."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any, Final

# What would address another key, break a line or a number, or is of another type.
VALUES: Final[list[Any]] = [
    None, True, [], {}, [[]], 0, -1, 1e308, 10**30, "", "9" * 5_000, "1e400", "nan", "-", "\ud800",
    "\x00", "\x1b[31m", "IBM:calls", "*", "IBM171215C00150000:greeks", "{IBM}171215C00150000",
    "IBM171215C0015000\n", "IBM１71215C00150000", "../../etc/passwd", "x" * 3_000,
]  # fmt: skip
# Bytes that replace a part of a body.
CUTS: Final = [b"", b"\xff\xfe", b"[" * 3_000, b"{" * 3_000, b'"', b"\\", b"]}", b"NaN", b"1e999"]


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands."""
    found = [path] if path else []
    if isinstance(document, dict):
        children: Any = document.items()
    else:
        children = enumerate(document) if isinstance(document, list) else ()
    for key, value in children:
        found += places(value, (*path, key))
    return found


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def mutated(body: bytes, random: Random) -> bytes:
    """One to three values replaced, or a part of the bytes."""
    if random.random() < 0.3:
        at = random.randrange(len(body))
        return body[:at] + random.choice(CUTS) + body[at + random.randrange(20) :]
    document = json.loads(body)
    for _ in range(random.randint(1, 3)):
        found = places(document)
        if found:
            document = with_value(document, random.choice(found), random.choice(VALUES))
    return json.dumps(document).encode()
