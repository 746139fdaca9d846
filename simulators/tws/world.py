from __future__ import annotations

from dataclasses import dataclass, field

from .contracts import Directory
from .counters import Counters
from .depth import DepthDesk
from .feed import Feed
from .market import Market
from .options import Options
from .replay import Replay

__all__ = ["Moment", "World"]


@dataclass(frozen=True, slots=True)
class Moment:
    # Monotonic seconds since the simulator started.
    mono_s: float
    # Unix seconds.
    wall_s: float


@dataclass(slots=True)
class World:
    """The pure state of the gateway, shared by all client sessions."""

    options: Options
    directory: Directory
    desk: DepthDesk
    market: Market
    feed: Feed
    counters: Counters = field(default_factory=Counters)
    accounts: tuple[str, ...] = ("DU9000001",)
    # client id -> connection number that uses it
    roster: dict[int, int] = field(default_factory=dict)
    # Client ids that an unreleased old socket still holds.
    held_client_ids: set[int] = field(default_factory=set)

    @classmethod
    def create(cls, options: Options, seed: int, replays: dict[str, Replay]) -> World:
        directory = Directory(seed)
        desk = DepthDesk(options, directory)
        market = Market(seed, replays)
        return cls(options, directory, desk, market, Feed(options, desk, market))
