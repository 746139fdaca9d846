"""A decoder of the requests of the Redis protocol, independent of the product's encoder."""

from __future__ import annotations


def commands(payload: bytes) -> list[list[str]]:
    """The commands of a payload as texts; the payload must hold nothing but whole commands."""
    found: list[list[str]] = []
    at = 0
    while at < len(payload):
        count, at = _number(payload, at, b"*")
        command: list[str] = []
        for _ in range(count):
            size, at = _number(payload, at, b"$")
            command.append(payload[at : at + size].decode())
            assert payload[at + size : at + size + 2] == b"\r\n"
            at += size + 2
        found.append(command)
    return found


def _number(payload: bytes, at: int, kind: bytes) -> tuple[int, int]:
    end = payload.index(b"\r\n", at)
    assert payload[at : at + 1] == kind, payload[at : at + 20]
    return int(payload[at + 1 : end]), end + 2
