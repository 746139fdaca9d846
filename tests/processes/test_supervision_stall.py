"""A worker whose event loop is stuck ends itself; one that was merely stopped does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shared.stall import EXIT_STALLED

ROOT: Final = Path(__file__).resolve().parents[2]
# A loop that says that it runs, is given a moment, and then does what the test wants.
PROGRAM: Final = """
import asyncio, sys, time
from shared import stall

def stuck_here():
    time.sleep({blocked_s})

async def main():
    with stall.guarded("ibkr_depth", {stall_s}):
        await asyncio.sleep(0.1)
        print("runs", flush=True)
        stuck_here()
        await asyncio.sleep({after_s})
    print("ended", flush=True)

stall.dump_stacks_when_asked()
asyncio.run(main())
"""


@contextmanager
def running(blocked_s: float, after_s: float = 0.1) -> Iterator[subprocess.Popen[str]]:
    text = PROGRAM.format(blocked_s=blocked_s, after_s=after_s, stall_s=1)
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_stuck_loop_ends_the_process_with_4_and_all_stacks() -> None:
    began_s = time.monotonic()
    with running(blocked_s=30.0) as process:
        _, error = process.communicate(timeout=20)
        assert process.returncode == EXIT_STALLED == 4
    assert time.monotonic() - began_s < 10
    line, _, stacks = error.partition("\n")
    told = json.loads(line)
    assert (told["level"], told["worker"]) == ("CRITICAL", "ibkr_depth")
    assert told["event"].startswith("event loop stalled, was silent for ")
    assert told["event"].endswith("limit 1 s; exit 4, stacks follow")
    assert "in stuck_here" in stacks and "in _watch" in stacks


def test_a_process_that_was_stopped_and_continued_goes_on() -> None:
    with running(blocked_s=0.0, after_s=4.0) as process:
        os.kill(process.pid, signal.SIGSTOP)
        # Far longer than the limit of one second; nothing can be waited for meanwhile.
        time.sleep(3.5)
        os.kill(process.pid, signal.SIGCONT)
        out, error = process.communicate(timeout=20)
        assert (process.returncode, out, error) == (0, "ended\n", "")


def test_a_stuck_process_writes_its_stacks_when_asked() -> None:
    with running(blocked_s=0.7) as process:
        os.kill(process.pid, signal.SIGUSR1)
        out, error = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, "ended\n")
        assert "in stuck_here" in error
