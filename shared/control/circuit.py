"""Which symbol's data type is left alone for a while, because asking for it keeps failing.

One circuit per symbol and data type (`SPY:options`): `threshold` failures in a row open it, for
`backoff_s` at first and twice as long after every failed probe. One per data type (`*:options`):
a plan that does not include it refuses every symbol alike, so all of them wait for one probe.

Open until its time has come, then half-open: one request goes out as a probe, and its outcome
closes the circuit or opens it again. Kept by field of a hash, so that a restart neither forgets a
suspension nor grants a failing symbol fresh tries.

Pure: Unix milliseconds come in, because the state outlives the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import replace

Outcome = Literal["ok", "empty", "limited", "failed", "not_entitled"]

EVERY_SYMBOL: Final = "*"
REASON_MAX: Final = 200
# A probe that did not report for so long never will: the next one may go out.
PROBE_PATIENCE_MS: Final = 300_000
_MOST_DOUBLINGS: Final = 32

_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    threshold: int
    backoff_s: float
    backoff_max_s: float
    entitlement_retry_s: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one request ended; `reason` says it to a person."""

    symbol: str
    kind: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """JSON to keep under `field`, "" removes it; `text` is one line to tell, "" is none."""

    field: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """`until_ms` is in the past once a probe is due; `probing` while one is under way."""

    reason: str
    until_ms: int
    entitlement: bool
    probing: bool


class Circuit(msgspec.Struct, frozen=True):
    """As kept under its field; `opened_ts` is when the first of its suspensions began."""

    state: Literal["closed", "open", "half_open"] = "closed"
    failures: _Whole = 0
    trips: _Whole = 0
    until_ts: _Whole = 0
    opened_ts: _Whole = 0
    reason: str = ""

    def opened(self, now_ms: int, for_s: float, reason: str) -> Circuit:
        return replace(
            self,
            state="open",
            trips=self.trips + 1,
            until_ts=now_ms + round(for_s * 1000.0),
            opened_ts=self.opened_ts or now_ms,
            reason=reason,
        )


class Breakers:
    """The circuits of one worker; what is not known here is closed and without a failure."""

    def __init__(self, policy: CircuitPolicy) -> None:
        self._policy = policy
        self._circuits: dict[str, Circuit] = {}
        # Which symbol's request is the probe, and since when.
        self._probes: dict[str, tuple[str, int]] = {}

    def restore(self, fields: Mapping[str, str], now_ms: int) -> list[str]:
        """Go on with what was kept; the fields that were unreadable, and are ignored, come back."""
        self._circuits.clear()
        self._probes.clear()
        unreadable = []
        for field, value in fields.items():
            circuit = _parsed(field, value)
            if circuit is None:
                unreadable.append(field)
            else:
                self._circuits[field] = circuit
                # Its probe died with the process that sent it.
                self._release(field, now_ms)
        return unreadable

    # Before and after a request

    def allows(self, symbol: str, kind: str, now_ms: int) -> bool:
        return all(self._probe_ms(field, now_ms) <= now_ms for field in _fields(symbol, kind))

    def begin(self, symbol: str, kind: str, now_ms: int) -> list[Change]:
        """A request goes out now; it is the probe of what is open and due."""
        changes = []
        for field in _fields(symbol, kind):
            if not self._suspended(field) or self._probe_ms(field, now_ms) > now_ms:
                continue
            self._probes[field] = (symbol, now_ms)
            circuit = self._circuits[field]
            if circuit.state == "open":
                changes.append(self._kept(field, replace(circuit, state="half_open")))
        return changes

    def record(self, attempt: Attempt, now_ms: int) -> list[Change]:
        """What the outcome of a request changes."""
        every, own = _fields(attempt.symbol, attempt.kind)
        match attempt.outcome:
            case "ok" | "empty":
                return self._closed(every) + self._closed(own)
            case "limited":
                return self._returned(every, attempt, now_ms) + self._returned(own, attempt, now_ms)
            case "failed":
                return self._returned(every, attempt, now_ms) + self._failed(own, attempt, now_ms)
            case "not_entitled":
                return self._refused(every, attempt, now_ms) + self._returned(own, attempt, now_ms)

    # What is suspended

    def suspension(self, symbol: str, kind: str, now_ms: int) -> Suspension | None:
        """Why this is not asked for; the data type's own suspension before the symbol's."""
        for field in _fields(symbol, kind):
            if self._suspended(field):
                return Suspension(
                    self._circuits[field].reason,
                    self._until_ms(field, now_ms),
                    _is_type(field),
                    self._probing(field, now_ms),
                )
        return None

    def suspended(self, now_ms: int) -> list[dict[str, Any]]:
        """{symbol, type, reason, until_ts (Unix ms), entitlement} sorted; symbol "*" is every."""
        return [
            {
                "symbol": symbol,
                "type": kind,
                "reason": self._circuits[f"{symbol}:{kind}"].reason,
                "until_ts": self._until_ms(f"{symbol}:{kind}", now_ms),
                "entitlement": symbol == EVERY_SYMBOL,
            }
            for symbol, kind in sorted(self._suspensions())
        ]

    def next_ms(self, now_ms: int) -> int | None:
        """Earliest moment at which something suspended may be probed: `now_ms` if one may now."""
        # A symbol waits for its data type too.
        moments = [
            max(self._probe_ms(field, now_ms) for field in _fields(symbol, kind))
            for symbol, kind in self._suspensions()
        ]
        return max(now_ms, min(moments)) if moments else None

    # Outcomes, one circuit each

    def _closed(self, field: str) -> list[Change]:
        circuit = self._circuits.pop(field, None)
        self._probes.pop(field, None)
        if circuit is None:
            return []
        if circuit.state == "closed":
            return [Change(field, "", "")]
        after = _counted(circuit.trips, "suspension")
        if circuit.failures:
            after = f"{_counted(circuit.failures, 'failure')} and {after}"
        return [Change(field, "", _told(field, f"back after {after}", ""))]

    def _failed(self, field: str, attempt: Attempt, now_ms: int) -> list[Change]:
        circuit = self._circuits.get(field, Circuit())
        circuit = replace(circuit, failures=circuit.failures + 1, reason=_line(attempt.reason))
        self._probes.pop(field, None)
        if circuit.state == "closed" and circuit.failures < self._policy.threshold:
            return [self._kept(field, circuit)]
        longer = 2.0 ** min(circuit.trips, _MOST_DOUBLINGS)
        for_s = min(self._policy.backoff_max_s, self._policy.backoff_s * longer)
        after = f"suspended for {for_s:g} s after {_counted(circuit.failures, 'failure')}"
        text = _told(field, after, circuit.reason)
        return [self._kept(field, circuit.opened(now_ms, for_s, circuit.reason), text)]

    def _refused(self, field: str, attempt: Attempt, now_ms: int) -> list[Change]:
        circuit = self._circuits.get(field, Circuit())
        if circuit.state == "open" and self._until_ms(field, now_ms) > now_ms:
            # Requests that were under way with the first refused one are refused like it.
            return []
        self._probes.pop(field, None)
        for_s = self._policy.entitlement_retry_s
        opened = circuit.opened(now_ms, for_s, _line(attempt.reason))
        text = _told(field, f"not entitled, suspended for {for_s:g} s", opened.reason)
        return [self._kept(field, opened, text)]

    def _returned(self, field: str, attempt: Attempt, now_ms: int) -> list[Change]:
        """A probe that told nothing: the next one may go out at once."""
        probe = self._probes.get(field)
        if probe is None or probe[0] != attempt.symbol:
            return []
        del self._probes[field]
        self._release(field, now_ms)
        return [self._kept(field, self._circuits[field])]

    def _release(self, field: str, now_ms: int) -> None:
        """Half-open to open and due."""
        circuit = self._circuits[field]
        if circuit.state == "half_open":
            until_ms = min(circuit.until_ts, now_ms)
            self._circuits[field] = replace(circuit, state="open", until_ts=until_ms)

    def _kept(self, field: str, circuit: Circuit, text: str = "") -> Change:
        self._circuits[field] = circuit
        return Change(field, msgspec.json.encode(circuit).decode(), text)

    # What is suspended and until when

    def _suspensions(self) -> list[tuple[str, str]]:
        return [_split(field) for field in self._circuits if self._suspended(field)]

    def _suspended(self, field: str) -> bool:
        circuit = self._circuits.get(field)
        return circuit is not None and circuit.state != "closed"

    def _probing(self, field: str, now_ms: int) -> bool:
        probe = self._probes.get(field)
        # Either way: the clock may have stepped back since.
        return probe is not None and abs(now_ms - probe[1]) < PROBE_PATIENCE_MS

    def _probe_ms(self, field: str, now_ms: int) -> int:
        """From when on a request may go out, as far as this circuit goes."""
        if self._probing(field, now_ms):
            return self._probes[field][1] + PROBE_PATIENCE_MS
        return self._until_ms(field, now_ms) if self._suspended(field) else now_ms

    def _until_ms(self, field: str, now_ms: int) -> int:
        policy = self._policy
        longest_s = policy.entitlement_retry_s if _is_type(field) else policy.backoff_max_s
        until_ms = self._circuits[field].until_ts
        # No suspension is that long: the clock stepped back, and nobody knows how long is left.
        return now_ms if until_ms - now_ms > longest_s * 1000.0 else until_ms


def _fields(symbol: str, kind: str) -> tuple[str, str]:
    return f"{EVERY_SYMBOL}:{kind}", f"{symbol}:{kind}"


def _is_type(field: str) -> bool:
    return field.startswith(f"{EVERY_SYMBOL}:")


def _split(field: str) -> tuple[str, str]:
    symbol, _, kind = field.rpartition(":")
    return symbol, kind


def _parsed(field: str, value: str) -> Circuit | None:
    try:
        circuit = msgspec.json.decode(value, type=Circuit)
    except (msgspec.MsgspecError, ValueError):
        return None
    return replace(circuit, reason=_line(circuit.reason)) if all(_split(field)) else None


def _line(reason: str) -> str:
    """On one line, cut, and fit for UTF-8 whatever a vendor sent."""
    return " ".join(reason.split())[:REASON_MAX].encode("utf-8", "replace").decode()


def _told(field: str, what: str, reason: str) -> str:
    name = field.removeprefix(f"{EVERY_SYMBOL}:").replace(":", " ")
    return ": ".join(part for part in (name, what, reason) if part)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
