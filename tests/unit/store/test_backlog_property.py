"""Random walks of a backlog against a Redis that forgets, refuses, and loses replies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.confirmed import Position
from shared.store.losses import GapEntry
from tests.unit.store.updates import UPDATE_BYTES, update

SYMBOLS = ("SPY", "QQQ")
Number = tuple[str, int]
NUMBERS = st.integers(0, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(SYMBOLS), NUMBERS),
        st.tuples(st.just("flush"), st.just(""), NUMBERS),
        st.tuples(st.just("cut"), st.just(""), NUMBERS),
        st.tuples(st.just("refuse"), st.just(""), NUMBERS),
        st.tuples(st.just("forget"), st.sampled_from(SYMBOLS), NUMBERS),
        st.tuples(st.just("wait"), st.just(""), NUMBERS),
    ),
    max_size=60,
)


@dataclass
class Walk:
    """A backlog of at most ten entries and the Redis behind it: per symbol a rising list."""

    backlog: Backlog[DepthUpdate] = field(
        default_factory=lambda: Backlog("depth", 10, 9 * UPDATE_BYTES)
    )
    streams: dict[str, list[int]] = field(default_factory=lambda: {s: [] for s in SYMBOLS})
    seqs: Counter[str] = field(default_factory=Counter)
    gaps: list[GapEntry] = field(default_factory=list)
    now_s: float = 0.0

    def step(self, name: str, symbol: str, number: int) -> None:
        if name == "put":
            self.put(symbol, number)
        elif name == "forget":
            stream = self.streams[symbol]
            self.streams[symbol] = stream[: max(0, len(stream) - number)]
            self.reconcile()
        elif name == "wait":
            self.now_s += number / 2
        else:
            getattr(self, name)(self.backlog.take(7), number)
        self.now_s += 0.1

    def put(self, symbol: str, number: int) -> None:
        for _ in range(number):
            self.seqs[symbol] += 1
            self.backlog.put(update(self.seqs[symbol], symbol))

    def flush(self, batch: list[DepthUpdate], number: int) -> None:
        self.append(batch)
        self.backlog.confirm(batch, self.now_s)

    def cut(self, batch: list[DepthUpdate], number: int) -> None:
        """Redis carried out some of the flush, the replies are lost."""
        self.append(batch[:number])
        self.backlog.put_back(batch)
        self.reconcile()

    def refuse(self, batch: list[DepthUpdate], number: int) -> None:
        """Redis refuses one item for good."""
        refused = batch[number : number + 1]
        rest = [item for item in batch if item not in refused]
        self.append(rest)
        self.backlog.confirm(rest, self.now_s)
        for item in refused:
            self.backlog.refuse(item, "redis refused: ERR")

    def append(self, batch: list[DepthUpdate]) -> None:
        for item in batch:
            assert item.seq > max(self.streams[item.symbol], default=0), "out of order"
            self.streams[item.symbol].append(item.seq)

    def reconcile(self) -> None:
        newest = {symbol: max(seqs, default=0) for symbol, seqs in self.streams.items()}
        stored = {s: Position(seq, 1000 + seq if seq else 0, seq) for s, seq in newest.items()}
        self.backlog.reconcile(stored, self.now_s)

    def check(self) -> None:
        backlog = self.backlog
        queue = backlog.take(1_000)
        backlog.put_back(queue)
        self.gaps += backlog.losses.drain()
        written = [(s, seq) for s, stream in self.streams.items() for seq in stream]
        lost = [number for gap in self.gaps for number in numbers(gap)]
        places = Counter([*written, *((item.symbol, item.seq) for item in queue), *lost])
        assert places == Counter((s, n + 1) for s in SYMBOLS for n in range(self.seqs[s]))
        assert (backlog.written, backlog.losses.total) == (len(written), len(lost))
        assert backlog.bytes == UPDATE_BYTES * len(queue)


def numbers(gap: GapEntry) -> list[Number]:
    assert gap.from_seq is not None and gap.to_seq is not None
    assert gap.count == gap.to_seq - gap.from_seq + 1
    assert 1000 < gap.from_ts <= gap.to_ts
    return [(gap.symbol, seq) for seq in range(gap.from_seq, gap.to_seq + 1)]


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_every_item_ends_exactly_once_in_redis_in_the_queue_or_in_the_losses(
    steps: list[tuple[str, str, int]],
) -> None:
    walk = Walk()
    for step in steps:
        walk.step(*step)
        walk.check()
