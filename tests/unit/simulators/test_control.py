from __future__ import annotations

import asyncio
import json
from typing import Any

from simulators.control import ControlLine
from simulators.errors import CommandError


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


def dispatch(body: Any) -> dict[str, Any]:
    if body == {"command": "x"}:
        raise CommandError("unknown command, was 'x'")
    return {"seen": body}


def spoken(*parts: bytes) -> Wire:
    wire, line = Wire(), ControlLine(dispatch, line_bytes_max=40)
    line.connection_made(wire)
    for part in parts:
        line.data_received(part)
    return wire


def answers(*parts: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in spoken(*parts).written.splitlines()]


def test_every_line_is_answered_by_one() -> None:
    assert answers(b'{"a": 1}\n\n{"b"', b": 2}\n") == [
        {"ok": True, "seen": {"a": 1}},
        {"ok": True, "seen": {"b": 2}},
    ]


def test_what_cannot_be_carried_out_is_told() -> None:
    assert answers(b'{"command": "x"}\n') == [{"ok": False, "error": "unknown command, was 'x'"}]
    assert answers(b"x\n") == [{"ok": False, "error": "line must be JSON, was b'x'"}]


def test_a_line_without_end_closes_the_connection() -> None:
    assert not spoken(b"x" * 40).closed
    assert spoken(b"x" * 41).closed
