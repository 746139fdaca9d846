"""What stands in this environment, held against the locks and the packages' own records."""

from __future__ import annotations

import base64
import hashlib
import re
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

# They come with the interpreter's virtual environment; the product is the tree itself.
UNLOCKED: Final = frozenset({"pip", "tickvisor"})
_CODE: Final = frozenset({".py", ".so", ".pth", ".pyd", ".dll"})
_LICENCE: Final = re.compile(r"License :: (?:OSI Approved :: )?(.+)")
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Lock:
    """An entry; `sure` when it is for every platform."""

    version: str
    sure: bool
    hashes: int


@dataclass(slots=True)
class Audit:
    faults: list[str] = field(default_factory=list)
    licences: dict[str, str] = field(default_factory=dict)
    files: int = 0


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_locks(paths: Iterable[Path]) -> dict[str, Lock]:
    found: dict[str, Lock] = {}
    for path in paths:
        text = path.read_text("utf-8").replace("\\\n", " ")
        for line in filter(None, text.split("\n")):
            pin, _, rest = line.partition(" ")
            name, _, version = pin.partition("==")
            found[normal(name)] = Lock(version, not rest.startswith(";"), rest.count("--hash="))
    return found


def audited(locks: Mapping[str, Lock], site: Path) -> Audit:
    """Everything of `site`, the directory that packages are installed to."""
    audit, owned = Audit(), set[Path]()
    audit.faults += (f"{name}: no hash in the lock" for name in locks if not locks[name].hashes)
    versions: dict[str, str] = {}
    for one in distributions(path=[str(site)]):
        name = normal(one.metadata["Name"])
        versions[name] = one.version
        audit.licences[f"{name} {one.version}"] = licence(one)
        audit.faults += _files(name, one, audit, owned)
    audit.faults += _versions(locks, versions)
    audit.faults += (f"{path}: belongs to no package" for path in _strangers(site, owned))
    return audit


def site_packages() -> Path:
    return Path(sysconfig.get_path("purelib")).resolve()


def licence(one: Distribution) -> str:
    said = {name: one.metadata[name] for name in ("License-Expression", "License")}
    classified = [_LICENCE.fullmatch(text) for text in one.metadata.get_all("Classifier") or ()]
    names = ", ".join(found[1] for found in classified if found)
    # Some put the whole text there.
    free = (said["License"] or "").strip().split("\n")[0]
    return (said["License-Expression"] or names or free)[:_LONGEST] or "not stated"


def _versions(locks: Mapping[str, Lock], versions: Mapping[str, str]) -> Iterator[str]:
    for name, version in sorted(versions.items()):
        if name in UNLOCKED:
            continue
        if name not in locks:
            yield f"{name} {version}: installed, but not locked"
        elif locks[name].version != version:
            yield f"{name}: was {version}, must be {locks[name].version}"
    for name, lock in sorted(locks.items()):
        if lock.sure and name not in versions:
            yield f"{name} {lock.version}: locked, but not installed"


def _files(name: str, one: Distribution, audit: Audit, owned: set[Path]) -> Iterator[str]:
    """Files that are not what the package's record says; all of its files go to `owned`."""
    files = one.files
    if files is None:
        yield f"{name}: has no record of its files"
        return
    for file in files:
        path = Path(str(one.locate_file(file))).resolve()
        owned.add(path)
        # A record has no hash of itself, nor of what is compiled at the installation.
        if file.hash is None:
            continue
        audit.files += 1
        try:
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            yield f"{path}: is not the file that {name} brought"


def _strangers(site: Path, owned: set[Path]) -> list[Path]:
    """Code that would be imported or run though no package brought it."""
    found = (path for path in site.rglob("*") if path.suffix in _CODE and path.is_file())
    return sorted(path for path in found if path.resolve() not in owned)
