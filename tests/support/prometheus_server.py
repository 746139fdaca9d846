"""A real Prometheus with the rules of the product, scraping and judging once a second."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
import yaml

from tests.support.ports import free_port
from tests.support.worker_process import REPOSITORY

DEPLOYED: Final = REPOSITORY / "deploy/prometheus"
_READY_S: Final = 30.0
_ANSWER_S: Final = 10.0
_STOP_S: Final = 10.0

needs_prometheus: Final = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed"
)
Result = TypeVar("Result")


class PrometheusServer:
    """Alerts fire at once: how long they wait is tried by promtool."""

    def __init__(self, home: Path, exporter_port: int) -> None:
        home.mkdir(parents=True)
        self.port = free_port()
        self._log = home / "prometheus.log"
        _write(home, exporter_port)
        command = [
            "prometheus", f"--config.file={home}/prometheus.yml",
            f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant query gives, or the error as an assertion."""
        found = self._get("query", query=expression)
        assert found["status"] == "success", (expression, found)
        data = found["data"]
        return data["result"] if data["resultType"] == "vector" else [data]

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def firing(self, alert: str, **labels: str) -> bool:
        wanted = {"alertname": alert, **labels}
        return any(
            one["state"] == "firing" and wanted.items() <= one["labels"].items()
            for one in self._get("alerts")["data"]["alerts"]
        )

    def fired(self) -> set[str]:
        """Every alert that has ever fired here."""
        found = self.query(
            'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1h]))'
        )
        return {one["metric"]["alertname"] for one in found}

    def faulty_rules(self) -> list[str]:
        groups = self._get("rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert rules
        return [
            f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"
        ]

    def wait_until(self, condition: Callable[[], Result], timeout_s: float, what: str) -> Result:
        until_s = time.monotonic() + timeout_s
        while not (value := self._tried(condition)):
            assert self._process.poll() is None, self._log.read_text("utf-8")
            assert time.monotonic() < until_s, f"{what}: not within {timeout_s} s\n{self._state()}"
            time.sleep(0.25)
        return value

    def wait_ready(self) -> None:
        self.wait_until(lambda: self.value('up{job="tickvisor"}') == 1, _READY_S, "a first scrape")

    def _tried(self, condition: Callable[[], Result]) -> Result | None:
        try:
            return condition()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def _state(self) -> str:
        alerts = self._tried(lambda: self._get("alerts")["data"]["alerts"])
        return json.dumps([(one["state"], one["labels"]) for one in alerts or ()], indent=1)

    def _get(self, what: str, **fields: str) -> Any:
        words = urllib.parse.urlencode(fields)
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{words}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 503:  # still starting
                raise
            return json.loads(error.read())


def _write(home: Path, exporter_port: int) -> None:
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    job["scrape_timeout"] = "1s"
    job["static_configs"] = [{"targets": [f"127.0.0.1:{exporter_port}"]}]
    (home / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    rules = yaml.safe_load((DEPLOYED / "alerts.yml").read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    (home / "alerts.yml").write_text(yaml.safe_dump(rules), "utf-8")
