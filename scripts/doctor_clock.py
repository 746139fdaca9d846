"""This machine's clock against those of others, and against its own steady one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scripts.doctor_finding import Finding, ok, warn

# Quotes of others carry their time: beyond this they look stale, or from the future.
_MAX_SKEW_S: Final = 2.0
_MAX_STEP_S: Final = 0.5
_SYNCHRONISE: Final = "switch on time synchronisation (chrony, systemd-timesyncd)"


@dataclass(frozen=True, slots=True)
class Moment:
    """The wall clock and the steady one, read together."""

    wall_s: float
    steady_s: float


def judge(ahead_s: Mapping[str, float | None], began: Moment, ended: Moment) -> list[Finding]:
    """`ahead_s`: how far the clocks of others are ahead of ours, None where one was not read."""
    return [_skew(ahead_s), _steady(began, ended)]


def _skew(ahead_s: Mapping[str, float | None]) -> Finding:
    known = {name: skew_s for name, skew_s in ahead_s.items() if skew_s is not None}
    if not known:
        return ok("clock", "there was no other clock to compare with")
    text = ", ".join(f"{name} {round(skew_s, 1) + 0.0:+.1f} s" for name, skew_s in known.items())
    far = [name for name, skew_s in known.items() if abs(skew_s) > _MAX_SKEW_S]
    if not far:
        return ok("clock", f"against ours {text}")
    whose = "here" if len(far) == len(known) else f"at {' and '.join(far)}"
    return warn("clock", f"against ours {text}", f"{_SYNCHRONISE} {whose}")


def _steady(began: Moment, ended: Moment) -> Finding:
    step_s = (ended.wall_s - began.wall_s) - (ended.steady_s - began.steady_s)
    if ended.steady_s < began.steady_s:
        text = "the monotonic clock ran backwards"
        return warn("clock-steady", text, "do not trust this machine's timers; look at its kernel")
    if abs(step_s) > _MAX_STEP_S:
        text = f"the clock was set by {step_s:+.1f} s while this ran"
        return warn("clock-steady", text, f"{_SYNCHRONISE}: it slews and does not jump")
    return ok("clock-steady", "wall and monotonic clock keep pace")
