"""Heartbeats, metrics, ledgers and what the watchdog says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from shared.schema import ttls
from shared.schema.depth import DEPTH
from shared.schema.market import TRADES
from shared.schema.monitoring_payloads import (
    Coverage,
    Figures,
    Gap,
    Heartbeat,
    Incident,
    Rotation,
    Session,
    Stale,
)
from shared.schema.news import NEWS
from shared.schema.options import OPTIONS
from shared.schema.row import Context, Flaw, Item, Reading, Row, Shape
from shared.schema.times import ahead
from shared.schema.values import Ms, about

SECTION: Final = "Monitoring"
WATCHDOG: Final = ("watchdog",)
IBKR: Final = (*DEPTH, *TRADES)
ALPHA_VANTAGE: Final = (*OPTIONS, *NEWS)
LEDGER_MAXLEN: Final = 10_000
_TRIM_SLACK: Final = 1_000
_CLOCKS_MS: Final = 2_000
_CHECKED: Final = "_checked_ts"


def own_heartbeat(item: Item, context: Context) -> Iterator[Flaw]:
    beat: Heartbeat = item.doc
    if beat.state == "stopped":
        return
    most_ms = context.limits.heartbeat_s * 1000
    if context.ttl_ms > most_ms:
        yield Flaw("ttl", f"{context.ttl_ms} ms", f"be at most {most_ms} ms: it is not stopped")
    yield from _renewed("ts", beat.ts, most_ms + _CLOCKS_MS, context)


def _family_beat(item: Item, context: Context) -> Iterator[Flaw]:
    beat: Heartbeat = item.doc
    if beat.worker != item.at:
        yield Flaw("worker", beat.worker, f"be {item.at}, as the field")
    limits = context.limits
    # What is too old goes when another worker of the family writes.
    most_ms = (limits.heartbeat_s + limits.heartbeat_interval_s) * 1000 + _CLOCKS_MS
    yield from _renewed("ts", beat.ts, most_ms, context)


def _figures(item: Item, context: Context) -> Iterator[Flaw]:
    limits = context.limits
    most_ms = (limits.monitoring_s + limits.metrics_interval_s) * 1000 + _CLOCKS_MS
    yield from _renewed("ts", item.doc.ts, most_ms, context)


def _renewed(field: str, ts: int, most_ms: float, context: Context) -> Iterator[Flaw]:
    age_ms = context.now_ms - ts
    if age_ms > most_ms:
        yield Flaw(field, f"{age_ms / 1000:g} s ago", f"be renewed every {most_ms / 1000:g} s")


def _fields_among(workers: tuple[str, ...]) -> Any:
    def rule(item: Item, _: Context) -> Iterator[Flaw]:
        if item.at not in workers:
            yield Flaw("", "there", f"be one of {', '.join(workers)}")

    return rule


def _gap_numbers(item: Item, _: Context) -> Iterator[Flaw]:
    gap: Gap = item.doc
    first, last = gap.from_seq, gap.to_seq
    if isinstance(first, str) or isinstance(last, str):
        if first != last:
            name = "from_seq" if isinstance(first, str) else "to_seq"
            yield Flaw(name, "empty", "be there with the other")
        return
    if last < first:
        yield Flaw("to_seq", last, f"be at least from_seq, {first}")
    elif gap.count != last - first + 1:
        yield Flaw("count", gap.count or "empty", f"be {last - first + 1}, as the numbers say")


def _trimmed(_: Sequence[Item], reading: Reading, __: Context) -> Iterator[Flaw]:
    if reading.size > LEDGER_MAXLEN * 1.1 + _TRIM_SLACK:
        yield Flaw("length", reading.size, f"be about {LEDGER_MAXLEN} at most")


def _stale(item: Item, context: Context) -> Iterator[Flaw]:
    if item.at == _CHECKED:
        if isinstance(item.doc, Stale):
            yield Flaw("", "an object", "be the time of the newest look")
        else:
            yield from ahead("", item.doc, context)
        return
    surface, _colon, subject = str(item.at).partition(":")
    if not isinstance(item.doc, Stale):
        yield Flaw("", item.doc, "be an object")
    elif not surface or not subject:
        yield Flaw("", "there", "be named surface:symbol")


def _checked(items: Sequence[Item], _: Reading, __: Context) -> Iterator[Flaw]:
    if _CHECKED not in [item.at for item in items]:
        yield Flaw(_CHECKED, "absent", "be there: nothing stale and no watchdog look different")


def _share(item: Item, _: Context) -> Iterator[Flaw]:
    row: Coverage = item.doc
    wanted = min(1.0, row.live_s / row.session_s) if row.session_s else row.share
    if abs(row.share - wanted) > 0.01:
        yield Flaw("share", row.share, f"be live_s / session_s, {wanted:.4f}")


FAMILY_HEARTBEATS: Final = tuple(
    Row(
        f"{family}_heartbeats", SECTION,
        lambda keys, family=family: keys.family_heartbeat(family),  # type: ignore[misc]
        Shape.JSON_MAP, Heartbeat, ttls.HEARTBEAT, workers,
        f"The heartbeats of {' and '.join(workers)}, one field each; a field that is not renewed"
        " within the TTL goes.",
        "while any of them runs, and until it expires",
        (_family_beat, _fields_among(workers)),
    )
    for family, workers in (("ibkr_ingestion", IBKR), ("alpha_vantage", ALPHA_VANTAGE))
)  # fmt: skip
METRICS: Final = tuple(
    Row(
        f"{family}_metrics", SECTION,
        lambda keys, family=family: keys.metrics(family),  # type: ignore[misc]
        Shape.JSON_MAP, Figures, ttls.MONITORING, workers,
        "Counters since the start and gauges of now, one field per worker"
        + (", and `token_bucket`." if bucket else "."),
        f"every 10 s (`metrics_interval_s`) while {' or '.join(workers)} runs",
        (_figures, _fields_among((*workers, *bucket))), lenient=True,
    )
    for family, workers, bucket in (
        ("ibkr", IBKR, ()),
        ("alpha_vantage", ALPHA_VANTAGE, ("token_bucket",)),
        ("watchdog", WATCHDOG, ()),
    )
)  # fmt: skip
ROWS: Final = (
    *FAMILY_HEARTBEATS,
    Row(
        "heartbeat", SECTION, lambda keys: keys.heartbeat("{worker}"), Shape.JSON,
        Heartbeat, ttls.OWN_HEARTBEAT, ("every worker",),
        "That a worker lives and how it is, every 2 s and at every change.",
        "while the worker runs, and a day after a clean stop",
        (own_heartbeat,),
    ),
    Row(
        "ibkr_connected", SECTION, lambda keys: keys.ibkr_connected(), Shape.TEXT,
        Annotated[Literal["0", "1"], about("`1`: all are logged in")],
        ttls.HEARTBEAT, IBKR,
        "`1` when every enabled worker of the gateway is fresh and logged in, else `0`.",
        "while any of them writes, and until it expires",
    ),
    *METRICS,
    Row(
        "gaps", SECTION, lambda keys: keys.gaps(), Shape.STREAM,
        Gap, ttls.NEVER, IBKR,
        "Every loss and every outage window, one entry each; unknown numbers are empty. Trimmed"
        f" with `MAXLEN ~ {LEDGER_MAXLEN}`.",
        "once something was lost",
        (_gap_numbers,), (_trimmed,),
    ),
    Row(
        "coverage", SECTION, lambda keys: keys.coverage(), Shape.JSON_MAP,
        Coverage, ttls.MONITORING, DEPTH,
        "How much of the time each symbol's book was live, one field per symbol.",
        "every 10 s (`metrics_interval_s`) while the worker runs and had depth",
        (_share,),
    ),
    Row(
        "rotation", SECTION, lambda keys: keys.rotation(), Shape.STREAM,
        Rotation, ttls.NEVER, DEPTH,
        f"What became of the depth slots. Trimmed with `MAXLEN ~ {LEDGER_MAXLEN}`.",
        "once depth was asked for",
        (), (_trimmed,),
    ),
    Row(
        "incidents", SECTION, lambda keys: keys.incidents(), Shape.STREAM,
        Incident, ttls.NEVER, ("every worker",),
        "Connects, disconnects, refusals, breaker trips, resubscribes, halts. Trimmed with"
        f" `MAXLEN ~ {LEDGER_MAXLEN}`.",
        "once something happened",
        (), (_trimmed,),
    ),
    Row(
        "stale", SECTION, lambda keys: keys.stale(), Shape.JSON_MAP,
        Stale | Annotated[Ms, about("field `_checked_ts`: when the watchdog looked last")],
        ttls.MONITORING, WATCHDOG,
        "What is too old, field `surface:symbol` (`depth:SPY`), gone as soon as it is fresh again;"
        " field `_checked_ts` is always there.",
        "while the watchdog runs",
        (_stale,), (_checked,),
    ),
    Row(
        "market_session", SECTION, lambda keys: keys.market_session(), Shape.FIELDS,
        Session, ttls.MONITORING, WATCHDOG,
        "The session of the market.",
        "while the watchdog runs"
    ),
)  # fmt: skip
