from __future__ import annotations

import gc

from shared.process import _set_aside_what_stays


def test_modules_are_set_aside_before_a_worker_begins() -> None:
    before = gc.get_freeze_count()
    try:
        _set_aside_what_stays()
        assert gc.get_freeze_count() > before + 10_000
        # What comes after is looked at: a cycle goes at the next full collection.
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
