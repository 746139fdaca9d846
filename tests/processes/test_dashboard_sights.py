"""What a simulated market does not do by itself: a real Chromium on a Redis filled by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from playwright.sync_api import Browser

from tests.support.browser import Looker, chromium_path, running_chromium
from tests.support.dashboard_process import Dashboard
from tests.support.dashboard_redis import fill, now_ms
from tests.support.product import wait_for

pytestmark = pytest.mark.skipif(not chromium_path(), reason="no chromium is installed")

SHOWN_S: Final = 20.0
BACKGROUND: Final = "one => getComputedStyle(one).backgroundImage"


@pytest.fixture(scope="module")
def held(module_redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(module_redis_url, decode_responses=True) as client:
        fill(client)
        yield client


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def looker(
    held: redis.Redis,
    module_redis_url: str,
    chromium: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Looker]:
    home: Path = tmp_path_factory.mktemp("sights")
    dashboard = Dashboard(home, module_redis_url, {"SPY": ("ARCA",)}).started()
    found = Looker(chromium, f"http://{dashboard.host}/")
    yield found
    found.close()
    dashboard.close()


def test_silence_is_expected_and_hatched_while_the_market_is_closed(
    looker: Looker, held: redis.Redis
) -> None:
    yesterday = now_ms() - 86_400_000
    held.hset("market:SPY:ticker", mapping={"quote_ts": yesterday, "quote_received_ts": yesterday})
    page = looker.view("wall")
    cell = page.locator("td.cell[data-surface=quotes]")
    wait_for(lambda: cell.get_attribute("data-state") == "closed", SHOWN_S, "the closed market")
    assert "repeating-linear-gradient" in cell.evaluate(
        "one => getComputedStyle(one).backgroundImage"
    )
    assert "market closed" in page.locator(".panel header").first.inner_text()
    held.hset("market:session", "state", "regular")
    wait_for(lambda: cell.get_attribute("data-state") == "overdue", SHOWN_S, "the open market")
    assert cell.evaluate(BACKGROUND) == "none"


def test_text_from_redis_is_text_whatever_it_says(looker: Looker, held: redis.Redis) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    fields: dict[Any, Any] = {"ts": now_ms(), "worker": hostile, "kind": "<b>"}
    held.xadd("monitoring:incidents", {**fields, "symbol": "SPY", "text": hostile})
    page = looker.view("health")
    first = page.locator(".ledger tbody tr").first
    wait_for(lambda: hostile in first.inner_text(), SHOWN_S, "the text as it is")
    assert page.locator("main img, main script, main b").count() == 0
    assert looker.complaints == []


def test_the_ledgers_can_be_filtered(looker: Looker, held: redis.Redis) -> None:
    page = looker.view("health")
    lines = page.locator(".ledger").first.locator("tbody tr")
    wait_for(lambda: lines.count() >= 2, SHOWN_S, "two incidents")
    page.locator("input[type=search]").first.fill("full")
    wait_for(lambda: lines.count() == 1, SHOWN_S, "the one that fits")
    assert "309" in lines.first.inner_text()


def test_live_data_has_no_badge(looker: Looker, held: redis.Redis) -> None:
    page = looker.view("wall")
    badge = page.locator("#source")
    wait_for(badge.is_visible, SHOWN_S, "the badge of simulated data")
    held.set("coord:source", "live")
    wait_for(badge.is_hidden, SHOWN_S, "no badge")
