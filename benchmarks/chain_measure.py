"""One chain from its body to Redis, by every way in turn; and how long the event loop stands still.

Every way has a process of its own, all have one Redis, which is emptied between two measurements.
What Redis holds is compared with what it must hold after each of them, outside the timed span.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.chain_check import Checker
from benchmarks.chain_documents import ChainSource
from benchmarks.chain_plain import Documents, documents
from benchmarks.harness import line, redis_as_shipped, start, tell
from simulators.alphavantage.process import SimulatorProcess

WAYS: Final = ("ours", "plain", "floor")
CONTRACTS: Final = 10_000

Rows = list[dict[str, Any]]


class Program:
    """A process of `chain_subject`: orders in, figures out."""

    def __init__(self, way: str, url: str, *more: str) -> None:
        module = ("benchmarks.chain_subject", way, url, *more)
        self.process = start(module, dict(os.environ))
        line(self.process)

    def order(self, **order: Any) -> dict[str, Any]:
        tell(self.process, order)
        return line(self.process)

    def stop(self) -> None:
        """Closing its input ends it in good order."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@contextmanager
def program(way: str, url: str, *more: str) -> Iterator[Program]:
    made = Program(way, url, *more)
    try:
        yield made
    finally:
        made.stop()


@dataclass
class Body:
    """A body in a file, and what Redis is to hold after it."""

    path: Path
    size: int
    wanted: Documents

    @classmethod
    def write(cls, path: Path, body: bytes) -> Body:
        """Its moment is now, whenever it is loaded."""
        path.write_bytes(body)
        fetched_ms = time.time_ns() // 1_000_000
        return cls(path, len(body), documents(body, fetched_ms))

    def order(self, anew: bool, **more: Any) -> dict[str, Any]:
        fetched_ms = self.wanted.chain["fetched_ts"]
        return {
            "run": "load", "body": str(self.path), "fetched_ms": fetched_ms, "anew": anew, **more
        }  # fmt: skip


@contextmanager
def bench(ways: Sequence[str]) -> Iterator[tuple[Path, Checker, dict[str, Program]]]:
    """A directory for bodies, a Redis as shipped with its checker, a program for each way."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(redis_as_shipped(directory))
        checker = Checker(url)
        stack.callback(checker.close)
        yield directory, checker, {way: stack.enter_context(program(way, url)) for way in ways}


def throughput(console: Console, rounds: int) -> dict[str, Any]:
    """Interleaved rounds, after one that does not count: a new chain, then 5 % of it changed."""
    found: dict[str, Rows] = {way: [] for way in WAYS}
    with bench(WAYS) as (directory, checker, programs):
        source = ChainSource(CONTRACTS)
        new = Body.write(directory / "new.json", source.body())
        moved = Body.write(directory / "moved.json", source.moved())
        for number in range(rounds + 1):
            # Who is first changes, so that nobody always has the warmest caches.
            for way in (*WAYS[number % 3 :], *WAYS[: number % 3]):
                row = _pair(checker, programs[way], way, (new, moved))
                if number:
                    found[way].append(row)
                console.print(f"round {number}/{rounds} {way}: {_told(row)}")
    return {
        "bytes": new.size,
        "new": _compared(found, "new"),
        "moved": _compared(found, "moved"),
        "faults": checker.faults,
        "rounds": found,
    }


def _pair(
    checker: Checker, program: Program, way: str, bodies: tuple[Body, Body]
) -> dict[str, Any]:
    new, moved = bodies
    monitors = 1 if way == "ours" else 0
    checker.flush()
    first = program.order(**new.order(anew=True))
    checker.check(new.wanted, monitors=monitors)
    second = program.order(**moved.order(anew=False))
    # Only the product leaves what it knows to be unchanged.
    checker.check(moved.wanted, new.wanted if way == "ours" else None, monitors)
    return {"new": first, "moved": second}


def _compared(found: Mapping[str, Rows], part: str) -> dict[str, Any]:
    """Medians of each way, and of the ratios within each round."""
    spent = {way: [row[part]["s"] for row in rows] for way, rows in found.items()}
    pairs = list(zip(spent["ours"], spent["plain"], spent["floor"], strict=True))
    return {
        "ms": {way: statistics.median(times) * 1000 for way, times in spent.items()},
        "cpu_ms": {
            way: statistics.median(row[part]["cpu_s"] for row in rows) * 1000
            for way, rows in found.items()
        },
        "read_ms": _median_ms(row[part]["read_s"] for row in found["ours"]),
        "decode_ms": _median_ms(row[part]["read_s"] for row in found["floor"]),
        "times the plain way": statistics.median(plain / ours for ours, plain, _ in pairs),
        "times the floor": statistics.median(ours / floor for ours, _, floor in pairs),
    }


def _median_ms(seconds: Iterable[float]) -> float:
    return statistics.median(seconds) * 1000


def _told(row: Mapping[str, Any]) -> str:
    return f"new {row['new']['s'] * 1000:,.0f} ms, moved {row['moved']['s'] * 1000:,.0f} ms"


def tolerance(console: Console, rounds: int) -> dict[str, Any]:
    """Documents that the typed decoder refuses, as new chains, beside one that it takes.

    One empty value among 200,000 spoils one piece of the body, one in every row spoils all.
    """
    found: dict[str, Rows] = {}
    with bench(("ours",)) as (directory, checker, programs):
        source = ChainSource(CONTRACTS)
        spoiled = {"none": [], "one": [CONTRACTS // 2], "every row": range(CONTRACTS)}
        bodies = {
            name: Body.write(directory / f"{name}.json", source.spoiled(numbers))
            for name, numbers in spoiled.items()
        }
        for number in range(rounds + 1):
            for name, body in bodies.items():
                checker.flush()
                row = programs["ours"].order(**body.order(anew=True))
                checker.check(body.wanted, monitors=1)
                checker.counted("bad_values", len(spoiled[name]))
                checker.counted("dropped", 0)
                if number:
                    found.setdefault(name, []).append(row)
            console.print(f"round {number}/{rounds} of bodies without and with bad values")
    result = {
        name: {part: _median_ms(row[part] for row in rows) for part in ("read_s", "s")}
        for name, rows in found.items()
    }
    for name, row in result.items():
        console.print(f"bad values in {name}: read {row['read_s']:.0f} ms, all {row['s']:.0f} ms")
    return {"ms": result, "faults": checker.faults, "rounds": found}


def stalls(console: Console, contracts: int, rounds: int) -> dict[str, Any]:
    """The longest gap between two rounds of the loop: from memory, and from the vendor by HTTP."""
    found: dict[str, Rows] = {"new": [], "moved": [], "fetched": []}
    with bench(("ours",)) as (directory, checker, programs):
        ours, source = programs["ours"], ChainSource(contracts)
        new = Body.write(directory / "new.json", source.body())
        moved = Body.write(directory / "moved.json", source.moved())
        simulator = SimulatorProcess("--no-limits", "--contracts", str(contracts))
        try:
            for number in range(rounds):
                found["new"].append(ours.order(**new.order(anew=True, ticker=True)))
                found["moved"].append(ours.order(**moved.order(anew=False, ticker=True)))
                url = f"{simulator.base_url}/query"
                found["fetched"].append(ours.order(run="fetch", base_url=url))
                console.print(f"round {number + 1}/{rounds} of gaps of the event loop")
        finally:
            simulator.stop()
    rows = [row for part in found.values() for row in part]
    short = sum(row["contracts"] != contracts for row in found["fetched"])
    result = {
        "contracts": contracts,
        "longest_ms": max(row["gap_ms"] for row in rows),
        "longest_cpu_ms": max(row["gap_cpu_ms"] for row in rows),
        "median_ms": {
            part: statistics.median(row["gap_ms"] for row in rows) for part, rows in found.items()
        },
        "faults": [f"{short} chains were fetched in part"] if short else [],
        "rounds": found,
    }
    console.print(
        f"{contracts:,} contracts: longest gap of the loop {result['longest_ms']:.1f} ms,"
        f" of its own work {result['longest_cpu_ms']:.1f} ms"
    )
    return result
