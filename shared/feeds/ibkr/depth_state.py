"""What the depth feed knows; its parts (requests, checks, errors) share this object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.control.connectivity import Connectivity
from shared.control.coverage import Coverage
from shared.control.integrity import Integrity
from shared.control.rotation import Rotation, RotationPolicy
from shared.control.silence import Silence
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.contracts import ContractBook
from shared.feeds.ibkr.depth_rows import RowCounters, Subscription
from shared.feeds.ibkr.outlet import DepthOutlet
from shared.feeds.ibkr.session import Session
from shared.market.depth import Pair, RotationEvent
from shared.settings import IbkrSettings
from shared.universe import Instrument


@dataclass(frozen=True, slots=True)
class DepthPolicy:
    rotation: RotationPolicy
    depth_rows: int
    stale_s: float
    fallback_retry_s: float
    probe_interval_s: float
    probe_timeout_s: float
    restore_deadline_s: float

    @classmethod
    def from_settings(cls, ibkr: IbkrSettings) -> DepthPolicy:
        rotation = RotationPolicy(
            ibkr.max_concurrent_depth,
            ibkr.rotation_s,
            ibkr.slot_cooldown_s,
            ibkr.error309_cooldown_s,
            ibkr.error309_recovery_cycles,
        )
        return cls(
            rotation,
            ibkr.depth_rows,
            ibkr.depth_stale_s,
            ibkr.fallback_retry_s,
            ibkr.probe_interval_s,
            ibkr.probe_timeout_s,
            ibkr.restore_deadline_s,
        )


@dataclass(slots=True)
class PairMemory:
    """What outlives a single subscription of a pair."""

    integrity: Integrity
    silence: Silence


@dataclass(slots=True)
class DepthState:
    policy: DepthPolicy
    outlet: DepthOutlet
    contracts: ContractBook
    rotation: Rotation
    connectivity: Connectivity
    coverage: Coverage
    counters: RowCounters = field(default_factory=RowCounters)
    session: Session | None = None
    subscriptions: dict[Pair, Subscription] = field(default_factory=dict)
    # Pairs that wait for another chance, with its monotonic time.
    retry_at_s: dict[Pair, float] = field(default_factory=dict)
    # Pairs whose next row ends a gap: (time of the last row before it in ms, reason).
    interrupted: dict[Pair, tuple[int, str]] = field(default_factory=dict)
    # Pairs whose turn ended with a good connection, as far as was known: (monotonic time of the
    # end, time of its last row in ms).
    parked: dict[Pair, tuple[float, int]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    limit_refusals: int = 0
    connections: int = 0
    _memories: dict[Pair, PairMemory] = field(default_factory=dict)

    @classmethod
    def create(
        cls, instruments: Iterable[Instrument], policy: DepthPolicy, outlet: DepthOutlet
    ) -> DepthState:
        return cls(
            policy,
            outlet,
            ContractBook({item.symbol: item for item in instruments}),
            Rotation([], frozenset(), policy.rotation),
            Connectivity(policy.restore_deadline_s),
            Coverage(now_s()),
        )

    def memory(self, pair: Pair) -> PairMemory:
        if pair not in self._memories:
            self._memories[pair] = PairMemory(Integrity(), Silence(self.policy.stale_s))
        return self._memories[pair]

    def live(self) -> list[Subscription]:
        return list(self.subscriptions.values())

    def tell(self, event: str, subscription: Subscription, detail: str = "") -> None:
        """One line of the rotation ledger."""
        self.outlet.rotation(
            RotationEvent(event, subscription.pair, subscription.slot, subscription.req_id, detail)
        )
