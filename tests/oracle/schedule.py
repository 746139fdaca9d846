"""One integer decides the order of faults, what comes together, how long each lasts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.oracle.faults import Draw, Fault
from tests.oracle.faults_clock import CLOCK
from tests.oracle.faults_far import GATEWAY, VENDOR
from tests.oracle.faults_local import LOAD, REDIS, WORKER_FAULTS
from tests.oracle.faults_setup import SETUP
from tests.oracle.plan import SYMBOLS

__all__ = ["FAULTS", "Step", "planned", "steps"]

_ALL: Final = (*WORKER_FAULTS, *REDIS, *GATEWAY, *VENDOR, *LOAD, *SETUP, *CLOCK)
FAULTS: Final = {fault.name: fault for fault in _ALL}
# Groups in the order of their shares; the vendor has most kinds and the fewest rules.
_SHARES: Final = {"workers": 30, "redis": 17, "gateway": 30, "vendor": 15, "load": 8, "setup": 4}
# Where the clock can be stepped; by itself, so that whoever ends then ended by it.
_CLOCK_SHARE: Final = 8
_TOGETHER: Final = 0.25
_WAIT_S: Final = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Step:
    """Faults that begin together after a pause."""

    wait_s: float
    faults: tuple[tuple[Fault, Draw], ...]

    @property
    def name(self) -> str:
        return " + ".join(fault.name for fault, _ in self.faults)


def steps(seed: int, has: frozenset[str] = frozenset()) -> Iterator[Step]:
    """Without end; each kind of a group comes once before any comes again. `has`: what this run
    has that some faults need."""
    random = Random(seed)
    shares = _SHARES | ({"clock": _CLOCK_SHARE} if "fake clock" in has else {})
    decks: dict[str, list[Fault]] = {group: [] for group in shares}
    while True:
        groups = [_group(random, shares)]
        if random.random() < _TOGETHER:
            other = _group(random, shares)
            groups += [other] if other != groups[0] and "clock" not in (other, groups[0]) else []
        drawn = [_next(random, decks, group, has) for group in groups]
        faults = tuple((fault, _draw(random, fault)) for fault in drawn)
        yield Step(round(random.uniform(*_WAIT_S), 2), faults)


def planned(seed: int, names: Sequence[str]) -> tuple[Step, ...]:
    """Faults chosen by name, one after the other; the seed draws the rest."""
    random = Random(seed)
    found = [FAULTS[name] for name in names]
    return tuple(Step(1.0, ((fault, _draw(random, fault)),)) for fault in found)


def _group(random: Random, shares: Mapping[str, int]) -> str:
    return random.choices(list(shares), weights=list(shares.values()))[0]


def _next(random: Random, decks: dict[str, list[Fault]], group: str, has: frozenset[str]) -> Fault:
    if not decks[group]:
        of_group = [fault for fault in FAULTS.values() if fault.group == group]
        decks[group] = [fault for fault in of_group if not fault.needs or fault.needs in has]
        random.shuffle(decks[group])
    return decks[group].pop()


def _draw(random: Random, fault: Fault) -> Draw:
    hold_s = round(random.uniform(*fault.hold_s), 2)
    return Draw(hold_s, random.choice(SYMBOLS), random.randrange(1_000_000))
