from __future__ import annotations

from dataclasses import dataclass, field

from .contracts import Directory
from .counters import Counters
from .data_service import DataService
from .depth import DepthDesk
from .feed import Feed
from .floor import Floor
from .market import Market
from .options import Options
from .replay import Replay
from .replay_trades import TradeReplay
from .streams import StreamDesk
from .tick_feed import TickFeed

__all__ = ["Moment", "World"]


@dataclass(frozen=True, slots=True)
class Moment:
    # Monotonic seconds since the simulator started.
    mono_s: float
    # Unix seconds.
    wall_s: float

    @property
    def wall_ms(self) -> int:
        return int(self.wall_s * 1000)


@dataclass(slots=True)
class World:
    """The pure state of the gateway, shared by all client sessions."""

    options: Options
    directory: Directory
    desk: DepthDesk
    market: Market
    feed: Feed
    streams: StreamDesk
    floor: Floor
    ticks: TickFeed
    service: DataService
    counters: Counters = field(default_factory=Counters)
    accounts: tuple[str, ...] = ("DU9000001",)
    # client id -> connection number that uses it
    roster: dict[int, int] = field(default_factory=dict)
    # Client ids that an unreleased old socket still holds.
    held_client_ids: set[int] = field(default_factory=set)

    @classmethod
    def create(
        cls,
        options: Options,
        seed: int,
        replays: dict[str, Replay],
        trade_replays: dict[str, TradeReplay] | None = None,
    ) -> World:
        directory = Directory(seed)
        desk = DepthDesk(options, directory)
        market = Market(seed, replays)
        feed = Feed(options, desk, market)
        streams = StreamDesk(options, directory, desk)
        floor = Floor(options, seed, market, feed, trade_replays or {})
        ticks = TickFeed(streams, floor, feed)
        service = DataService(options, floor, streams, ticks)
        return cls(options, directory, desk, market, feed, streams, floor, ticks, service)
