"""What each view of the dashboard has to show, by what Redis holds.

Read by plain commands, and not by what the dashboard reads with.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, Final

import redis
from playwright.sync_api import Page

# Ages are told in tenths of a second, and the page may be as much behind.
AGE_S: Final = 1.5


def texts(page: Page, selector: str) -> list[str]:
    return [" ".join(one.split()) for one in page.locator(selector).all_inner_texts()]


def seconds(age: str) -> float:
    """What `12m03` or `4.1s` says."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([smh]?)", age))


def facts(page: Page) -> dict[str, str]:
    rows = page.locator(".facts > div").all()
    return {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows}


def shows_the_wall(page: Page, held: redis.Redis) -> bool:
    shown = page.locator(".wall tbody tr").evaluate_all(
        """rows => rows.map(row => [row.querySelector('a').textContent,
            row.querySelector('[data-surface=options] .age').textContent])"""
    )
    now_s = time.time()
    for symbol, age in shown:
        fetched = held.hget(f"monitoring:options:{symbol}", "fetched_ts")
        if not fetched or abs(now_s - int(fetched) / 1000 - seconds(age)) > AGE_S:
            return False
    return len(shown) == 10


def shows_the_ladder(page: Page, held: redis.Redis) -> bool:
    raw = held.get("market:SPY:ARCA:book")
    rows = page.evaluate(
        """() => [['bids', 1], ['asks', 3]].map(([side, at]) =>
            [...document.querySelectorAll(`.${side} tr`)].map(
                row => [row.children[2].textContent, row.children[at].innerText.trim()]))"""
    )
    if raw is None:
        return False
    book = json.loads(str(raw))
    sides = [[one for one in book[side] if one[0] is not None] for side in ("bids", "asks")]
    wanted = [[float(price), float(size)] for price, size, _ in sides[0]]
    wanted_asks = [[float(price), float(size)] for price, size, _ in sides[1]][::-1]
    shown, shown_asks = (
        [[float(price), float(size)] for price, size in side if price] for side in rows
    )
    return (shown, shown_asks) == (wanted, wanted_asks) and len(shown) == 10


def shows_the_heatmap(page: Page, held: redis.Redis) -> bool:
    raw = held.get("market:SPY:book")
    said = page.locator(".words").inner_text()
    last = re.search(r"last seen at ([\d.]+) to ([\d.]+)", said)
    if raw is None or last is None:
        return False
    book = json.loads(str(raw))
    best = (book["bids"][0][0], book["asks"][0][0])
    return best == (float(last[1]), float(last[2])) and painted(page)


def painted(page: Page) -> bool:
    """Whether the canvas has anything of the colours of both sides."""
    found: bool = page.evaluate(
        """() => {
            const canvas = document.querySelector('canvas');
            const { width, height } = canvas;
            const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
            let blue = 0, orange = 0;
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 2] > data[at] + 60) blue += 1;
                if (data[at] > data[at + 2] + 60) orange += 1;
            }
            return blue > 50 && orange > 50;
        }"""
    )
    return found


def shows_the_rotation(page: Page, held: redis.Redis) -> bool:
    kept = {
        name: json.loads(raw) for name, raw in held.hgetall("monitoring:depth:coverage").items()
    }
    shown = page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [row.children[0].textContent, row.children[1].textContent,"
        " row.children[5].textContent])"
    )
    wanted = {
        name: [f"{row['share'] * 100:.0f} %", str(row["subscriptions"])]
        for name, row in kept.items()
    }
    slots: dict[str, str] = {}
    entries: Any = held.xrange("monitoring:depth:rotation")
    for _, fields in entries:
        if fields["event"] == "subscribe":
            slots[fields["slot"]] = fields["symbol"]
        elif fields["event"] in ("cancel", "refused"):
            slots.pop(fields["slot"], None)
    said = page.locator(".words").inner_text()
    same = all(wanted.get(name) == rest for name, *rest in shown if name in wanted)
    return same and len(slots) == 3 and all(f"slot {at} {one}" in said for at, one in slots.items())


def shows_the_chain(page: Page, held: redis.Redis) -> bool:
    raw = held.get("options:SPY:chain")
    if raw is None:
        return False
    chain = json.loads(str(raw))
    shown, metrics = facts(page), chain["metrics"]
    chips = page.locator(".chips button").evaluate_all("all => all.map(one => one.dataset.key)")
    bars = page.locator("rect.call").count()
    return (
        chips == [one["expiration"] for one in chain["expirations"]]
        and shown["contracts"] == str(metrics["contracts"])
        and shown["put/call interest"] == f"{metrics['put_call_open_interest_ratio']:.2f}"
        and bars > 20
    )


def shows_the_budget(page: Page, held: redis.Redis) -> bool:
    [key] = held.keys("coord:ratelimit:alpha_vantage:*") or [""]
    told = held.hgetall("monitoring:alpha_vantage:metrics")
    if not key or "av_options" not in told:
        return False
    wanted = {}
    for worker in ("av_options", "av_sentiment"):
        figures = json.loads(told.get(worker, "{}"))
        types = sorted(figures.get("requests_by_type", {}).items())
        wanted[worker] = [str(figures.get("requests")), *(f"{kind} {sent}" for kind, sent in types)]
    shown = page.locator(".calls tbody tr").evaluate_all(
        """rows => Object.fromEntries(rows.map(row => [row.children[0].textContent,
            [row.children[1].textContent,
            ...[...row.querySelectorAll('.types .tag')].map(tag => tag.textContent)]]))"""
    )
    granted = facts(page).get("granted") == held.hget(key, "granted")
    return granted and shown == wanted and "options" in shown["av_options"][1]


def shows_the_processes(page: Page, held: redis.Redis) -> bool:
    titles = page.locator(".processes tbody th").evaluate_all(
        "all => all.map(one => [one.textContent, one.title])"
    )
    for name, title in titles:
        beat = json.loads(str(held.get(f"heartbeat:{name}") or "{}"))
        if f"pid {beat.get('pid')}," not in title:
            return False
    newest: Any = held.xrevrange("monitoring:incidents", count=1)
    shown = texts(page, ".ledger tbody tr:first-child td:last-child")
    return len(titles) == 5 and shown[0] == newest[0][1]["text"]


SHOWS: Final[dict[str, Callable[[Page, redis.Redis], bool]]] = {
    "wall": shows_the_wall,
    "ladder/SPY": shows_the_ladder,
    "heat/SPY": shows_the_heatmap,
    "rotation": shows_the_rotation,
    "options/SPY": shows_the_chain,
    "budget": shows_the_budget,
    "health": shows_the_processes,
}
