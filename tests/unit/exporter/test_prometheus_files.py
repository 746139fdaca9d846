"""What Prometheus and Grafana are given names metrics that there are; promtool agrees to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shared.exporter.catalogue import METRICS, PREFIX
from shared.settings import ExporterSettings, repository_root

DEPLOY: Final = repository_root() / "deploy"
RULES: Final = DEPLOY / "prometheus/alerts.yml"
_NAME: Final = re.compile(rf"\b{PREFIX}[a-z0-9_]+")
_SUFFIXES: Final = ("_bucket", "_sum", "_count")

needs_promtool: Final = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana/tickvisor.json").read_text("utf-8"))
    return found


def queries(found: Any) -> Iterator[str]:
    """Every expression in the dashboard, wherever it stands."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name in ("expr", "query", "definition") and isinstance(value, str):
                yield value
            else:
                yield from queries(value)
    elif isinstance(found, list):
        for one in found:
            yield from queries(one)


def unknown_names(expression: str) -> list[str]:
    found = []
    for name in _NAME.findall(expression):
        stem = name.removeprefix(PREFIX)
        for suffix in _SUFFIXES:
            base = stem.removesuffix(suffix)
            if METRICS.get(base, ("",))[0] == "histogram":
                stem = base
        if stem not in METRICS:
            found.append(name)
    return found


def test_every_rule_asks_for_metrics_that_there_are() -> None:
    assert {rule["alert"]: unknown_names(rule["expr"]) for rule in rules()} == {
        rule["alert"]: [] for rule in rules()
    }


def test_every_query_of_the_dashboard_asks_for_metrics_that_there_are() -> None:
    found = list(queries(dashboard()))
    assert len(found) > 30
    assert {one: unknown_names(one) for one in found if unknown_names(one)} == {}


def test_an_unknown_name_is_noticed() -> None:
    assert unknown_names("rate(tickvisor_made_up_total[5m])") == ["tickvisor_made_up_total"]
    assert unknown_names("tickvisor_up_sum") == ["tickvisor_up_sum"]
    assert unknown_names("tickvisor_sink_latency_seconds_bucket") == []


def test_every_alert_says_how_grave_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]


def test_every_alert_stands_in_the_documents_as_it_is() -> None:
    text = (DEPLOY.parent / "docs/metrics.md").read_text(encoding="utf-8")
    rows = [
        f"| `{rule['alert']}` | {rule['labels']['severity']} | {rule.get('for', 'at once')} | "
        for rule in rules()
    ]
    assert [row for row in rows if row not in text] == []
    assert text.count("| `Tickvisor") == len(rows)


def test_every_metric_stands_in_the_documents_as_it_is() -> None:
    text = (DEPLOY.parent / "docs/metrics.md").read_text(encoding="utf-8")
    rows = [
        f"| `{PREFIX}{name}` | {kind} | {', '.join(labels) or '-'} | {said} |\n"
        for name, (kind, said, labels) in METRICS.items()
    ]
    assert [row for row in rows if row not in text] == []
    assert text.count(f"\n| `{PREFIX}") == len(rows)


def test_prometheus_looks_where_the_exporter_listens() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    default = ExporterSettings()
    assert job["static_configs"] == [{"targets": [f"{default.host}:{default.port}"]}]


@needs_promtool
@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_promtool_agrees(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *words], cwd=Path(RULES).parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
