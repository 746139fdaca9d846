from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from .contracts import Directory, Listing, venue_accepted
from .data_texts import data_text
from .depth import DepthDesk, Refusal
from .options import Options
from .pacing import HISTORY_WINDOW_S, Pace
from .request_fields import ContractFields
from .security import Security

__all__ = ["KINDS", "Client", "Stream", "StreamDesk", "View"]

KINDS: Final = ("lines", "ticks", "bars", "history")
_RECORDS_MAX: Final = 5_000
_NEW_BARS_MAX: Final = 60
_DUPLICATE: Final = "Error processing request.-'bW' : cause - Duplicate ticker id"
_BAR_PACING: Final = (
    "Invalid Real-time Query:Historical data request pacing violation (60 new requests in 10 "
    "minutes)"
)


class View(Protocol):
    """What a stream shows of a security, and how far it has shown it."""

    def poll(self, now_s: float) -> list[bytes]: ...

    def skip(self) -> None:
        """Passes over what there is: it was silent then and will not be sent later."""

    def record(self) -> dict[str, Any]: ...


class Client(NamedTuple):
    connection: int
    client_id: int
    # As reqMarketDataType set it: 1 live, 2 frozen, 3 delayed, 4 delayed frozen.
    data_type: int = 1


@dataclass(slots=True, eq=False)
class Stream:
    client: Client
    kind: str
    req_id: int
    security: Security
    view: View
    opened_s: float
    # live, late (cancelled, ticks still flow), ended
    state: str = "live"
    muted: bool = False
    messages: int = 0
    ended_s: float | None = None
    # cancelled, disconnected, dropped (1101), or the code that ended it
    end: str | None = None
    late_until_s: float = 0.0

    @property
    def key(self) -> tuple[int, str, int]:
        return self.client.connection, self.kind, self.req_id

    def record(self) -> dict[str, Any]:
        return {
            "client_id": self.client.client_id,
            "connection": self.client.connection,
            "kind": self.kind,
            "req_id": self.req_id,
            "symbol": self.security.symbol,
            "state": self.state,
            "muted": self.muted,
            "messages": self.messages,
            "opened_s": round(self.opened_s, 4),
            "ended_s": None if self.ended_s is None else round(self.ended_s, 4),
            "end": self.end,
            **self.view.record(),
        }


@dataclass(slots=True)
class StreamCounts:
    events: Counter[str] = field(default_factory=Counter)
    lines_max: int = 0
    ticks_max: int = 0
    records: deque[Stream] = field(default_factory=lambda: deque(maxlen=_RECORDS_MAX))


class StreamDesk:
    """Lines, tick-by-tick streams, bars and updated history of all clients: who may have what.
    No I/O, no clock."""

    def __init__(self, options: Options, directory: Directory, depth: DepthDesk) -> None:
        self._options = options
        self._directory = directory
        self._depth = depth
        self._streams: dict[tuple[int, str, int], Stream] = {}
        # How each reqId ended; cleared when its connection ends.
        self._retired: dict[tuple[int, str, int], str] = {}
        # (kind, symbol) -> code; the symbol * stands for any.
        self.entitlements: dict[tuple[str, str], int] = {}
        # Symbols another session of this user has the data of; * stands for all.
        self.competing: set[str] = set()
        self._new_bars = Pace(_NEW_BARS_MAX, HISTORY_WINDOW_S)
        # symbol -> when tick-by-tick data was last asked for.
        self._ticks_asked_s: dict[str, float] = {}
        self.counts = StreamCounts()

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def __len__(self) -> int:
        return len(self._streams)

    def of(self, symbol: str, kind: str = "*") -> list[Stream]:
        """Open streams; * stands for any."""
        return [
            s
            for s in self._streams.values()
            if s.state == "live" and symbol in ("*", s.security.symbol) and kind in ("*", s.kind)
        ]

    def admit(
        self, client: Client, kind: str, request: tuple[int, ContractFields], now_s: float
    ) -> Refusal | Listing:
        """The contract of a request, or why it is refused."""
        req_id, contract = request
        listing = self._find(contract)
        held = self._streams.get((client.connection, kind, req_id))
        if held and held.state == "live":
            self.counts.events["reused_live_id"] += 1
            outcome: Refusal | Listing = (
                Refusal(102, data_text(102, held.security.listing))
                if kind == "lines"
                else Refusal(322, _DUPLICATE)
            )
        elif listing is None:
            outcome = Refusal(200, "No security definition has been found for the request")
        else:
            code = self.refusal_code(kind, listing.symbol, client)
            outcome = Refusal(code, data_text(code, listing)) if code else listing
            outcome = outcome if code else self._over_cap(kind, listing, now_s) or listing
        if isinstance(outcome, Refusal):
            self.counts.events[f"refused_{outcome.code}"] += 1
            if held is None:
                self._retired[(client.connection, kind, req_id)] = "refused"
        return outcome

    def entitlement(self, kind: str, symbol: str) -> int | None:
        return self.entitlements.get((kind, symbol), self.entitlements.get((kind, "*")))

    def refusal_code(self, kind: str, symbol: str, client: Client) -> int | None:
        if kind != "history" and self.competing & {symbol, "*"}:
            return 10197
        code = self.entitlement(kind, symbol)
        delayed_will_do = code in (354, 10089) and client.data_type in (3, 4)
        if kind == "lines" and (code in (10090, 10167) or delayed_will_do):
            return None
        return code

    def open(self, stream: Stream) -> None:
        late = self._streams.get(stream.key)
        if late:
            self._forget(late)
        self.counts.events["reused_retired_id"] += self._retired.pop(stream.key, None) is not None
        self.counts.events[f"opened_{stream.kind}"] += 1
        self._streams[stream.key] = stream
        self.counts.records.append(stream)
        if stream.kind == "bars":
            self._new_bars.count(stream.opened_s)
        if stream.kind == "ticks":
            self._ticks_asked_s[stream.security.symbol] = stream.opened_s
        self.counts.lines_max = max(self.counts.lines_max, self.lines_used())
        self.counts.ticks_max = max(self.counts.ticks_max, len(self.of("*", "ticks")))

    def cancel(self, client: Client, kind: str, req_id: int, now_s: float) -> Refusal | None:
        key = (client.connection, kind, req_id)
        stream = self._streams.get(key)
        if stream is None or stream.state == "late":
            return self._refuse_cancel(key)
        self.counts.events[f"cancelled_{kind}"] += 1
        self._retired[key] = "cancelled"
        stream.end, stream.ended_s = "cancelled", now_s
        if self._options.late_ticks_ms and kind != "history" and not stream.muted:
            stream.state = "late"
            stream.late_until_s = now_s + self._options.late_ticks_ms / 1000
        else:
            self._forget(stream)
        return None

    def drop(self, stream: Stream, end: str, now_s: float) -> None:
        """Ends a stream from the gateway's side."""
        if stream.state != "late":
            self._retired[stream.key] = end
            stream.end, stream.ended_s = end, now_s
        self._forget(stream)

    def disconnect(self, connection: int, now_s: float) -> None:
        for stream in [s for s in self if s.client.connection == connection]:
            self.drop(stream, "disconnected", now_s)
        for key in [key for key in self._retired if key[0] == connection]:
            del self._retired[key]

    def clear(self, now_s: float) -> None:
        for stream in self:
            self.drop(stream, "dropped", now_s)
        self._retired.clear()

    def expire(self, now_s: float) -> None:
        for stream in [s for s in self if s.state == "late" and s.late_until_s <= now_s]:
            self._forget(stream)

    def lines_used(self) -> int:
        """Lines, bars and depth share the account's market data lines (ibkr.md 4)."""
        lines = len(self.of("*", "lines")) + len(self.of("*", "bars"))
        return lines + len(self._depth.open_con_ids())

    def _find(self, contract: ContractFields) -> Listing | None:
        accepted = venue_accepted(contract.exchange, self._options.nasdaq_name)
        return self._directory.find(contract) if accepted else None

    def _over_cap(self, kind: str, listing: Listing, now_s: float) -> Refusal | None:
        options = self._options
        if kind in ("lines", "bars") and self.lines_used() >= options.line_cap:
            return Refusal(101, data_text(101, listing))
        if kind == "bars" and options.bar_pacing == "on" and self._new_bars.full(now_s):
            return Refusal(420, _BAR_PACING)
        if kind != "ticks":
            return None
        if listing.sec_type == "IND":
            return Refusal(10189, data_text(10189, listing))
        if len(self.of("*", "ticks")) >= options.tick_cap:
            return Refusal(10190, data_text(10190, listing))
        asked_s = self._ticks_asked_s.get(listing.symbol)
        if asked_s is not None and now_s - asked_s < options.tick_instrument_s:
            cause = f"one tick-by-tick request per {options.tick_instrument_s:g} s and instrument"
            return Refusal(322, f"Error processing request.-'bW' : cause - {cause}")
        return None

    def _forget(self, stream: Stream) -> None:
        stream.state = "ended"
        del self._streams[stream.key]

    def _refuse_cancel(self, key: tuple[int, str, int]) -> Refusal | None:
        kind, req_id = key[1:]
        reason = self._retired.get(key, "unknown")
        if reason == "10225":
            # The client was told to ask again, and cancels first (ib_async wrapper.py 1694).
            self._retired[key] = "cancelled"
            return None
        name = "double_cancel" if reason == "cancelled" else f"cancel_of_{reason}"
        self.counts.events[name] += 1
        if kind == "history":
            return Refusal(366, f"No historical data query found for ticker id:{req_id}")
        return Refusal(300, f"Can't find EId with tickerId:{req_id}")
