"""What a simulated market does not do by itself: a real Chromium on a Redis filled by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from playwright.sync_api import Browser

from tests.support.browser import NARROW, WIDE, Looker, chromium_path, running_chromium
from tests.support.dashboard_process import Dashboard
from tests.support.dashboard_redis import fill, now_ms
from tests.support.product import wait_for

pytestmark = pytest.mark.skipif(not chromium_path(), reason="no chromium is installed")

SHOWN_S: Final = 20.0
CUT_AGES: Final = """() => [...document.querySelectorAll('td.cell .age')].filter(one => {
    const [text, cell] = [one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
    return text.left < cell.left + 1 || text.right > cell.right - 1;
}).map(one => one.textContent)"""
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


@pytest.mark.parametrize(
    ("age_s", "narrow", "wide"),
    [
        (2_645, "44m", "44m05"),
        (545, "9m05", "9m05"),
        (45_300, "12h", "12h35"),
        (172_000, "47h", "47h46"),
        (1_047_660, "12d", "12d03"),
    ],
)
def test_the_age_of_what_is_stale_fits_into_its_cell(
    looker: Looker, held: redis.Redis, age_s: int, narrow: str, wide: str
) -> None:
    at_ms = now_ms() - age_s * 1_000
    stale = {"age_s": age_s, "budget_s": 60, "since_ts": at_ms + 60_000, "reason": "mute"}
    held.hset("market:session", "state", "regular")
    held.hset("monitoring:options:SPY", "fetched_ts", at_ms)
    held.hset("monitoring:data:stale", "options:SPY", json.dumps(stale))
    page = looker.view("wall")
    cell = page.locator("td.cell[data-surface=options][data-state=stale] .age")
    try:
        for size, text in ((NARROW, narrow), (WIDE, wide)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            wait_for(lambda: is_told(cell.text_content(), text), SHOWN_S, text)  # noqa: B023
            assert page.evaluate(CUT_AGES) == []
            label = str(cell.locator("..").get_attribute("aria-label"))
            assert is_told(label.rpartition("stale, ")[2], wide)
    finally:
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def is_told(shown: str | None, wanted: str) -> bool:
    """The smaller unit may have moved on."""
    larger = wanted.rstrip("0123456789")
    return shown is not None and shown.startswith(larger) and len(shown) == len(wanted)


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
