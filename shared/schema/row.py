"""What a row of the contract is, and what a key is checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.schema.key_names import KeyNames

_SHOWN: Final = 80


class Shape(StrEnum):
    """How the payload lies in its key."""

    JSON = "json"  # string: one JSON value
    TEXT = "text"  # string: plain text
    FIELDS = "fields"  # hash: its fields are those of the payload
    JSON_MAP = "json_map"  # hash: each field holds a payload as JSON
    TEXT_MAP = "text_map"  # hash: each field holds a payload as plain text
    LIST = "list"  # list: each member is a payload as JSON
    ZSET = "zset"  # sorted set: each member is a payload as JSON
    STREAM = "stream"  # stream: the fields of each entry are those of the payload
    CHANNEL = "channel"  # pub/sub: each message is a payload as JSON


REDIS_TYPES: Final = {
    Shape.JSON: "string",
    Shape.TEXT: "string",
    Shape.FIELDS: "hash",
    Shape.JSON_MAP: "hash",
    Shape.TEXT_MAP: "hash",
    Shape.LIST: "list",
    Shape.ZSET: "zset",
    Shape.STREAM: "stream",
    Shape.CHANNEL: "channel",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What settings and neighbouring keys allow; the defaults are those of the settings.

    `gaps` are the numbers that `monitoring:gaps` says were lost, by feed and symbol; holes before
    `gaps_since_ms` are older than that ledger. `source` is what `coord:source` says.
    """

    market_data_s: int = 60
    order_book_s: int = 60
    trades_s: int = 86_400
    bars_s: int = 86_400
    bars_1min_s: int = 432_000
    options_s: int = 180
    greeks_s: int = 180
    sentiment_s: int = 3_600
    technicals_s: int = 900
    monitoring_s: int = 120
    heartbeat_s: int = 30
    heartbeat_interval_s: float = 2.0
    metrics_interval_s: float = 10.0
    depth_heartbeat_s: int = 160
    venue_book_s: int = 240
    bucket_s: float = 3_601.0
    stream_maxlen: int = 10_000
    source: str | None = None
    gaps: Mapping[tuple[str, str], Sequence[tuple[int, int]]] = field(default_factory=dict)
    gaps_since_ms: int = 0
    vendor_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ttl:
    """`most_s` None: the key must not expire. `free`: it may or may not."""

    text: str
    most_s: Callable[[Limits], float] | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A key as it was read.

    `data`: bytes of a string; dict of a hash; list of a list; (member, score) pairs of a sorted
    set; (id, fields) of a stream, newest first. `size` is the length of the whole key where `data`
    is only its newest part. `names` are what stands for the placeholders of the row's key.
    """

    key: str
    kind: str
    data: Any
    names: Mapping[str, str] = field(default_factory=dict)
    size: int = 0


class Fault(NamedTuple):
    """One thing that is not as the contract says."""

    key: str
    field: str
    was: str
    must: str

    def __str__(self) -> str:
        return f"{self.key} {self.field}: was {self.was}, must {self.must}"


class Flaw(NamedTuple):
    """A fault before its key is known; `field` is relative to where the payload lies."""

    field: str
    was: object
    must: str


@dataclass(frozen=True, slots=True)
class Context:
    names: Mapping[str, str]
    ttl_ms: int
    now_ms: int
    limits: Limits


class Item(NamedTuple):
    """A decoded payload; `at` is its hash field, score or stream id."""

    path: str
    doc: Any
    at: Any = None


ItemRule = Callable[[Item, Context], Iterator[Flaw]]
AllRule = Callable[[Sequence[Item], Reading, Context], Iterator[Flaw]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the contract.

    `json_fields` of a hash or stream entry hold JSON. `lenient` payloads may have more fields than
    the contract lists (vendor rows, figures).
    """

    name: str
    section: str
    key: Callable[[KeyNames], str]
    shape: Shape
    payload: Any
    ttl: Ttl
    writers: tuple[str, ...]
    about: str
    when: str
    rules: tuple[ItemRule, ...] = ()
    over_all: tuple[AllRule, ...] = ()
    json_fields: tuple[str, ...] = ()
    lenient: bool = False

    @property
    def kind(self) -> str:
        """The Redis type."""
        return REDIS_TYPES[self.shape]


def shown(value: object) -> str:
    """On one line and short, for a fault."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = " ".join(text.split()) or "empty"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
