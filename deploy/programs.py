from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.layout import Layout, write_private
from deploy.plan import EmbeddedRedis, Plan, TwsSimulator, VendorSimulator
from shared.store.acl import acl_file

_TEMPLATES = Path(__file__).parent / "supervisor"


def write_programs(plan: Plan, layout: Layout) -> None:
    """var/supervisor/*.conf and the addresses that workers, scripts and tests look up."""
    for old in layout.programs.glob("*.conf"):
        old.unlink()
    for name, text in rendered(plan, layout.root).items():
        write_private(layout.programs / name, text)
    if plan.redis is not None:
        write_private(layout.redis_acl, acl_file(plan.redis.password, plan.redis.key_prefix))
        write_private(layout.redis_url, f"{plan.redis.url}\n")
    addresses = ((plan.tws, layout.tws_address), (plan.vendor, layout.vendor_address))
    for simulator, path in addresses:
        if simulator is not None:
            address = {
                "host": simulator.settings.host,
                "port": simulator.port,
                "control_port": simulator.control_port,
            }
            write_private(path, f"{json.dumps(address)}\n")
    for name, port in plan.readers.items():
        address = {"host": "127.0.0.1", "port": port}
        write_private(layout.reader_address(name), f"{json.dumps(address)}\n")


def rendered(plan: Plan, root: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    if plan.redis is not None:
        texts["redis.conf"] = _filled("redis.conf", _redis(plan.redis, root))
    if plan.tws is not None:
        texts["tws_simulator.conf"] = _simulator("tws", tws_arguments(plan.tws), root)
    if plan.vendor is not None:
        arguments = vendor_arguments(plan.vendor)
        texts["alphavantage_simulator.conf"] = _simulator("alphavantage", arguments, root)
    for worker in plan.left_out:
        texts[f"left_out_{worker}.conf"] = _filled("left_out.conf", {"worker": worker})
    return texts


def tws_arguments(tws: TwsSimulator) -> list[str]:
    options = {
        "--host": tws.settings.host,
        "--port": tws.port,
        "--control-port": tws.control_port,
        "--seed": tws.settings.seed,
        "--rate": tws.settings.updates_per_s,
        "--depth-cap": tws.settings.depth_cap,
        "--style": tws.settings.style,
    }
    return _words(options, tws.settings.scenario)


def vendor_arguments(vendor: VendorSimulator) -> list[str]:
    options = {
        "--host": vendor.settings.host,
        "--port": vendor.port,
        "--control-port": vendor.control_port,
        "--seed": vendor.settings.seed,
        "--plan": vendor.settings.plan,
        "--contracts": vendor.settings.contracts,
        "--moving": vendor.settings.moving,
    }
    return _words(options, vendor.settings.scenario)


def _words(options: Mapping[str, object], scenario: str) -> list[str]:
    words = [str(part) for pair in options.items() for part in pair]
    return [*words, "--scenario", scenario] if scenario else words


def _simulator(name: str, arguments: list[str], root: Path) -> str:
    words = " ".join(_quoted(word) for word in arguments)
    return _filled(
        "simulator.conf", {"name": name, "root": _escaped(str(root)), "arguments": words}
    )


def _redis(redis: EmbeddedRedis, root: Path) -> dict[str, str]:
    return {
        "server": _escaped(str(redis.server)),
        "root": _escaped(str(root)),
        "port": str(redis.port),
        "maxmemory_mb": str(redis.maxmemory_mb),
    }


def _filled(name: str, values: dict[str, str]) -> str:
    return Template((_TEMPLATES / name).read_text(encoding="utf-8")).substitute(values)


def _quoted(word: str) -> str:
    return _escaped(shlex.quote(word))


def _escaped(text: str) -> str:
    """supervisord expands %(name)s in every value."""
    return text.replace("%", "%%")
