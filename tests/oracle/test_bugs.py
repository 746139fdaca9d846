from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.oracle.bug import Bug
from tests.oracle.bugs import BUGS
from tests.oracle.schedule import FAULTS, planned
from tests.support.product import REPOSITORY


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: str(bug.name))
def test_each_bug_still_fits_the_code(bug: Bug, tmp_path: Path) -> None:
    """Else the list would rot: each campaign against a bug needs the bug to be put in."""
    for path, _, _ in bug.edits:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / path)
    bug.put_into(tmp_path)
    for path, _, _ in bug.edits:
        changed = (tmp_path / path).read_text(encoding="utf-8")
        assert changed != (REPOSITORY / path).read_text(encoding="utf-8")
        if path.endswith(".py"):
            compile(changed, path, "exec")
    assert [fault.name for step in planned(1, bug.faults) for fault, _ in step.faults] == list(
        bug.faults
    )


def test_bugs_cover_the_invariants_a_campaign_checks() -> None:
    assert {bug.invariant for bug in BUGS} >= {
        "articles as sent", "books as sent", "books at quiet points", "bars right",
        "candles right", "chains as sent", "chains whole", "depth cap", "expiries", "files flat",
        "fresh after a fault", "gaps are true", "gaps have a cause", "gateway's rules",
        "indicators as sent", "known keys only", "memory bounded", "message rate",
        "no bad value readable", "no foreign row", "no key of the vendor", "no row lost",
        "no trade lost", "nobody ends by the clock", "one bar per start", "one instance",
        "outages told", "recovery", "rights suffice", "seq in order", "seq without holes",
        "sides sorted", "streams trimmed", "tasks flat", "threads flat",
        "trades once, in order", "vendor's limits",
    }  # fmt: skip
    assert len(FAULTS) > 100
