from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from shared.dashboard.guard import HEADERS, Guard, host_is_ours, order_fault

TOKEN: Final = "correct-horse-battery"
PROPER: Final = {
    "host": "127.0.0.1:9473",
    "origin": "http://127.0.0.1:9473",
    "sec-fetch-site": "same-origin",
    "content-type": "application/json",
    "authorization": f"Bearer {TOKEN}",
}


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9473", "localhost:9473", "LOCALHOST:9473", "[::1]:9473"]
)
def test_our_own_names_are_served(host: str) -> None:
    assert host_is_ours(host, 9473)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:9473", "127.0.0.1", "127.0.0.1:80",
     "127.0.0.1.evil.example:9473", "localhost:9473@evil.example", "169.254.0.1:9473"],
)  # fmt: skip
def test_a_name_that_only_leads_here_is_not(host: str) -> None:
    assert not host_is_ours(host, 9473)


def test_a_proper_order_is_obeyed() -> None:
    assert order_fault(PROPER, TOKEN) == (0, "")
    without = {name: value for name, value in PROPER.items() if name != "sec-fetch-site"}
    assert order_fault(without, TOKEN) == (0, "")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"origin": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 403),
        ({"origin": "https://127.0.0.1:9473"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": ""}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"authorization": ""}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401),
        ({"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer \u00e9"}, 401),
    ],
)
def test_an_improper_order_is_not(changes: dict[str, str], status: int) -> None:
    assert order_fault({**PROPER, **changes}, TOKEN)[0] == status


@pytest.mark.parametrize("given", ["Bearer ", "", f"Bearer {TOKEN}"])
def test_without_a_token_of_the_settings_nobody_is_obeyed(given: str) -> None:
    assert order_fault({**PROPER, "authorization": given}, "")[0] == 403


def answer(host: bytes, *more: bytes) -> tuple[int, dict[str, str], bool]:
    """Status, headers, and whether the application was asked."""
    asked: list[bool] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(True)
        headers = [(b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", one) for one in (host, *more)]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(Guard(app)({**scope, "server": ("127.0.0.1", 9473)}, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, bool(asked)


def test_every_answer_has_the_headers_and_keeps_its_own() -> None:
    status, headers, asked = answer(b"localhost:9473")
    assert (status, asked) == (200, True)
    assert headers == {**HEADERS, "cache-control": "no-cache"}


@pytest.mark.parametrize(
    "hosts", [(b"evil.example:9473",), (b"localhost:9473", b"evil.example:9473"), (b"",)]
)
def test_a_foreign_host_never_reaches_the_application(hosts: tuple[bytes, ...]) -> None:
    status, headers, asked = answer(*hosts)
    assert (status, asked) == (421, False)
    assert headers["content-security-policy"] == HEADERS["content-security-policy"]


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    policy = HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none';")
