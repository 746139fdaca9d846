"""All that Redis holds at the end, as evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import redis

from simulators.control import ControlClient
from tests.oracle.evidence import Entry, Gap, level

__all__ = ["answered", "denied", "depth_entries", "gaps", "members", "secret_places"]


# From a time that the product wrote down to the right one.
TrueMs = Callable[[int], int]


def depth_entries(client: redis.Redis, symbol: str, true_ms: TrueMs) -> list[Entry]:
    found: Any = client.xrange(f"raw:ibkr:depth:stream:{symbol}")
    return [(e := _entry(fields))._replace(ts=true_ms(e.ts)) for _, fields in found]


def gaps(client: redis.Redis, true_ms: TrueMs) -> list[Gap]:
    found: Any = client.xrange("monitoring:gaps")
    entered = [_gap(fields) for _, fields in found]
    return [g._replace(from_ts=true_ms(g.from_ts), to_ts=true_ms(g.to_ts)) for g in entered]


def members(client: redis.Redis, key: str) -> list[dict[str, Any]]:
    """Of a sorted set, by score."""
    found: Any = client.zrange(key, 0, -1)
    return [orjson.loads(member) for member in found]


def answered(vendor: ControlClient) -> dict[str, int]:
    """By function, calls that got data as it is meant to be."""
    found: Counter[str] = Counter()
    last = 0
    while True:
        reply = vendor.call("requests", since=last)
        if not reply["rows"]:
            return dict(found)
        at = {name: place for place, name in enumerate(reply["columns"])}
        good = [row for row in reply["rows"] if row[at["outcome"]] == "ok"]
        found.update(row[at["function"]] for row in good)
        last = reply["rows"][-1][0]


def denied(client: redis.Redis) -> tuple[str, ...]:
    """What Redis refused to a user: a right that a process needs and does not have."""
    found: Any = client.acl_log()
    return tuple(
        f"{one['username']} must not {one['reason']} {one['object']} ({one['count']} times)"
        for one in found
    )


def secret_places(root: Path, secret: str) -> list[str]:
    """Files under a directory that hold the key; what supervisord and Redis write is among them."""
    text = secret.encode()
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink() and text in path.read_bytes()
    ]


def _entry(fields: dict[str, str]) -> Entry:
    bids = tuple(level(row) for row in orjson.loads(fields["bids"]))
    asks = tuple(level(row) for row in orjson.loads(fields["asks"]))
    return Entry(int(fields["ts"]), int(fields["seq"]), fields["venue"], (bids, asks))


def _gap(fields: dict[str, str]) -> Gap:
    def number(name: str) -> int | None:
        return int(fields[name]) if fields[name] else None

    return Gap(
        fields["feed"],
        fields["symbol"],
        fields["venue"],
        number("from_seq"),
        number("to_seq"),
        int(fields["from_ts"]),
        int(fields["to_ts"]),
        fields["reason"],
    )
