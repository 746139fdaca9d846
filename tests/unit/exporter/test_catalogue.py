from __future__ import annotations

import re

import pytest

from shared.exporter.catalogue import METRICS


@pytest.mark.parametrize("name", sorted(METRICS))
def test_names_follow_the_conventions(name: str) -> None:
    kind, text, labels = METRICS[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name)
    assert name.endswith("_total") == (kind == "counter")
    assert not re.search(r"_(ms|us|minutes|percent|count|sum|bucket)\b", name)
    assert kind != "histogram" or name.endswith("_seconds")
    assert text.endswith(".") and len(labels) == len(set(labels)) <= 3


def test_times_and_sizes_are_in_base_units() -> None:
    timed = [name for name in METRICS if re.search(r"_(age|left|duration|latency|cpu)_", name)]
    assert [name for name in timed if not re.search(r"_(seconds|bytes)(_total)?$", name)] == []
