"""One run: the product up, faults one after the other, then everything checked."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis

from tests.oracle import quiet
from tests.oracle.draw import Draw
from tests.oracle.evidence import Findings, Window
from tests.oracle.faults import Fault
from tests.oracle.plan import PAIRS, SYMBOLS, World
from tests.oracle.reader import KeyReader
from tests.oracle.resources import ResourceLog, Slope, check_resources, slope_of
from tests.oracle.rig import AWAY, Rig, now_ms
from tests.oracle.schedule import Step, steps
from tests.oracle.sent import SentLog
from tests.oracle.surfaces import SURFACES, newest_ms, oldest_ms, slots_live
from tests.oracle.verdict import Case, Watched, collect, judge

__all__ = ["EVIDENCE", "Campaign", "Outcome", "Plan"]

# What a run leaves in its directory, to be judged again.
EVIDENCE: Final = "evidence.pickle"
SECRET: Final = "ORACLE7KEY3NEVER9SHOWN"
_FRESH_S: Final = 15.0
_TURNS_S: Final = 60.0
_QUIET_EVERY: Final = 6
_DRAIN_S: Final = 10.0
_HELD_MS: Final = 5_000
_KEEPS_LATE: Final = ("ibkr_depth", "redis", "slow bytes")


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    # How long faults go on; start and end take about a minute more.
    seconds: float
    # These and then nothing, where somebody asks for a few by name.
    only: tuple[Step, ...] | None = None
    # Seconds that a pair keeps its depth slot.
    turn_s: float = 4.0
    stream_maxlen: int = 400_000


@dataclass(slots=True)
class Outcome:
    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    # target -> seconds each
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0
    # program -> how its memory grew, where it lived long enough to tell
    slopes: dict[str, Slope] = field(default_factory=dict)


class Campaign:
    def __init__(
        self,
        home: Path,
        plan: Plan,
        say: Callable[[str], None],
        prepare: Callable[[Path], None] = lambda root: None,
    ) -> None:
        """`prepare` may change the copy of the product before it is started."""
        world = World(plan.seed, plan.turn_s, stream_maxlen=plan.stream_maxlen)
        self._rig = Rig(home, world, SECRET)
        prepare(self._rig.product.layout.root)
        self._plan = plan
        self._say = say
        self._outcome = Outcome(plan.seed)
        self._held: list[Window] = []

    def run(self) -> Outcome:
        begin_s = time.monotonic()
        self._say("make up")
        try:
            self._rig.up()
            self._watch()
        finally:
            self._say("make down")
            self._rig.down()
        self._outcome.seconds = time.monotonic() - begin_s
        return self._outcome

    @property
    def _findings(self) -> Findings:
        return self._outcome.findings

    def _watch(self) -> None:
        rig = self._rig
        reader, sent = (
            KeyReader(lambda: rig.url, rig.secret),
            SentLog(rig.tws_control_port, SYMBOLS),
        )
        resources = ResourceLog(rig)
        reader.start()
        sent.start()
        resources.start()
        from_ms = now_ms()
        try:
            self._inject()
            self._settle(sent)
            case = self._quiet_end(reader, sent, from_ms)
        finally:
            resources.stop()
            reader.stop()
            sent.stop()
        for name, error in (("journal", sent.error), ("key reader", reader.error)):
            if error:
                raise RuntimeError(f"{name}: {error}")
        (rig.product.layout.root / EVIDENCE).write_bytes(pickle.dumps(case))
        self._findings.add(judge(case))
        self._findings.add(reader.findings)
        self._findings.add(check_resources(resources.lives))
        for (name, _), samples in resources.lives.items():
            slope = slope_of(samples)
            if slope is not None:
                self._outcome.slopes[name] = slope
        self._count_policy(reader)
        for invariant, text in rig.complaints:
            self._findings.violation(invariant, text)

    def _count_policy(self, reader: KeyReader) -> None:
        for name in ("conflated", "stragglers", "dropped", "resent"):
            self._findings.count(f"{name}, by the workers", reader.total(name))

    # Faults

    def _inject(self) -> None:
        until_s = time.monotonic() + self._plan.seconds
        chosen = self._plan.only
        for number, step in enumerate(steps(self._plan.seed) if chosen is None else chosen, 1):
            if chosen is None and time.monotonic() >= until_s:
                return
            left_s = max(0, until_s - time.monotonic())
            self._say(f"{number}: {step.name} ({left_s:.0f} s left)")
            self._play(step)
            if number % _QUIET_EVERY == 0:
                self._quiet_point()
        time.sleep(max(0.0, until_s - time.monotonic()))

    def _play(self, step: Step) -> None:
        time.sleep(step.wait_s)
        from_ms = now_ms()
        begun = [begin for one in step.faults if (begin := self._begin(*one)) is not None]
        # Of a killed worker nothing comes any more: what is newer is its successor's.
        begun_ms, begun_s = now_ms(), time.monotonic()
        for fault, draw, token in sorted(begun, key=lambda one: one[1].hold_s):
            if fault.hold_s[1] and fault.target != "gateway":
                time.sleep(max(0.0, begun_s + draw.hold_s - time.monotonic()))
            fault.end(self._rig, token)
            self._outcome.faults[fault.name] = self._outcome.faults.get(fault.name, 0) + 1
        since_ms = begun_ms if [one[0].target for one in begun] == ["kill"] else now_ms()
        for fault, _, _ in begun:
            # Of two together neither is over before both are.
            self._recover(fault, since_ms, alone=len(begun) == 1)
        if any(word in step.name for word in _KEEPS_LATE) or {"load", "setup"} & {
            fault.group for fault, _ in step.faults
        }:
            self._held.append(Window(from_ms - _HELD_MS, now_ms() + _HELD_MS))

    def _begin(self, fault: Fault, draw: Draw) -> tuple[Fault, Draw, Any] | None:
        """Two together may be one too many: what is down already cannot be hurt."""
        try:
            return fault, draw, fault.begin(self._rig, draw)
        except (redis.RedisError, *AWAY):
            self._findings.count("faults that could not begin")
            return None

    def _recover(self, fault: Fault, since_ms: int, alone: bool) -> None:
        rig = self._rig

        def back(surface: str) -> bool:
            if surface == "slots":
                return slots_live(rig)
            return newest_ms(rig, surface) > since_ms

        missing = [name for name in fault.hits if not self._in_time(fault, since_ms, name, back)]
        took_s = (now_ms() - since_ms) / 1_000
        for surface in missing:
            text = f"{surface}: nothing new {took_s:.1f} s after {fault.name}"
            self._findings.violation("fresh after a fault", text)
        if fault.hits and not missing:
            name = fault.target if alone and fault.target else "other"
            self._outcome.recoveries.setdefault(name, []).append(took_s)

    def _in_time(
        self, fault: Fault, since_ms: int, surface: str, back: Callable[[str], bool]
    ) -> bool:
        left_s = fault.patience_s - (now_ms() - since_ms) / 1_000
        return self._rig.wait(lambda: back(surface), max(0.0, left_s)) is not None

    # Quiet points

    def _quiet_point(self) -> None:
        self._say("quiet point")
        quiet.pause_market(self._rig, True)
        quiet.check_books(self._rig, self._findings)
        quiet.pause_market(self._rig, False)

    def _settle(self, sent: SentLog) -> None:
        """Everything is fed again, and each pair has had a turn, so that its gap is told."""
        rig = self._rig
        self._say("after the last fault: everything fresh")
        since_ms = now_ms()
        for surface in SURFACES:
            if not self._fresh(surface, since_ms):
                text = f"{surface}: nothing new {_FRESH_S:.0f} s after the last fault"
                self._findings.violation("fresh at the end", text)
        self._say("a turn for each symbol, bars from history")
        begun_ms = now_ms()
        rig.wait(lambda: _backfill_pending(rig) == 0, _TURNS_S)
        left_s = _TURNS_S - (now_ms() - begun_ms) / 1_000
        rig.wait(lambda: len(sent.shown_since(begun_ms)) == PAIRS, max(0.0, left_s))

    def _fresh(self, surface: str, since_ms: int) -> bool:
        left_s = max(0.0, _FRESH_S - (now_ms() - since_ms) / 1_000)
        rig = self._rig
        return rig.wait(lambda: oldest_ms(rig, surface) > since_ms, left_s) is not None

    def _quiet_end(self, reader: KeyReader, sent: SentLog, from_ms: int) -> Case:
        rig = self._rig
        self._say("the market stands still, everything is compared")
        quiet.freeze_vendor(rig, True)
        quiet.pause_market(rig, True)
        paused_ms = now_ms()
        quiet.check_books(rig, self._findings)
        quiet.check_chains(rig, self._findings)
        sent.read_once()
        rig.wait(lambda: _trades_drained(rig, sent), _DRAIN_S)
        sent.read_once()
        reader.read_once()
        return collect(Watched(rig, sent, reader, (from_ms, paused_ms), self._held))


def _backfill_pending(rig: Rig) -> int:
    row: Any = rig.client.hget("monitoring:ibkr:metrics", "ibkr_trades")
    return int(json.loads(row)["backfill_pending"]) if row else -1


def _trades_drained(rig: Rig, sent: SentLog) -> bool:
    for symbol in SYMBOLS:
        tape = sent.tape(symbol)
        newest: Any = rig.client.lindex(f"market:{symbol}:trades", 0)
        if tape and (not newest or round(json.loads(newest)["price"] * 1e4) != tape[-1].price_e4):
            return False
    return True
