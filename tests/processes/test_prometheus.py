"""A real Prometheus scrapes the exporter beside real workers: what fires, and what does not.

Left out of `make test`; `make alerts` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from tests.support.ports import free_port
from tests.support.prometheus_server import PrometheusServer, needs_prometheus
from tests.support.redis_server import RedisServer
from tests.support.watch_plan import FIVE, GATEWAY, VENDOR, WatchPlan
from tests.support.watch_rig import Table, WatchRig, watch_scenario, watches_side_by_side
from tests.support.worker_process import REPOSITORY, WorkerProcess

pytestmark = [needs_prometheus, pytest.mark.prometheus]

SCENARIOS: Final[Table] = {}
# On a busy machine a heartbeat may be late for a moment.
LATE_S: Final = 6.0
SOON_S: Final = 60.0
# What Grafana puts in place of its variables.
VARIABLES: Final = {"$__rate_interval": "1m", "$feed": ".*", "$symbol": ".*"}
# Panels that are empty while all is well.
EMPTY_WHEN_WELL: Final = ("Stale", "Why it is stale", "Suspended", "Incidents", "Alerts")


def closed_calendar() -> str:
    """An exchange that is not open within the next minutes: one of the two never is."""
    now = datetime.now(ZoneInfo("America/New_York"))
    hours = now.weekday() < 5 and time(9, 0) <= now.time() <= time(16, 15)
    return "XTKS" if hours else "XNYS"


@contextmanager
def watched(rig: WatchRig) -> Iterator[tuple[PrometheusServer, WorkerProcess]]:
    """Prometheus and the exporter that it scrapes."""
    port = free_port()
    (rig.home / "var/run").mkdir(parents=True)
    address = {"host": "127.0.0.1", "port": port}
    (rig.home / "var/run/exporter.json").write_text(json.dumps(address))
    exporter = rig.beside("exporter")
    prometheus = PrometheusServer(rig.home / "prometheus", port)
    try:
        prometheus.wait_ready()
        yield prometheus, exporter
        assert prometheus.faulty_rules() == []
    finally:
        prometheus.close()


def panels() -> Iterator[tuple[str, str]]:
    """Title and query of every panel, with the variables filled in."""
    dashboard = json.loads((REPOSITORY / "deploy/grafana/tickvisor.json").read_text("utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, text in VARIABLES.items():
                expression = expression.replace(name, text)
            yield panel["title"], expression


def empty_panels(prometheus: PrometheusServer) -> list[str]:
    return [
        f"{title}: {expression}"
        for title, expression in panels()
        if not prometheus.query(expression) and title not in EMPTY_WHEN_WELL
    ]


def settled(rig: WatchRig) -> None:
    rig.wait_until(rig.has_data, 90, "all data")


@watch_scenario(SCENARIOS, WatchPlan(workers=(*GATEWAY, *VENDOR), late_s=LATE_S))
def what_goes_wrong_fires(rig: WatchRig, server: RedisServer) -> None:
    settled(rig)
    with watched(rig) as (prometheus, exporter):
        prometheus.wait_until(lambda: prometheus.value("tickvisor_up") == 1, SOON_S, "all up")
        prometheus.wait_until(
            lambda: not empty_panels(prometheus), SOON_S, "data in every panel of Grafana"
        )
        a_symbol_that_is_frozen(rig, prometheus)
        a_poll_that_fails(rig, prometheus)
        a_budget_that_is_exhausted(rig, prometheus)
        a_worker_that_is_killed(rig, prometheus)
        a_redis_that_is_away(server, prometheus)
        exporter.kill()
        soon(prometheus, lambda: prometheus.firing("TickvisorExporterDown"), "exporter down")


def soon(prometheus: PrometheusServer, condition: Callable[[], Any], what: str) -> None:
    prometheus.wait_until(condition, SOON_S, what)


def a_symbol_that_is_frozen(rig: WatchRig, prometheus: PrometheusServer) -> None:
    alert = "TickvisorFeedStale"
    soon(prometheus, lambda: not prometheus.firing(alert), "everything fresh")
    rig.gateway.call("freeze", symbol="SPY")
    soon(prometheus, lambda: prometheus.firing(alert, feed="depth", symbol="SPY"), "SPY stale")
    reasons = prometheus.query('tickvisor_feed_stale_reason{feed="depth", symbol="SPY"}')
    assert [one["metric"]["reason"] for one in reasons] == ["mute"]
    assert not prometheus.firing(alert, feed="depth", symbol="QQQ")
    rig.gateway.call("thaw", symbol="SPY")
    soon(prometheus, lambda: not prometheus.firing(alert, symbol="SPY"), "SPY fresh again")


def a_poll_that_fails(rig: WatchRig, prometheus: PrometheusServer) -> None:
    rig.vendor.fault("outage", function="REALTIME_OPTIONS", symbol="QQQ")
    labels = {"worker": "av_options", "symbol": "QQQ", "type": "options"}
    soon(
        prometheus,
        lambda: prometheus.firing("TickvisorBreakerOpen", **labels),
        "options of QQQ suspended",
    )
    assert not prometheus.firing("TickvisorBreakerOpen", symbol="SPY")
    rig.vendor.clear()


def a_budget_that_is_exhausted(rig: WatchRig, prometheus: PrometheusServer) -> None:
    assert not prometheus.firing("TickvisorBudgetExhausted")
    rig.vendor.call("plan", per_minute=0)
    soon(prometheus, lambda: prometheus.firing("TickvisorBudgetExhausted"), "budget exhausted")
    rig.vendor.call("plan", plan="1200")


def a_worker_that_is_killed(rig: WatchRig, prometheus: PrometheusServer) -> None:
    down = "TickvisorWorkerDown"
    soon(prometheus, lambda: not prometheus.firing(down, worker="ibkr_trades"), "it beats")
    rig.workers["ibkr_trades"].kill()
    soon(prometheus, lambda: prometheus.firing(down, worker="ibkr_trades"), "a dead worker")
    # Its figures are still in Redis.
    assert "ibkr_trades" in rig.keys.hash("monitoring:ibkr:metrics")
    assert prometheus.query('tickvisor_sink_queue_items{worker="ibkr_trades"}') == []


def a_redis_that_is_away(server: RedisServer, prometheus: PrometheusServer) -> None:
    server.stop()
    try:
        soon(prometheus, lambda: prometheus.firing("TickvisorRedisDown"), "redis down")
        assert prometheus.query("tickvisor_worker_up") == []
        assert prometheus.value('up{job="tickvisor"}') == 1
    finally:
        server.start()
    soon(prometheus, lambda: prometheus.value("tickvisor_redis_up") == 1, "redis back")


@watch_scenario(
    SCENARIOS,
    WatchPlan(workers=(*GATEWAY, *VENDOR), late_s=LATE_S, source="live", calendar=closed_calendar),
)
def a_closed_market_is_silent(rig: WatchRig, server: RedisServer) -> None:
    settled(rig)
    with watched(rig) as (prometheus, _):
        soon(prometheus, lambda: prometheus.value("tickvisor_session_open") == 0, "it is closed")
        for symbol in FIVE:
            rig.gateway.call("freeze", symbol=symbol)
        late = (
            'min(tickvisor_feed_age_seconds{feed=~"depth|trades"} / tickvisor_feed_budget_seconds)'
        )
        soon(prometheus, lambda: (prometheus.value(late) or 0) > 2, "twice as old as it may be")
        assert prometheus.value("sum(tickvisor_feed_stale)") == 0
        assert prometheus.fired().isdisjoint(
            {
                "TickvisorFeedStale",
                "TickvisorWorkerDisconnected",
                "TickvisorBudgetExhausted",
                "TickvisorBreakerOpen",
                "TickvisorNobodyChecks",
            }
        )


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    home = tmp_path_factory.mktemp("prometheus")
    with watches_side_by_side(home, SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(420)
@pytest.mark.parametrize("name", SCENARIOS)
def test_prometheus_over(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
