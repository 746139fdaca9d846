"""The page in a real Chromium, against all that `make up` starts."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import redis
from playwright.sync_api import Browser, Page

from tests.support.browser import NARROW, WIDE, Looker, chromium_path, running_chromium
from tests.support.page_truth import SHOWS, texts
from tests.support.product import Product, wait_for

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not chromium_path(), reason="no chromium is installed"),
]

TOKEN: Final = "operator-token-of-the-page"
DEADLINE_S: Final = 30.0
VIEWS: Final = tuple(SHOWS)
# Slow enough for the page and Redis to be seen in agreement, and SPY has depth all the time.
UPDATES: Final = ("updates_per_s: 20.0", "updates_per_s: 3.0")
PINNED: Final = ("pinned: []", "pinned: [SPY]")


NAMELESS: Final = """() => [...document.querySelectorAll(
    'a, button, select, input, canvas, table, [role=img], [role=meter]')]
    .filter(one => !(one.textContent.trim() || one.ariaLabel || one.title || one.labels?.length))
    .map(one => one.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    found = Product(tmp_path_factory.mktemp("page"))
    for name, change in (("ingestion", UPDATES), ("ibkr_symbols", PINNED)):
        path = found.layout.root / "config" / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    try:
        up = found.launch("up", TICKVISOR_DASHBOARD_TOKEN=TOKEN)
        assert up.returncode == 0, up.stdout + up.stderr
        yield found
    finally:
        found.launch("down")


@pytest.fixture(scope="module")
def held(product: Product) -> Iterator[redis.Redis]:
    with product.client() as client:
        yield client


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(product: Product) -> str:
    served = json.loads((product.layout.run / "dashboard.json").read_text(encoding="utf-8"))
    return f"http://{served['host']}:{served['port']}/"


@pytest.fixture(scope="module")
def looker(chromium: Browser, address: str) -> Iterator[Looker]:
    found = Looker(chromium, address)
    yield found
    found.close()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_what_redis_holds(looker: Looker, held: redis.Redis, view: str) -> None:
    page = looker.view(view)
    # A book and a counter move between the two looks at them: they agree when nothing came.
    wait_for(lambda: SHOWS[view](page, held), 80.0, f"{view} as Redis has it")


def test_what_is_new_is_shown_within_a_second(looker: Looker, held: redis.Redis) -> None:
    """The best of several looks: a busy machine may hold up any of them, but not all."""
    page = looker.view("ladder/SPY")
    page.wait_for_selector(".tape tbody tr")
    took = [seconds_until_shown(page, held) for _ in range(8)]
    assert min(took) < 1.0, took


def seconds_until_shown(page: Page, held: redis.Redis) -> float:
    """From when Redis had a trade that it did not have before until the page has it."""
    before = newest_trade(held)
    wait_for(lambda: newest_trade(held) > before, DEADLINE_S, "a trade")
    number, began_s = newest_trade(held), time.monotonic()
    wait_for(lambda: newest_shown(page) >= number, DEADLINE_S, "it on the tape")
    return time.monotonic() - began_s


def newest_shown(page: Page) -> int:
    return int(page.locator(".tape tbody tr").first.get_attribute("data-key") or 0)


def newest_trade(held: redis.Redis) -> int:
    [raw] = held.lrange("market:SPY:trades", 0, 0) or ["{}"]
    return int(json.loads(raw).get("seq", 0))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_no_view_is_wider_than_the_screen(
    chromium: Browser, address: str, size: tuple[int, int]
) -> None:
    found = Looker(chromium, address, size)
    try:
        wide = {}
        for view in VIEWS:
            page = found.view(view)
            wide[view] = page.evaluate("document.scrollingElement.scrollWidth")
        assert {view: one for view, one in wide.items() if one > size[0]} == {}
        assert found.complaints == []
    finally:
        found.close()


def test_everything_can_be_reached_by_keys(looker: Looker) -> None:
    page = looker.view("wall")
    page.wait_for_selector("td.cell[tabindex='0']")
    page.locator("td.cell[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    cell = page.evaluate(
        "[document.activeElement.dataset.symbol, document.activeElement.dataset.surface]"
    )
    assert cell == ["QQQ", "quotes"]
    assert texts(page, "#tip")[0].startswith("QQQ quotes: ")
    assert page.locator("td.cell[aria-describedby='tip']").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".ladder")
    assert page.evaluate("location.hash") == "#/ladder/QQQ"
    page.keyboard.press("ArrowRight")
    wait_for(lambda: page.url.endswith("#/ladder/IWM"), DEADLINE_S, "the next symbol")
    page.keyboard.press("7")
    page.wait_for_selector(".processes")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") != theme
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]#help")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_everything_has_a_name_for_who_listens(looker: Looker, view: str) -> None:
    page = looker.view(view)
    # Values that come with the first reading are part of some names.
    wait_for(lambda: page.evaluate(NAMELESS) == [], DEADLINE_S, "a name for everything")
    assert page.locator("nav [aria-current=page]").count() == 1


def test_simulated_data_is_never_taken_for_real(looker: Looker) -> None:
    looker.view("wall")
    assert texts(looker.page, "#source") == ["SIMULATED DATA"]


def test_a_symbol_can_be_asked_for_anew_by_who_has_the_token(looker: Looker) -> None:
    page = looker.view("ladder/AAPL")
    page.keyboard.press("r")
    page.wait_for_selector("dialog[open]#order")
    page.select_option("#order select[name=worker]", "ibkr_trades")
    page.fill("#order input[name=token]", TOKEN)
    page.click("#order button[type=submit]")
    said = page.locator("#order [role=status]")
    wait_for(lambda: said.inner_text().endswith(": done"), DEADLINE_S, "the worker's answer")
    assert TOKEN not in page.url
    page.keyboard.press("Escape")


def test_nothing_was_asked_of_another_host_and_nothing_complained(
    looker: Looker, address: str
) -> None:
    assert looker.complaints == []
    assert looker.hosts == {address.removeprefix("http://").rstrip("/")}


def told(page: Page, text: str) -> None:
    wait_for(lambda: text in page.locator("#notices").inner_text(), DEADLINE_S, text)


def test_a_worker_that_was_started_anew_is_told(looker: Looker, product: Product) -> None:
    page = looker.view("wall")
    os.kill(int(product.supervisorctl("pid", "ibkr_trades").stdout), signal.SIGKILL)
    told(page, "ibkr_trades was started anew")


def test_a_redis_that_goes_and_comes_is_told(looker: Looker, product: Product) -> None:
    page = looker.view("wall")
    pid = int(product.supervisorctl("pid", "redis").stdout)
    os.kill(pid, signal.SIGSTOP)
    page.wait_for_selector("html[data-feed=redis]", timeout=DEADLINE_S * 1000)
    told(page, "What is shown is as of ")
    os.kill(pid, signal.SIGKILL)
    page.wait_for_selector("html[data-feed=ok]", timeout=DEADLINE_S * 1000)
    told(page, "Redis answered again")


def test_a_dashboard_that_goes_and_comes_is_told(looker: Looker, product: Product) -> None:
    page = looker.view("wall")
    assert product.supervisorctl("stop", "dashboard").returncode == 0
    page.wait_for_selector("html[data-feed=away]", timeout=DEADLINE_S * 1000)
    told(page, "The dashboard's server does not answer.")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
    )
    assert product.supervisorctl("start", "dashboard").returncode == 0
    page.wait_for_selector("html[data-feed=ok]", timeout=DEADLINE_S * 1000)
    told(page, "the dashboard was started anew")


def test_the_log_has_no_token_and_no_traceback(product: Product) -> None:
    log: Path = product.layout.log / "dashboard.log"
    text = log.read_text(encoding="utf-8")
    assert "serving on http://127.0.0.1:" in text
    assert TOKEN not in text
    assert "Traceback" not in text
