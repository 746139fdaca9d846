"""One run: the product up, faults one after the other, then everything checked."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.oracle import quiet, quiet_vendor
from tests.oracle.evidence import Findings
from tests.oracle.fake_clock import COMPILER
from tests.oracle.injection import Injector
from tests.oracle.lengths import LengthLog, check_tasks
from tests.oracle.plan import PAIRS, SYMBOLS, World
from tests.oracle.reader import KeyReader
from tests.oracle.recovery import PongWatch
from tests.oracle.resources import ResourceLog, check_growth, check_resources, growth_rows
from tests.oracle.rig import Rig, now_ms
from tests.oracle.schedule import Step, steps
from tests.oracle.sent import SentLog
from tests.oracle.surfaces import SURFACES, oldest_ms
from tests.oracle.verdict import Case, Watched, collect, judge

__all__ = ["EVIDENCE", "Campaign", "Outcome", "Plan"]

# What a run leaves in its directory, to be judged again.
EVIDENCE: Final = "evidence.pickle"
SECRET: Final = "ORACLE7KEY3NEVER9SHOWN"
_FRESH_S: Final = 15.0
_TURNS_S: Final = 60.0
_QUIET_EVERY: Final = 6
_DRAIN_S: Final = 10.0
# A document that lasts for less than the reader's round may be replaced unseen.
_SEEN: Final = {"chains": "options:", "news": "sentiment:", "indicators": "technicals:"}
# Rows a second of each pair that has a slot, trades a second of each symbol.
_BUSY: Final[dict[str, Any]] = {"updates_per_s": 200.0, "trades_per_s": 25.0}
# From so long a run on, faults that fill minutes come too.
_LONG_S: Final = 600.0


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
    contracts: int = 40

    @property
    def has(self) -> frozenset[str]:
        """What some faults need. A proxy costs speed, so that only some seeds have one."""
        found = {
            "ten minutes": self.seconds >= _LONG_S,
            "far redis": self.seed % 4 == 1,
            "busy market": self.only is None and self.seed % 4 == 3,
            "fake clock": self.seed % 4 == 2 and COMPILER is not None,
        }
        asked = {fault.needs for step in self.only or () for fault, _ in step.faults}
        return frozenset(name for name, is_there in found.items() if is_there or name in asked)


@dataclass(slots=True)
class Outcome:
    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    # group -> seconds each
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    minutes: float = 0.0
    # With start and end.
    seconds: float = 0.0
    # program -> how it grew, where it lived long enough to tell
    growth: dict[str, dict[str, Any]] = field(default_factory=dict)
    # what Redis keeps -> how long it was
    lengths: dict[str, dict[str, int]] = field(default_factory=dict)


class Campaign:
    def __init__(
        self,
        home: Path,
        plan: Plan,
        say: Callable[[str], None],
        prepare: Callable[[Path], None] = lambda root: None,
    ) -> None:
        """`prepare` may change the copy of the product before it is started."""
        world = World(
            plan.seed,
            plan.turn_s,
            stream_maxlen=plan.stream_maxlen,
            contracts=plan.contracts,
            far_redis="far redis" in plan.has,
            fake_clock="fake clock" in plan.has,
            **(_BUSY if "busy market" in plan.has else {}),
        )
        self._rig = Rig(home, world, SECRET)
        prepare(self._rig.product.layout.root)
        self._plan = plan
        self._say = say
        self._outcome = Outcome(plan.seed, minutes=round(plan.seconds / 60, 2))

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
            KeyReader(lambda: rig.url, rig.secret, clock_is_steady=rig.clock is None),
            SentLog(rig.tws_control_port, SYMBOLS),
        )
        resources, watch = ResourceLog(rig), PongWatch(lambda: rig.url)
        injector = Injector(rig, watch, self._findings)
        lengths = LengthLog(lambda: rig.url)
        watchers = (reader, sent, resources, watch, lengths)
        for watcher in watchers:
            watcher.start()
        from_ms = now_ms()
        try:
            self._inject(injector)
            self._settle(sent)
            case = self._quiet_end(
                Watched(rig, sent, reader, (from_ms, 0), injector.held, injector.disturbances)
            )
        finally:
            for watcher in reversed(watchers):
                watcher.stop()
        self._outcome.faults, self._outcome.recoveries = injector.faults, injector.recoveries
        for name, error in (("journal", sent.error), ("key reader", reader.error)):
            if error:
                raise RuntimeError(f"{name}: {error}")
        (rig.product.layout.root / EVIDENCE).write_bytes(pickle.dumps(case))
        self._findings.add(judge(case))
        self._findings.add(reader.findings)
        self._findings.add(check_resources(resources.lives))
        self._outcome.growth = growth_rows(resources.lives)
        self._outcome.lengths = lengths.rows()
        self._findings.add(check_tasks(lengths.found))
        self._findings.add(check_growth(self._outcome.growth))
        self._count_policy(reader, watch)
        for invariant, text in rig.complaints:
            self._findings.violation(invariant, text)

    def _count_policy(self, reader: KeyReader, watch: PongWatch) -> None:
        for name in ("conflated", "stragglers", "dropped", "resent"):
            self._findings.count(f"{name}, by the workers", reader.total(name))
        self._findings.count("pings answered with LOADING", watch.loading)
        for what, begin in _SEEN.items():
            self._findings.count(f"{what} seen by the reader", reader.seen(begin))

    def _inject(self, injector: Injector) -> None:
        until_s = time.monotonic() + self._plan.seconds
        chosen = self._plan.only
        drawn = steps(self._plan.seed, self._plan.has)
        for number, step in enumerate(drawn if chosen is None else chosen, 1):
            left_s = until_s - time.monotonic()
            if chosen is None and left_s <= 0:
                return
            self._say(f"{number}: {step.name} ({max(0.0, left_s):.0f} s left)")
            injector.play(step)
            if number % _QUIET_EVERY == 0:
                self._quiet_point()
        time.sleep(max(0.0, until_s - time.monotonic()))

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

    def _quiet_end(self, watched: Watched) -> Case:
        rig, sent = watched.rig, watched.sent
        self._say("the market stands still, everything is compared")
        quiet_vendor.freeze_vendor(rig, True)
        quiet.pause_market(rig, True)
        paused_ms = now_ms()
        quiet.check_books(rig, self._findings)
        quiet_vendor.check_vendor_data(rig, self._findings)
        sent.read_once()
        rig.wait(lambda: _trades_drained(rig, sent), _DRAIN_S)
        sent.read_once()
        watched.reader.read_once()
        return collect(replace(watched, span_ms=(watched.span_ms[0], paused_ms)))


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
