"""What the trades feed knows; its parts (rows, requests, errors, bars) share this object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.control.backfill import Backfill, BackfillPolicy
from shared.control.bar_plan import BarPlan
from shared.control.connectivity import Connectivity
from shared.control.mute import Mute
from shared.control.silence import Silence
from shared.control.trade_feed import Splice, StreamPlan, StreamPolicy
from shared.feeds.ibkr.contracts import ContractBook
from shared.feeds.ibkr.session import Session
from shared.feeds.ibkr.tick_outlet import TickOutlet
from shared.market.quote import Quote
from shared.settings import IbkrSettings
from shared.universe import Instrument

# A cancelled line may be counted for a while: a request would meet a phantom 101.
LINE_COOLDOWN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class TickPolicy:
    streams: StreamPolicy
    line_retry_s: float
    line_stale_s: float
    allow_delayed: bool
    candle_grace_s: float
    backfill: BackfillPolicy
    backfill_trades: bool
    refused_retry_s: float
    probe_interval_s: float
    probe_timeout_s: float
    restore_deadline_s: float

    @classmethod
    def from_settings(cls, ibkr: IbkrSettings) -> TickPolicy:
        return cls(
            StreamPolicy(ibkr.tick_streams, 1.0, ibkr.tick_symbol_wait_s, ibkr.tick_retry_s),
            ibkr.line_retry_s,
            ibkr.line_stale_s,
            ibkr.allow_delayed,
            ibkr.candle_grace_s,
            BackfillPolicy(reach_s=ibkr.backfill_reach_s),
            ibkr.backfill_trades,
            ibkr.fallback_retry_s,
            ibkr.probe_interval_s,
            ibkr.probe_timeout_s,
            ibkr.restore_deadline_s,
        )


@dataclass(slots=True, eq=False)
class SymbolFeed:
    """One symbol: what its line shows, its prints' sequence, and its open requests."""

    symbol: str
    silence: Silence
    quote: Quote = field(default_factory=Quote)
    splice: Splice = field(default_factory=Splice)
    # Day's volume that was published last.
    volume: float | None = None
    # Open requests of the present connection, 0 for none.
    line_id: int = 0
    stream_id: int = 0
    bars_id: int = 0
    heard_s: float = 0.0
    heard_ms: int = 0
    # When the newest bar came, or bars were asked for.
    bar_heard_ms: int = 0
    mute: Mute = field(default_factory=Mute)
    # Its prints may have been lost since (Unix ms, reason), until its line speaks again.
    interrupted: tuple[int, str] | None = None
    # Prints and bars that could not be read: how many, and when the first came.
    unreadable: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class TickCounters:
    messages: int = 0
    trades: int = 0
    bars: int = 0
    stragglers: int = 0
    bad_ticks: int = 0
    halts: int = 0
    bars_requested: int = 0
    bars_filled: int = 0
    late_bars: int = 0
    trades_filled: int = 0
    line_refusals: int = 0


@dataclass(slots=True)
class TickState:
    policy: TickPolicy
    outlet: TickOutlet
    contracts: ContractBook
    symbols: dict[str, SymbolFeed]
    lines: StreamPlan
    streams: StreamPlan
    bars: BarPlan
    backfill: Backfill
    connectivity: Connectivity
    counters: TickCounters = field(default_factory=TickCounters)
    session: Session | None = None
    connections: int = 0
    # When a part of a symbol that was refused is asked for again: "line", "stream" or "bars".
    retry_at_s: dict[tuple[str, str], float] = field(default_factory=dict)
    # Symbols without bars for lack of permission.
    no_bars: set[str] = field(default_factory=set)

    @classmethod
    def create(
        cls, instruments: Iterable[Instrument], policy: TickPolicy, outlet: TickOutlet
    ) -> TickState:
        """`instruments` most important first."""
        by_symbol = {item.symbol: item for item in instruments}
        names = list(by_symbol)
        lines = StreamPolicy(len(names), LINE_COOLDOWN_S, 0.0, policy.line_retry_s)
        return cls(
            policy,
            outlet,
            ContractBook(by_symbol),
            {name: SymbolFeed(name, Silence(policy.line_stale_s)) for name in names},
            StreamPlan(names, lines),
            StreamPlan(names, policy.streams),
            BarPlan(),
            Backfill(policy.backfill),
            Connectivity(policy.restore_deadline_s),
        )

    def wanted_bars(self) -> list[str]:
        """Bars of the symbols whose line is open, in order of importance."""
        live = set(self.lines.live)
        return [name for name in self.symbols if name in live and name not in self.no_bars]
