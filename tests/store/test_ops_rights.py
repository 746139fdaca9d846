"""A Redis whose user may not do everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from tests.store.ops_client import Operator, alone

Limited = Callable[..., Operator]


@pytest.fixture
def limited(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Limited]:
    def make(*commands: str) -> Operator:
        client.acl_setuser(
            "operator", enabled=True, passwords=["+secret"], commands=commands, keys=["*"]
        )
        parts = urlsplit(redis_url)
        url = parts._replace(netloc=f"operator:secret@{parts.hostname}:{parts.port}").geturl()
        alone(monkeypatch, tmp_path, url)
        return Operator(client)

    yield make
    client.acl_deluser("operator")


@pytest.mark.parametrize("command", ["stale", "status", "coverage", "gaps", "verify"])
def test_a_user_who_may_read_nothing_is_told_so_in_one_line(limited: Limited, command: str) -> None:
    line = limited("-@all", "+ping", "+client", "+hello").refused(command)
    assert line.startswith("tickvisor: redis at redis://operator:***@")
    assert "permission" in line.lower()


def test_a_user_who_may_not_ask_for_the_memory_sees_the_rest(limited: Limited) -> None:
    ops = limited("+@all", "-info")
    ops.beat("ibkr_depth")
    found = ops.told("status", code=1)
    assert found["redis"] == {"ok": True, "used_bytes": None, "max_bytes": None}
    assert found["processes"][0]["connected"] is True
