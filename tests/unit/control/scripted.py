"""A rotation driven by a script: commands as text, so that a scenario reads as a table."""

from __future__ import annotations

from collections.abc import Iterable

from shared.control.rotation import Command, Rotation, RotationPolicy, Subscribe
from shared.market.depth import Pair

# Dwell 15 s, cool-down 1 s, 8 s after a refusal, growth after 4 dwell periods.
POLICY = RotationPolicy()


def pair(name: str) -> Pair:
    return Pair(name, "ARCA")


def rotation(
    names: str, pinned: str = "", policy: RotationPolicy = POLICY, connected: bool = True
) -> Rotation:
    """One pair per letter of `names`."""
    made = Rotation([pair(name) for name in names], frozenset(map(pair, pinned)), policy)
    if connected:
        made.connected()
    return made


def told(commands: Iterable[Command]) -> str:
    """``+A0`` subscribes A in slot 0, ``-A0`` cancels it."""
    return " ".join(
        f"{'+' if isinstance(one, Subscribe) else '-'}{one.pair.symbol}{one.slot}"
        for one in commands
    )


def at(rotating: Rotation, now_s: float) -> str:
    return told(rotating.decide(now_s))


def live(rotating: Rotation) -> str:
    return "".join(sorted(one.symbol for one in rotating.live))


def run(rotating: Rotation, from_s: float, until_s: float, step_s: float = 0.5) -> list[str]:
    """``time commands`` of every decision that commanded something."""
    lines = []
    for n in range(int((until_s - from_s) / step_s) + 1):
        now_s = from_s + n * step_s
        said = at(rotating, now_s)
        if said:
            lines.append(f"{now_s:g} {said}")
    return lines
