from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from deploy.supervisor_client import Program
from shared.settings import Settings, redacted_url


def summary(settings: Settings, programs: Sequence[Program]) -> str:
    public = settings.embedded_url.reveal()
    kind = "embedded" if public else "yours, REDIS_URL"
    gateway = "simulated" if settings.source == "sim" else "yours, IBKR_HOST and IBKR_PORT"
    lines = [
        f"source   {settings.source}",
        f"redis    {redacted_url(public or settings.redis.url)} ({kind})",
        f"gateway  {settings.ibkr.host}:{settings.ibkr.port} ({gateway})",
        f"vendor   {_vendor(settings)}",
        *_pages(settings),
        "",
        table(programs),
    ]
    return "\n".join(lines)


def _vendor(settings: Settings) -> str:
    url = settings.alpha_vantage.base_url
    if settings.source == "sim":
        return f"{url} (simulated)"
    known = "your key" if settings.alpha_vantage.api_key else "no key: ALPHA_VANTAGE_API_KEY"
    return f"{url} ({known})"


def _pages(settings: Settings) -> list[str]:
    dashboard, exporter = settings.dashboard, settings.exporter
    lines = {
        "dashboard": f"page     http://{dashboard.host}:{dashboard.port}/",
        "exporter": f"metrics  http://{exporter.host}:{exporter.port}/metrics",
    }
    return [lines[name] for name in reversed(settings.readers())]


def table(programs: Sequence[Program]) -> str:
    width = max([len("program"), *(len(program.name) for program in programs)])
    rows = [f"{'program':<{width}}  {'state':<9}  detail"]
    rows += [
        f"{program.name:<{width}}  {program.state:<9}  {program.description}"
        for program in programs
    ]
    return "\n".join(row.rstrip() for row in rows)


def last_lines(log: Path, count: int = 15) -> str:
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            return "".join(deque(lines, count)).rstrip()
    except OSError as error:
        return f"(no log: {error.strerror})"


def failure(missing: Sequence[str], suspects: Sequence[str], logs: Path) -> str:
    lines = ["not up:", *(f"  {one}" for one in missing)]
    for name in suspects:
        lines += ["", f"last lines of var/log/{name}.log:", last_lines(logs / f"{name}.log")]
    lines += ["", "what did start goes on running: `make logs` to watch, `make down` to stop"]
    return "\n".join(lines)
