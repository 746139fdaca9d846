"""The status as a picture. Pure."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.ops.fit import Cell, Column, table
from shared.views.status import RUNNING, Board, Process
from shared.views.words import NOTHING, age, fixed, milliseconds, size

COLUMNS: Final = (
    Column("process", least=14),
    Column("state"),
    Column("uptime", right=True, drop=2),
    Column("starts", right=True, drop=3),
    Column("beat", right=True),
    Column("conn"),
    Column("upd/s", right=True),
    Column("p99ms", right=True, drop=1),
    Column("stale", right=True),
    Column("detail", drop=4, least=20),
)
_GOOD: Final = "green"
_BAD: Final = "red"


def picture(found: Board, width: int) -> RenderableType:
    parts: list[RenderableType] = [
        Text(_header(found), no_wrap=True, overflow="ellipsis"),
        Text(),
        table(COLUMNS, [_row(one) for one in found.processes], width),
        Text(),
    ]
    if found.ok:
        parts.append(Text("nothing is wrong" if found.notes else "all is well", style=_GOOD))
    parts += (_said("wrong: ", one, _BAD, width) for one in found.wrong)
    parts += (_said("note: ", one, "dim", width) for one in found.notes)
    return Group(*parts)


def _said(label: str, text: str, style: str, width: int) -> Text:
    """Lines that follow stand under the text, so that each label begins one thing."""
    lines = wrap(label + text, max(width, 40), subsequent_indent=" " * len(label))
    return Text("\n".join(lines), style=style)


def _header(found: Board) -> str:
    return f"source {found.source}   market {_session(found)}   redis {_memory(found)}"


def _session(found: Board) -> str:
    state = found.session.get("state", "")
    if not state:
        return "unknown, nobody says"
    closes_ms = milliseconds(found.session.get("closes_ts"))
    opens_ms = milliseconds(found.session.get("next_open_ts"))
    if state == "regular" and closes_ms:
        return f"regular, closes in {age((closes_ms - found.now_ms) / 1000)}"
    if opens_ms:
        return f"{state}, opens in {age((opens_ms - found.now_ms) / 1000)}"
    return state


def _memory(found: Board) -> str:
    if found.memory is None:
        return "unknown"
    used, most = found.memory
    return f"{size(used)} of {size(most)}" if most else size(used)


def _row(one: Process) -> list[Cell]:
    return [
        one.name,
        Text(one.state, style=_state_style(one.state)),
        age(one.uptime_s),
        NOTHING if one.restarts is None else str(one.restarts + 1),
        Text(age(one.heartbeat_age_s), style=_BAD if one.late else ""),
        _connected(one.connected),
        fixed(one.rate_per_s, 1),
        fixed(one.lag_ms, 1),
        Text(NOTHING if one.stale is None else str(one.stale), style=_BAD if one.stale else ""),
        one.detail,
    ]


def _state_style(state: str) -> str:
    if state == RUNNING:
        return _GOOD
    return "dim" if state in ("left out", NOTHING) else _BAD


def _connected(connected: bool | None) -> Text:
    if connected is None:
        return Text(NOTHING)
    return Text("yes") if connected else Text("no", style=_BAD)
