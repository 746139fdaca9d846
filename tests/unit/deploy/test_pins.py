from __future__ import annotations

import configparser
import re

from shared.settings import repository_root

ROOT = repository_root()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().split()
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def declared() -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    extras = parser["options.extras_require"]
    text = "\n".join([parser["options"]["install_requires"], *extras.values()])
    lines = [line for line in text.split("\n") if line and not line.startswith("tickvisor[")]
    return {normal(name): version for name, _, version in (one.split() for one in lines)}


def test_every_requirement_is_pinned_to_the_locked_version() -> None:
    assert {name: locked().get(name) for name in declared()} == declared()


def test_no_package_host_is_written_down() -> None:
    for name in ("requirements.lock", "setup.cfg", "pyproject.toml", "Makefile"):
        assert not re.search(r"https?://|--find-links|index-url", (ROOT / name).read_text()), name
