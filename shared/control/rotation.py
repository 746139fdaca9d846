"""Which (symbol, venue) pairs hold the few depth slots of an account, and when they swap.

A batch fills the slots, dwells, is cancelled and makes room for the next; pinned pairs stay.
Four rules of the gateway shape it (TWS error codes in brackets):

* the limit counts what the gateway still counts: a cancelled slot cools down before it is used
  again, else a request finds it taken (phantom 309);
* a refused request never existed: it is forgotten, never cancelled (a cancel gives 310);
* a refusal (309) shrinks the batch at once, parsed limit first, and pauses new requests;
* a shrunk batch grows by one after `recovery_cycles` dwell periods without a refusal.

Pure: events come in with the monotonic time in seconds, `decide` answers with commands.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from shared.market.depth import Pair

NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    slots: int = 3
    dwell_s: float = 15.0
    slot_cooldown_s: float = 1.0
    refusal_cooldown_s: float = 8.0
    recovery_cycles: int = 4


@dataclass(frozen=True, slots=True)
class Subscribe:
    pair: Pair
    slot: int


@dataclass(frozen=True, slots=True)
class Cancel:
    pair: Pair
    slot: int


Command = Subscribe | Cancel


@dataclass(slots=True)
class Turn:
    """One occupied slot: requested, perhaps not yet answered with rows."""

    slot: int
    since_s: float


@dataclass(slots=True)
class Rotation:
    pairs: list[Pair]
    pinned: frozenset[Pair]
    policy: RotationPolicy
    slots: int = field(init=False)
    live: dict[Pair, Turn] = field(init=False, default_factory=dict)
    cooling: dict[int, float] = field(init=False, default_factory=dict)
    excluded: set[Pair] = field(init=False, default_factory=set)
    cooldown_until_s: float = field(init=False, default=-NEVER)
    stable_cycles: int = field(init=False, default=0)
    refusals: int = field(init=False, default=0)
    batches: int = field(init=False, default=0)
    _connected: bool = field(init=False, default=False)
    _waiting: deque[Pair] = field(init=False)
    _urgent: deque[Pair] = field(init=False, default_factory=deque)
    _batch_ends_s: float = field(init=False, default=NEVER)

    def __post_init__(self) -> None:
        self.slots = self.policy.slots
        self._waiting = deque(sorted(self.pairs, key=lambda pair: pair not in self.pinned))

    # Events

    def connected(self) -> None:
        self._connected = True

    def disconnected(self) -> None:
        """Every slot is gone with the connection; those who held one come first again."""
        self._connected = False
        self._drop(list(self.live))
        self.cooling.clear()

    def subscriptions_lost(self) -> None:
        """The gateway forgot its subscriptions and says so (1101): nothing to cancel."""
        self._drop(list(self.live))

    def refused(self, pair: Pair, limit: int | None, now_s: float) -> None:
        """Error 309 for a request: `limit` is the number in its text, where it has one."""
        self._drop([pair])
        self.refusals += 1
        self.stable_cycles = 0
        bound = self.slots - 1 if limit is None else min(self.slots - 1, limit)
        self.slots = max(1, bound)
        self.cooldown_until_s = now_s + self.policy.refusal_cooldown_s

    def ended(self, pair: Pair) -> None:
        """The gateway ended this request with an error that leaves the slot free at once."""
        self._drop([pair])

    def exclude(self, pair: Pair) -> None:
        """No depth for this pair (entitlement, no product): skip it until `include`."""
        self.excluded.add(pair)
        self.live.pop(pair, None)

    def include(self, pair: Pair) -> None:
        """Add a pair, or give an excluded one another chance; it queues behind the others."""
        self.excluded.discard(pair)
        if pair not in self.pairs:
            self.pairs.append(pair)
        if pair not in self.live and pair not in self._waiting and pair not in self._urgent:
            self._waiting.append(pair)

    def resubscribe(self, pair: Pair, now_s: float) -> list[Command]:
        """Cancel now; the pair comes back first, as soon as its slot has cooled down."""
        turn = self.live.get(pair)
        if turn is None:
            return []
        command = self._cancel(pair, now_s)
        self._urgent.append(pair)
        return [command]

    def cancelled(self, slot: int, now_s: float) -> None:
        """The cancel has been sent: the slot cools down from now on, not from the decision, which
        a busy machine may have carried out late."""
        self.cooling[slot] = now_s + self.policy.slot_cooldown_s

    def stop(self) -> list[Command]:
        """Cancel everything that is open, for good."""
        self._connected = False
        return [self._cancel(pair, 0.0) for pair in list(self.live)]

    # Decisions

    def decide(self, now_s: float) -> list[Command]:
        if not self._connected:
            return []
        self._release(now_s)
        if now_s < self.cooldown_until_s:
            # Nothing could take the place of what a batch's end would cancel now.
            return []
        commands = self._end_batch(now_s) if now_s >= self._batch_ends_s else []
        return commands + self._fill(now_s)

    def window_s(self) -> float:
        """Longest time between two turns of a pair with the slots as they are now."""
        eligible = [pair for pair in self.pairs if pair not in self.excluded]
        pinned = len(self.pinned.intersection(eligible))
        rotating = len(eligible) - pinned
        slots = max(1, self.slots - pinned)
        per_turn_s = self.policy.dwell_s + self.policy.slot_cooldown_s
        return -(-rotating // slots) * per_turn_s

    def _release(self, now_s: float) -> None:
        self.cooling = {slot: end for slot, end in self.cooling.items() if end > now_s}

    def _end_batch(self, now_s: float) -> list[Command]:
        self._batch_ends_s = now_s + self.policy.dwell_s
        self._grow(now_s)
        leaving = [pair for pair in self.live if pair not in self.pinned]
        overfull = len(self.live) > self.slots
        # Slots that pinned pairs fill alone still count their dwells, else they never grow back.
        if not overfull and not (leaving and self._has_waiting()):
            return []
        if overfull and not leaving:
            leaving = list(self.live)[self.slots :]
        self._batch_ends_s = NEVER
        commands: list[Command] = [self._cancel(pair, now_s) for pair in leaving]
        self._waiting.extend(leaving)
        return commands

    def _grow(self, now_s: float) -> None:
        if self.slots >= self.policy.slots or now_s < self.cooldown_until_s:
            return
        self.stable_cycles += 1
        if self.stable_cycles >= self.policy.recovery_cycles:
            # Tried together with the others: a refusal then leaves books live while it cools down.
            self.cooling[self._free_slot()] = now_s + self.policy.slot_cooldown_s
            self.slots += 1
            self.stable_cycles = 0

    def _fill(self, now_s: float) -> list[Command]:
        commands: list[Command] = []
        started = bool(self.live)
        while len(self.live) + len(self.cooling) < self.slots:
            pair = self._next()
            if pair is None:
                break
            slot = self._free_slot()
            self.live[pair] = Turn(slot, now_s)
            commands.append(Subscribe(pair, slot))
        if commands and (not started or self._batch_ends_s == NEVER):
            self._batch_ends_s = now_s + self.policy.dwell_s
            self.batches += 1
        return commands

    def _next(self) -> Pair | None:
        for queue in (self._urgent, self._waiting):
            for _ in range(len(queue)):
                pair = queue.popleft()
                if pair not in self.excluded and pair not in self.live:
                    return pair
        return None

    def _has_waiting(self) -> bool:
        queued = (*self._urgent, *self._waiting)
        return any(pair not in self.excluded and pair not in self.live for pair in queued)

    def _free_slot(self) -> int:
        taken = {turn.slot for turn in self.live.values()} | set(self.cooling)
        return next(slot for slot in range(self.policy.slots + len(taken)) if slot not in taken)

    def _cancel(self, pair: Pair, now_s: float) -> Cancel:
        turn = self.live.pop(pair)
        self.cooling[turn.slot] = now_s + self.policy.slot_cooldown_s
        return Cancel(pair, turn.slot)

    def _drop(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            if self.live.pop(pair, None) is not None:
                self._urgent.append(pair)
        if not self.live:
            self._batch_ends_s = NEVER
