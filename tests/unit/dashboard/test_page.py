"""The page's files, as far as they can be judged without a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from shared.dashboard.assets import PAGE, assets

FOUND: Final = assets()
SCRIPTS: Final = sorted(name for name in FOUND if name.endswith(".js"))
MOST_LINES: Final = 300


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._tag in ("script", "style") and data.strip():
            self.inline.append(data)


def text(name: str) -> str:
    return FOUND[name].body.decode()


def test_the_page_has_nothing_inline_and_links_only_what_is_here() -> None:
    page = Page()
    page.feed(text(PAGE))
    assert page.inline == []
    linked = [one for one in page.links if not one.startswith("#")]
    assert linked
    assert [one for one in linked if one.removeprefix("/assets/") not in FOUND] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_what_is_here(name: str) -> None:
    imports = re.findall(r'from "([^"]+)"', text(name))
    assert [one for one in imports if one.removeprefix("/assets/") not in FOUND] == []


@pytest.mark.parametrize("name", sorted(FOUND))
def test_nothing_leads_to_another_host(name: str) -> None:
    without_names = text(name).replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", without_names) == []
    assert "@import" not in without_names


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_makes_markup_or_code_of_text(name: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert re.findall(forbidden, text(name)) == []
    assert re.findall(r'"style"|\bstyle:', text(name)) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_outgrows_the_limit_of_a_file(name: str) -> None:
    assert len(text(name).splitlines()) <= MOST_LINES


def test_only_files_of_known_types_are_served(tmp_path: Path) -> None:
    for name in ("a.js", "b.py", "c.html", ".hidden"):
        (tmp_path / name).write_text(name)
    found = assets(tmp_path)
    assert sorted(found) == ["a.js", "c.html"]
    assert found["a.js"].media_type == "text/javascript; charset=utf-8"
    assert found["a.js"].etag != found["c.html"].etag


def lightness(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    if len(colour) == 4:
        colour = "#" + "".join(char * 2 for char in colour[1:])
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((lightness(first), lightness(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette(selector: str) -> dict[str, str]:
    rule = text("base.css").split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,8})", rule))


@pytest.mark.parametrize("selector", [":root", ':root[data-theme="light"]'])
def test_what_is_read_stands_out_from_what_is_behind_it(selector: str) -> None:
    """4.5 to 1 for text (WCAG 2.2, 1.4.3)."""
    found = palette(selector)
    pairs = [
        *(("text", one) for one in ("bg", "panel", "raised", "fresh", "ageing", "overdue")),
        *((one, "panel") for one in ("muted", "bid", "ask", "bad", "warn")),
        ("muted", "bg"),
    ]
    too_faint = {one: round(contrast(found[one[0]], found[one[1]]), 2) for one in pairs}
    assert {one: ratio for one, ratio in too_faint.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("selector", [":root", ':root[data-theme="light"]'])
def test_stale_stands_out_from_fresh_by_lightness_alone(selector: str) -> None:
    found = palette(selector)
    assert contrast(found["stale"], found["fresh"]) >= 3
    assert contrast(found["stale"], found["stale-text"]) >= 3
