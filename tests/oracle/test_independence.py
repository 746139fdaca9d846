"""A checker that shared code with the writers would share their mistakes."""

from __future__ import annotations

import ast
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

from tests.oracle.schedule import FAULTS, steps

HERE: Final = Path(__file__).parent
CHECKERS: Final = (
    "check_bars", "check_depth", "check_gaps", "check_trades", "evidence", "gather", "growth",
    "key_rules", "lengths", "limits", "mirror", "quiet", "quiet_vendor", "reader", "recovery",
    "resources", "sent", "surfaces", "verdict",
)  # fmt: skip
ALL: Final = frozenset(fault.needs for fault in FAULTS.values())
PRODUCT: Final = ("shared", "workers", "deploy", "scripts", "benchmarks")


@pytest.mark.parametrize("name", CHECKERS)
def test_no_checker_imports_the_product(name: str) -> None:
    tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
    imported = [
        found
        for node in ast.walk(tree)
        for found in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    assert [one for one in imported if one.partition(".")[0] in PRODUCT] == []


def test_one_integer_reproduces_a_schedule() -> None:
    first, again, other = (list(islice(steps(seed), 40)) for seed in (7, 7, 8))
    assert first == again
    assert [step.name for step in first] != [step.name for step in other]


def test_every_fault_comes_before_any_of_its_group_comes_twice() -> None:
    names = [fault.name for step in islice(steps(3, ALL), 3_000) for fault, _ in step.faults]
    assert set(names) == set(FAULTS)
    redis = [name for name in names if FAULTS[name].group == "redis"]
    kinds = len({name for name in redis})
    assert all(len(set(redis[at : at + kinds])) == kinds for at in range(0, 5 * kinds, kinds))


def test_two_faults_of_one_group_never_come_together() -> None:
    for step in islice(steps(4), 500):
        groups = [fault.group for fault, _ in step.faults]
        assert len(set(groups)) == len(groups)


def test_a_fault_comes_only_where_the_run_has_what_it_needs() -> None:
    names = {fault.name for step in islice(steps(3), 3_000) for fault, _ in step.faults}
    assert set(FAULTS) - names == {
        "clock an hour ahead", "clock an hour behind", "gateway restart, 90 s", "redis 200 ms away",
    }  # fmt: skip
