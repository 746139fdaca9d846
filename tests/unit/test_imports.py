from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.unit.import_layers import LAYERS, Layer

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("benchmarks", "deploy", "scripts", "shared", "simulators", "workers")
TREES: Final = (*CODE, "tests")
MAX_LINES: Final = 300
VAGUE_NAMES: Final = frozenset({"utils", "helpers", "common", "misc"})
VENDOR_IMPORTS: Final = {
    "ib_async": ("shared.feeds.ibkr",),
    "httpx": ("shared.feeds.alphavantage",),
    "redis": ("shared.store", "deploy"),
    "prometheus_client": ("shared.exporter",),
    "uvicorn": ("shared.serving",),
}
KEY_PREFIXES: Final = (
    "raw:ibkr:", "market:", "options:", "sentiment:", "technicals:", "monitoring:", "heartbeat:",
    "coord:", "events:",
)  # fmt: skip
KEYS_MODULE: Final = "shared.store.keys"


class Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def python_files(trees: tuple[str, ...]) -> list[Path]:
    return sorted(path for tree in trees for path in (ROOT / tree).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> list[Module]:
    return [
        Module(module_name(path), path, ast.parse(path.read_text(encoding="utf-8")))
        for path in python_files(CODE)
    ]


def imported_names(module: Module) -> Iterator[str]:
    package = module.name if module.path.stem == "__init__" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{anchor}.{base}".rstrip(".")
            # `from shared import feeds` names the module in the second half.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def layer_of(name: str) -> Layer | None:
    return next((layer for layer in LAYERS if within(name, layer.name)), None)


def forbidden_imports(module: Module) -> list[str]:
    layer = layer_of(module.name)
    if layer is None:
        return []
    found = []
    for name in imported_names(module):
        top = name.partition(".")[0]
        ours = top in TREES and not any(within(name, allowed) for allowed in layer.ours)
        theirs = any(within(name, never) for never in layer.never)
        vendors = top in VENDOR_IMPORTS and not any(
            within(module.name, home) for home in (*VENDOR_IMPORTS[top], "benchmarks")
        )
        if ours or theirs or vendors:
            found.append(f"{module.name} imports {name}")
    return found


def key_literals(module: Module) -> list[str]:
    docstrings = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    return [
        f"{module.name}:{node.lineno} spells {node.value!r}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and node.value.startswith(KEY_PREFIXES)
    ]


def parsed(name: str, source: str) -> Module:
    return Module(name, ROOT / f"{name.replace('.', '/')}.py", ast.parse(source))


def test_no_layer_imports_what_the_architecture_forbids() -> None:
    assert [found for module in modules() for found in forbidden_imports(module)] == []


def test_a_worker_imports_no_other_worker() -> None:
    workers = [module for module in modules() if within(module.name, "workers")]
    names = [(module.name, name) for module in workers for name in imported_names(module)]
    assert [pair for pair in names if within(pair[1], "workers")] == []


def test_redis_keys_are_spelled_in_one_module_alone() -> None:
    others = [module for module in modules() if module.name != KEYS_MODULE]
    assert [found for module in others for found in key_literals(module)] == []


def test_no_file_outgrows_its_limit() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(TREES)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in python_files(TREES) if path.stem in VAGUE_NAMES] == []


def test_package_markers_are_empty() -> None:
    markers = [path for path in python_files(TREES) if path.name == "__init__.py"]
    assert [str(path) for path in markers if path.stat().st_size] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("shared.market.book", "import time"),
        ("shared.market.book", "from shared.store.keys import Keys"),
        ("shared.control.rotation", "import asyncio"),
        ("shared.control.rotation", "from loguru import logger"),
        ("shared.feeds.ibkr.depth", "from shared.store import sink"),
        ("shared.feeds.ibkr.depth", "def late():\n    from shared import store"),
        ("shared.store.sink", "from shared.feeds.ibkr import depth"),
        ("shared.store.sink", "from ..feeds import ibkr"),
        ("shared.process", "import shared.feeds.ibkr.depth"),
        ("shared.feeds.ibkr.depth", "import redis.asyncio"),
        ("shared.store.sink", "import ib_async"),
        ("workers.ibkr_depth", "from simulators.tws import wire"),
        ("simulators.tws.wire", "from shared.errors import TickvisorError"),
        ("shared.settings", "from shared.feeds.ibkr import depth"),
        ("deploy.start", "from workers import ibkr_depth"),
        ("scripts.tickvisor", "from tests.support import ports"),
    ],
)
def test_a_forbidden_import_is_noticed(name: str, source: str) -> None:
    assert len(forbidden_imports(parsed(name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("shared.market.book", "import math\nfrom shared.market.venue import canonical"),
        ("shared.feeds.ibkr.depth", "import ib_async\nfrom shared.control import rotation"),
        ("shared.store.sink", "import redis.asyncio\nfrom .keys import Keys"),
        ("workers.ibkr_depth", "from shared.feeds.ibkr import depth\nimport asyncio"),
    ],
)
def test_an_allowed_import_is_left_alone(name: str, source: str) -> None:
    assert forbidden_imports(parsed(name, source)) == []


def test_a_stray_key_is_noticed_and_a_docstring_is_not() -> None:
    source = 'def f():\n    """market:SPY:book"""\n    return f"market:{f}:book", "super:market:"'
    assert key_literals(parsed("shared.process", source)) == ["shared.process:3 spells 'market:'"]
