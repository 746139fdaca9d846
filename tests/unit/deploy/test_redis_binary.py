from __future__ import annotations

from pathlib import Path

import pytest

from deploy.redis_binary import find_redis_server, major_version


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", 6),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", 7),
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64", 9),
        ("Redis server v=10.0.1", 10),
        ("usage: redis-server", 0),
        ("", 0),
    ],
)
def test_the_version_is_read_from_what_the_server_says(told: str, version: int) -> None:
    assert major_version(told) == version


@pytest.mark.parametrize(("version", "used"), [("6.2.14", False), ("7.2.4", True)])
def test_a_server_on_the_path_without_the_rights_we_need_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, used: bool
) -> None:
    server = tmp_path / "redis-server"
    server.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    server.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (find_redis_server() == server) is used
