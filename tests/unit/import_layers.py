"""Which layer may import which, as docs/architecture.md has it."""

from __future__ import annotations

from typing import Final, NamedTuple

PURE: Final = ("redis", "httpx", "ib_async", "loguru", "socket", "time", "yaml")


class Layer(NamedTuple):
    """What the modules under one package may import of ours, and what never of others."""

    name: str
    ours: tuple[str, ...]
    never: tuple[str, ...] = ()


_SETTINGS: Final = (
    "shared.settings",
    "shared.settings_addresses",
    "shared.settings_checks",
    "shared.settings_environment",
    "shared.settings_fields",
    "shared.settings_redis",
    "shared.settings_sections",
    "shared.settings_simulated",
    "shared.settings_words",
    "shared.universe",
    "shared.yaml_document",
)
_READ_BY_DEPLOY: Final = (
    "shared.settings",
    "shared.settings_redis",
    "shared.errors",
    "shared.store.acl",
    "shared.store.keys",
)
# The first layer whose name fits a module counts: the narrow ones stand before the wide ones.
LAYERS: Final = (
    Layer("shared.errors", (), (*PURE, "asyncio")),
    Layer("shared.give_way", (), PURE),
    Layer("shared.market", ("shared.market", "shared.errors"), (*PURE, "asyncio")),
    Layer(
        "shared.control", ("shared.control", "shared.market", "shared.errors"), (*PURE, "asyncio")
    ),
    Layer(
        "shared.normalize",
        ("shared.normalize", "shared.market", "shared.errors"),
        (*PURE, "asyncio"),
    ),
    *(
        Layer(name, ("shared.market", "shared.errors", *_SETTINGS), ("asyncio", "loguru"))
        for name in _SETTINGS
    ),
    Layer(
        "shared.feeds",
        (
            "shared.feeds",
            "shared.control",
            "shared.normalize",
            "shared.market",
            "shared.errors",
            "shared.give_way",
            *_SETTINGS,
        ),
    ),
    Layer("shared.schema", ("shared.schema", "shared.market", "shared.errors"), (*PURE, "asyncio")),
    Layer(
        "shared.store",
        (
            "shared.store",
            "shared.schema",
            "shared.market",
            "shared.errors",
            "shared.give_way",
            *_SETTINGS,
        ),
    ),
    Layer(
        "shared.process",
        (
            "shared.store",
            "shared.logs",
            "shared.stall",
            "shared.version",
            "shared.errors",
            *_SETTINGS,
        ),
    ),
    Layer(
        "shared.exporter",
        (
            "shared.exporter",
            "shared.views",
            "shared.store",
            "shared.market",
            "shared.errors",
            "shared.freshness_budgets",
            "shared.version",
            *_SETTINGS,
        ),
    ),
    Layer("shared.session", ("shared.session", "shared.market", "shared.errors", *_SETTINGS)),
    Layer("shared.alerts", ("shared.alerts", "shared.market", "shared.errors", *_SETTINGS)),
    # What was read, as people look at it: of the store the shapes of what it reads, no reading.
    Layer(
        "shared.views",
        (
            "shared.views",
            "shared.market",
            "shared.control.freshness",
            "shared.store.dashboard_reader",
            "shared.store.ops_ledgers",
            "shared.store.ops_market",
            "shared.store.ops_reader",
            *_SETTINGS,
        ),
        (*PURE, "asyncio"),
    ),
    Layer(
        "shared.dashboard",
        (
            "shared.dashboard",
            "shared.views",
            "shared.store",
            "shared.market",
            "shared.control.freshness",
            "shared.errors",
            "shared.freshness_budgets",
            "shared.logs",
            "shared.stall",
            "shared.version",
            *_SETTINGS,
        ),
    ),
    Layer("shared", ("shared",)),
    Layer("workers", ("shared",)),
    Layer("scripts", ("shared", "scripts", "deploy.supervisor_client", "deploy.layout")),
    # The guardian writes incidents by the same script as the workers.
    Layer("deploy.listeners", ("deploy", *_READ_BY_DEPLOY, "shared.store.scripts")),
    Layer("deploy", ("deploy", *_READ_BY_DEPLOY)),
    # A bug in our codec must not hide in theirs.
    Layer("simulators", ("simulators",)),
    Layer("benchmarks", ("benchmarks", "shared", "workers", "simulators", "deploy")),
)
