from __future__ import annotations

import configparser
import re
import tomllib

from scripts.installed_packages import normal, read_locks
from shared.settings import repository_root

ROOT = repository_root()
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-audit.lock")


def locked() -> dict[str, str]:
    locks = read_locks([ROOT / "requirements.lock", ROOT / "requirements-dev.lock"])
    return {name: lock.version for name, lock in locks.items()}


def declared() -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    extras = parser["options.extras_require"]
    text = "\n".join([parser["options"]["install_requires"], *extras.values()])
    lines = [line for line in text.split("\n") if line and not line.startswith("tickvisor[")]
    return {normal(name): version for name, _, version in (one.split() for one in lines)}


def test_every_requirement_is_pinned_to_the_locked_version() -> None:
    assert {name: locked().get(name) for name in declared()} == declared()


def test_what_builds_the_product_is_locked_too() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for requirement in document["build-system"]["requires"]:
        name, _, version = requirement.partition("==")
        assert locked()[name] == version


def test_every_locked_version_has_its_hashes() -> None:
    for name in LOCKS:
        locks = read_locks([ROOT / name])
        assert len(locks) > 15
        assert [one for one, lock in locks.items() if not (lock.version and lock.hashes)] == []


def test_the_locks_do_not_overlap() -> None:
    runtime = read_locks([ROOT / "requirements.lock"])
    assert not runtime.keys() & read_locks([ROOT / "requirements-dev.lock"]).keys()


def test_no_package_host_is_written_down() -> None:
    for name in (*LOCKS, "setup.cfg", "pyproject.toml", "Makefile"):
        assert not re.search(r"https?://|--find-links|index-url", (ROOT / name).read_text()), name
