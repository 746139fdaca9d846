"""What only our own processes read and write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from shared.schema import ttls
from shared.schema.depth import DEPTH
from shared.schema.market import TRADES
from shared.schema.monitoring import ALPHA_VANTAGE, IBKR
from shared.schema.row import Context, Flaw, Item, Reading, Row, Shape
from shared.schema.times import not_ahead
from shared.schema.values import (
    NAME_PATTERN,
    VENUE_PATTERN,
    Ms,
    MsOrZero,
    Payload,
    Seq,
    Source,
    Us,
    Venue,
    Whole,
    about,
)

SECTION: Final = "Coordination"
_COMMANDS_KEPT: Final = 100
_ANY: Final = ("every worker",)


class Lease(Payload, frozen=True):
    token: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", description="of this process")]
    host: Annotated[str, about("host name")]
    pid: Annotated[Whole, about("process id")]
    pid_start: Annotated[Whole, about("start of the process in clock ticks since boot")]


class Bucket(Payload, frozen=True):
    """Times are of the server's clock; a field that is not needed yet is missing."""

    epoch: Annotated[str, about("names this bucket: another one began anew")] | UnsetType = UNSET
    run: Annotated[str, about("run id of the Redis it is from")] | UnsetType = UNSET
    empty_us: Annotated[Us, about("when its slots are used up to")] | UnsetType = UNSET
    last_us: Annotated[Us, about("the newest slot")] | UnsetType = UNSET
    cooldown_us: Annotated[Us, about("nobody calls before, 0 for none")] | UnsetType = UNSET
    cooldown_len_us: Annotated[Us, about("how long that was meant to be")] | UnsetType = UNSET
    cooldown_reason: Annotated[str, about("why")] | UnsetType = UNSET
    window_us: Annotated[Us, about("begin of the vendor's minute")] | UnsetType = UNSET
    granted: Annotated[Whole, about("calls granted")] | UnsetType = UNSET
    waited: Annotated[Whole, about("of those, after a wait")] | UnsetType = UNSET
    waited_us: Annotated[Us, about("sum of these waits")] | UnsetType = UNSET
    refused: Annotated[Whole, about("calls refused: no slot soon enough")] | UnsetType = UNSET


_BEGUN: Final = msgspec.Meta(pattern=r"^(?:[\[{]|$)")


class Circuit(Payload, frozen=True):
    state: Annotated[Literal["closed", "open", "half_open"], about("state of the circuit")]
    failures: Annotated[Whole, about("failures in a row")]
    trips: Annotated[Whole, about("suspensions in a row")]
    until_ts: Annotated[MsOrZero, about("end of the suspension, 0 for none")]
    opened_ts: Annotated[MsOrZero, about("when the first of them began, 0 for none")]
    reason: Annotated[str, about("the newest failure, on one line")]


class Refusal(Payload, frozen=True):
    code: Annotated[int, about("the gateway's error code")]
    text: Annotated[str, about("its text")]
    ts: Annotated[MsOrZero, about("when it came")]
    retry_ts: Annotated[MsOrZero, about("when it is asked for again")]


class Command(Payload, frozen=True):
    command: Annotated[
        str, about("`resubscribe`, `reconnect` or `clear_fallback`; the worker refuses others")
    ]
    symbol: Annotated[str, about("whose data, where the command is about one")] = ""
    by: Annotated[str, about("who asks")] = ""
    id: Annotated[str | int, about("named in the acknowledgement")] = ""
    ts: Annotated[Ms, about("when it was given; an old one is discarded")] | UnsetType = UNSET


def _field_like(*patterns: str) -> Any:
    """The name of the field, its parts by colons, each like one of the patterns."""

    def rule(item: Item, _: Context) -> Iterator[Flaw]:
        parts = str(item.at).split(":")
        fit = len(parts) == len(patterns) and all(
            _matches(pattern, part) for pattern, part in zip(patterns, parts, strict=True)
        )
        if not fit:
            yield Flaw("", "there", "have a name as the contract says")

    return rule


def _matches(pattern: str, text: str) -> bool:
    try:
        msgspec.convert(text, Annotated[str, msgspec.Meta(pattern=pattern)])
    except msgspec.ValidationError:
        return False
    return True


def _opened(item: Item, _: Context) -> Iterator[Flaw]:
    circuit: Circuit = item.doc
    if circuit.state != "closed" and not circuit.until_ts:
        yield Flaw("until_ts", 0, f"be there: the circuit is {circuit.state}")


def _venues(item: Item, _: Context) -> Iterator[Flaw]:
    if not item.doc or len(set(item.doc)) < len(item.doc):
        yield Flaw("", item.doc, "name at least one venue, each once")


def _source(item: Item, context: Context) -> Iterator[Flaw]:
    if context.limits.source not in (None, item.doc):
        yield Flaw("", item.doc, f"be {context.limits.source}")


def _few(_: Sequence[Item], reading: Reading, __: Context) -> Iterator[Flaw]:
    if reading.size > _COMMANDS_KEPT:
        yield Flaw("length", reading.size, f"be at most {_COMMANDS_KEPT}")


ROWS: Final = (
    Row(
        "source", SECTION, lambda keys: keys.source(), Shape.TEXT,
        Annotated[Source, about("`live`, `sim` or `replay`")], ttls.NEVER, _ANY,
        "Whose data this Redis holds; workers of another source refuse to write.",
        "from the first worker's start until `tickvisor source --reset`",
        (_source,),
    ),
    Row(
        "lease", SECTION, lambda keys: keys.lease("{worker}"), Shape.JSON,
        Lease, ttls.LEASE, _ANY,
        "Which process is the one instance of a worker.",
        "while the worker runs",
    ),
    Row(
        "rate_limit", SECTION, lambda keys: keys.rate_limit("{account}"), Shape.FIELDS,
        Bucket, ttls.BUCKET, ALPHA_VANTAGE,
        "The call budget that all processes on one Alpha Vantage key share; `account` is the start"
        " of the key's SHA-256.",
        "once a call was asked for",
    ),
    Row(
        "breakers", SECTION, lambda keys: keys.breakers("{worker}"), Shape.JSON_MAP,
        Circuit, ttls.NEVER, ALPHA_VANTAGE,
        "Circuits of a worker, field `symbol:type` (`SPY:options`), `*:type` for every symbol;"
        " without a field a circuit is closed.",
        "while something failed lately",
        (_opened, _field_like(rf"^\*$|{NAME_PATTERN}", "^[A-Za-z_]+$")),
    ),
    Row(
        "growing", SECTION, lambda keys: keys.growing("{symbol}", "{document}"), Shape.TEXT,
        Annotated[str, _BEGUN, about("the beginning of a document")], ttls.OPTIONS, ("av_options",),
        "A chain's `calls`, `puts` or `chain` while it is being written; renamed when it is whole.",
        "for some milliseconds, or until it expires when its writer died",
    ),
    Row(
        "depth_live", SECTION, lambda keys: keys.depth_live("{symbol}"), Shape.JSON,
        list[Venue], ttls.OWNER, DEPTH,
        "Sign that depth owns the quote of a symbol: the venues whose book is open and healthy.",
        "while such a venue exists",
        (_venues,),
    ),
    Row(
        "depth_fallback", SECTION, lambda keys: keys.depth_fallback(), Shape.JSON_MAP,
        Refusal, ttls.NEVER, DEPTH,
        "Pairs whose depth the gateway refused, field `symbol:venue`.",
        "while any pair is refused",
        (_field_like(NAME_PATTERN, VENUE_PATTERN),),
    ),
    Row(
        "numbers", SECTION, lambda keys: keys.numbers("{worker}"), Shape.TEXT_MAP,
        Annotated[Seq, about("the newest number given")], ttls.NEVER, TRADES,
        "Newest numbers: field `trades:symbol` the `seq` of its trades, `bars:symbol` the writes"
        " of bars.",
        "once the worker wrote",
        (_field_like("^(trades|bars)$", NAME_PATTERN),),
    ),
    Row(
        "quote_times", SECTION, lambda keys: keys.quote_times(), Shape.TEXT_MAP,
        Annotated[Ms, about("the newest `quote_ts` written")], ttls.NEVER, IBKR,
        "Newest quote times by symbol; outlive a ticker that expired.",
        "once a quote was written",
        (not_ahead, _field_like(NAME_PATTERN)),
    ),
    Row(
        "covered", SECTION, lambda keys: keys.covered("{worker}"), Shape.TEXT_MAP,
        Annotated[MsOrZero, about("up to when its bars are whole or their loss is entered")],
        ttls.NEVER, TRADES,
        "Up to when the bars of a symbol are whole, by symbol.",
        "once the worker had bars",
        (not_ahead, _field_like(NAME_PATTERN)),
    ),
    Row(
        "control", SECTION, lambda keys: keys.control("{worker}"), Shape.LIST,
        Command, ttls.FREE, ("operators", "watchdog"),
        "Commands to a worker, oldest first; what it did with them stands among the incidents.",
        "until the worker takes them",
        (), (_few,),
    ),
)  # fmt: skip
