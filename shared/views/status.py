"""How the whole is: one line per process, and in words what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.control.freshness import HEARTBEAT, OWNERS
from shared.settings import READERS
from shared.store.ops_reader import StaleSeen, StatusSeen
from shared.views.programs import ProgramSeen
from shared.views.rates import Rate
from shared.views.stale_words import told
from shared.views.words import age, age_of, milliseconds, number, plain

WATCHDOG: Final = "watchdog"
RUNNING: Final = "RUNNING"
STARTING: Final = "STARTING"
NOBODY_CHECKS: Final = "nobody checks: the watchdog does not run"
_ORDER: Final = (
    "ibkr_depth", "ibkr_trades", "av_options", "av_sentiment", WATCHDOG, *READERS, "guardian",
    "redis",
)  # fmt: skip
# supervisord's words for a file whose name it knows.
_ITS_LOG: Final = " (process log may have details)"


@dataclass(frozen=True, slots=True)
class Expected:
    """What ought to run, and how late a heartbeat and a look of the watchdog may be.

    `left_out` are the workers that the settings leave out.
    """

    workers: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    late_s: float = 6.0
    check_late_s: float = 10.0
    after_hours: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """None for what a process does not have, or what nobody knows.

    `late`: its heartbeat is older than it may be.
    """

    name: str
    state: str
    uptime_s: float | None = None
    restarts: int | None = None
    heartbeat_age_s: float | None = None
    worker_state: str | None = None
    connected: bool | None = None
    rate_per_s: float | None = None
    rate_basis: str | None = None
    lag_ms: float | None = None
    stale: int | None = None
    detail: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """`wrong` makes the exit code; `notes` are good to know. `redis`: whether it could be read."""

    ok: bool
    redis: bool
    source: str
    session: Mapping[str, str]
    now_ms: int
    memory: tuple[int, int] | None
    processes: tuple[Process, ...]
    wrong: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def board(
    seen: StatusSeen | None,
    programs: Sequence[ProgramSeen] | None,
    rates: Mapping[str, Rate],
    expected: Expected,
    faults: Sequence[str] = (),
) -> Board:
    """`seen` is None where Redis could not be read, `programs` where no supervisord answers.

    Either is among the `faults`.
    """
    known = {one.name: one for one in programs or ()}
    wrong = [*faults, *_programs(programs, expected)]
    if seen is not None:
        wrong += _workers(seen, known, expected)
        wrong += _watchdog(seen, known, expected)
        wrong += _stale(seen, expected)
    told = seen or StatusSeen(0, "unknown")
    return Board(
        not wrong,
        seen is not None,
        told.source or "none",
        told.session,
        told.now_ms,
        told.memory,
        tuple(_processes(told, known, rates, expected)),
        tuple(wrong),
        tuple(_notes(told, expected)),
    )


def _processes(
    seen: StatusSeen,
    known: Mapping[str, ProgramSeen],
    rates: Mapping[str, Rate],
    expected: Expected,
) -> Iterator[Process]:
    names = {*known, *expected.workers, *seen.beats}
    for name in sorted(names, key=_rank):
        left_out = name in expected.left_out and name not in seen.beats
        state = "left out" if left_out else "-"
        program = known.get(name, ProgramSeen(name, state))
        if left_out and program.state == "STOPPED":
            program = ProgramSeen(name, "left out")
        yield _process(seen, program, rates.get(name), expected.late_s)


def _rank(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _process(seen: StatusSeen, program: ProgramSeen, rate: Rate | None, late_s: float) -> Process:
    beat, figures = seen.beats.get(program.name), seen.figures.get(program.name, {})
    lag = figures.get("latency_p99_ms", figures.get("fetch_ms_p99"))
    beating = beat is not None and beat.get("state") != "stopped"
    said = plain(beat.get("detail", "")) if beat else ""
    old_s = _beat_age(seen, program.name)
    late = beating and old_s is not None and old_s > late_s
    # What a worker said of its connection holds no longer than its heartbeat.
    connected = beat.get("connected") if beat and not late else None
    return Process(
        program.name,
        program.state,
        program.uptime_s,
        None if program.starts is None else max(0, program.starts - 1),
        old_s,
        plain(beat.get("state", "")) if beat else None,
        connected if isinstance(connected, bool) else None,
        rate.per_s if rate and beating else None,
        rate.basis if rate and beating else None,
        number(lag),
        _stale_of(program.name, seen.stale.rows) if beating else None,
        said or ("" if program.state == RUNNING else plain(program.detail)),
        late,
    )


def _beat_age(seen: StatusSeen, worker: str) -> float | None:
    beat = seen.beats.get(worker)
    return age_of(milliseconds(beat.get("ts")), seen.now_ms) if beat else None


def _stale_of(worker: str, rows: Iterable[str]) -> int:
    found = 0
    for row in rows:
        surface, _, symbol = row.partition(":")
        found += (symbol if surface == HEARTBEAT else OWNERS.get(surface)) == worker
    return found


def _programs(programs: Sequence[ProgramSeen] | None, expected: Expected) -> Iterator[str]:
    if programs is None:
        return
    names = {one.name for one in programs}
    for one in sorted(programs, key=lambda program: _rank(program.name)):
        if one.state == RUNNING or one.name in (*expected.left_out, WATCHDOG):
            continue
        # `make up` does not wait for them.
        if one.state == STARTING and one.name in READERS:
            continue
        why = plain(one.detail).replace(_ITS_LOG, f", see var/log/{one.name}.log")
        yield f"{one.name} is {one.state}" + (f": {why}" if why else "")
    for name in expected.workers:
        if name not in names and name != WATCHDOG:
            yield f"{name} is none of supervisord's programs"


def _workers(
    seen: StatusSeen, known: Mapping[str, ProgramSeen], expected: Expected
) -> Iterator[str]:
    for name in expected.workers:
        # One cause, one line: what does not run has no heartbeat either.
        down = bool(known) and (name not in known or known[name].state != RUNNING)
        if name == WATCHDOG or down:
            continue
        if fault := _beat_fault(seen, name, expected.late_s):
            yield f"{name} {fault}"
        elif seen.beats[name].get("connected") is not True:
            why = plain(seen.beats[name].get("detail", ""))
            yield f"{name} is not connected" + (f": {why}" if why else "")


def _beat_fault(seen: StatusSeen, name: str, late_s: float) -> str:
    beat, old_s = seen.beats.get(name), _beat_age(seen, name)
    if beat is None or old_s is None:
        return "has no heartbeat"
    if beat.get("state") == "stopped":
        return f"is stopped, since {age(old_s)}"
    return f"is late: heartbeat {age(old_s)} old, limit {late_s:g}s" if old_s > late_s else ""


def _watchdog(
    seen: StatusSeen, known: Mapping[str, ProgramSeen], expected: Expected
) -> Iterator[str]:
    if WATCHDOG in expected.left_out:
        return
    program = known.get(WATCHDOG)
    if program is not None and program.state != RUNNING:
        yield f"{NOBODY_CHECKS}, it is {program.state}"
    elif WATCHDOG not in seen.beats or seen.beats[WATCHDOG].get("state") == "stopped":
        yield NOBODY_CHECKS
    elif fault := _beat_fault(seen, WATCHDOG, expected.late_s):
        yield f"nobody checks: the watchdog {fault}"
    elif fault := unchecked(seen.stale, seen.now_ms, expected.check_late_s):
        yield fault


def unchecked(stale: StaleSeen, now_ms: int, limit_s: float) -> str:
    """Why nobody knows what is stale; empty when somebody does."""
    old_s = age_of(stale.checked_ms, now_ms)
    if old_s is None or stale.stopped:
        return NOBODY_CHECKS
    if old_s > limit_s:
        return f"nobody checks: the watchdog last looked {age(old_s)} ago"
    return ""


def _stale(seen: StatusSeen, expected: Expected) -> Iterator[str]:
    """Outside the session only heartbeats are owed."""
    judged = expected.after_hours or seen.session.get("state", "regular") == "regular"
    fields = sorted(seen.stale.rows)
    found = [one for one in fields if judged or one.startswith(f"{HEARTBEAT}:")]
    return told({name: seen.stale.rows[name] for name in found})


def _notes(seen: StatusSeen, expected: Expected) -> Iterator[str]:
    for name in expected.workers:
        beat = seen.beats.get(name, {})
        if beat.get("state") == "degraded" and beat.get("connected") is True:
            yield f"{name} is degraded: {plain(beat.get('detail', ''))}"
    for name in expected.left_out:
        yield f"{name} is left out by the settings"


def document(found: Board) -> dict[str, Any]:
    used, most = found.memory or (None, None)
    return {
        "ok": found.ok,
        "source": found.source,
        "session": found.session or None,
        "redis": {"ok": found.redis, "used_bytes": used, "max_bytes": most or None},
        "processes": found.processes,
        "wrong": found.wrong,
        "notes": found.notes,
    }
