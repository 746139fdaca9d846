"""The short form of `make oracle`: the whole product under a few faults, everything compared."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.oracle.campaign import Campaign, Plan
from tests.oracle.schedule import planned

_FAULTS: Final = (
    "kill -9 ibkr_depth", "vendor key_echo", "redis kill -9", "kill -9 ibkr_trades", "gateway RST",
)  # fmt: skip


@pytest.mark.campaign
def test_nothing_is_lost_or_wrong_under_five_faults(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(seed=6, seconds=0.0, only=planned(6, _FAULTS), turn_s=2.0)
    outcome = Campaign(tmp_path / "o", plan, said.append).run()
    assert outcome.findings.violations == [], said
    assert sum(outcome.faults.values()) == len(_FAULTS)
    counts = outcome.findings.counts
    assert min(counts[f"{what} delivered"] for what in ("depth", "trades", "bars")) > 0
    assert counts["depth delivered"] > 0.8 * counts["depth sent"] > 100
