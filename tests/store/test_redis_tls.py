"""TLS, logins and unix sockets on both of our ways to Redis, also over a restart of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.settings import Secret
from shared.settings_redis import password_of, url_as
from shared.store.connection import Store
from shared.store.resp import RespConnection, pack
from tests.store.feeding import feeding, ping
from tests.support.certificates import TlsRedis, make_certificates
from tests.support.redis_users import SECRET, GuardedRedis


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mutual(tmp_path: Path, certificates: Path) -> Iterator[TlsRedis]:
    """Wants a certificate of whoever comes."""
    with TlsRedis(tmp_path, certificates, "server", wants_ours=True).running() as found:
        yield found


async def fed_over_a_restart(url: str, server: GuardedRedis) -> None:
    """Twenty updates before the server goes and twenty after it came back, none lost."""
    async with feeding(url) as feed:
        feed.put(10)
        await feed.settle()
        await asyncio.to_thread(server.restart)
        feed.put(10)
        await feed.settle()
        assert feed.losses() == []
    with server.client() as client:
        assert client.hget("raw:ibkr:depth:last:SPY", "seq") == "20"


def test_tls_with_certificates_of_both_sides_a_login_and_a_restart(
    mutual: TlsRedis, certificates: Path
) -> None:
    url = mutual.url_of(
        "ibkr_depth",
        ssl_ca_certs=f"{certificates}/ca.pem",
        ssl_certfile=f"{certificates}/client.pem",
        ssl_keyfile=f"{certificates}/client.key",
    )
    asyncio.run(fed_over_a_restart(url, mutual.redis))

    async def scenario() -> None:
        store = Store(url, 2.0)
        assert await store.call(store.client.exists("raw:ibkr:depth:last:QQQ")) == 1
        await store.close()

    asyncio.run(scenario())


def test_without_the_certificate_that_the_server_wants_nobody_gets_in(
    mutual: TlsRedis, certificates: Path
) -> None:
    url = mutual.url_of("ibkr_depth", ssl_ca_certs=f"{certificates}/ca.pem")

    async def scenario() -> None:
        with pytest.raises(StoreUnavailable):
            await RespConnection(url, 2.0, "test").connect()
        store = Store(url, 2.0)
        with pytest.raises(StoreUnavailable):
            await store.call(store.client.ping())
        await store.close()

    asyncio.run(scenario())


def test_a_socket_with_a_login_and_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    server = GuardedRedis(tmp_path, options=("--unixsocket", str(path), "--unixsocketperm", "700"))
    server.start()
    url = url_as(f"unix://{path}?db=0", "ibkr_depth", password_of(SECRET, "ibkr_depth"))
    try:
        asyncio.run(fed_over_a_restart(url, server))
        asyncio.run(refused(url_as(url, "ibkr_depth", Secret("wrong"))))
    finally:
        server.stop()


async def refused(url: str) -> None:
    connection = RespConnection(url, 2.0, "test")
    with pytest.raises(StoreUnavailable, match="redis refused the login: WRONGPASS"):
        await connection.connect()
    with pytest.raises(StoreUnavailable, match="not connected"):
        connection.send(pack(b"PING"), 1)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[TlsRedis]:
    """Its certificate is of another host than the one it is reached at."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with TlsRedis(folder, certificates, "elsewhere", wants_ours=False).running() as found:
        yield found


@pytest.mark.parametrize("options", [{}, {"ssl_ca_certs": "ca.pem"}])
def test_a_certificate_that_cannot_be_verified_is_refused(
    elsewhere: TlsRedis, certificates: Path, options: dict[str, str]
) -> None:
    paths = {name: f"{certificates}/{file}" for name, file in options.items()}
    with pytest.raises(StoreUnavailable, match="redis not reachable: .*certificate verify failed"):
        asyncio.run(ping(elsewhere.url_of("ibkr_depth", **paths)))


@pytest.mark.parametrize("loosened", [{"ssl_cert_reqs": "none"}, {"ssl_check_hostname": "false"}])
def test_checks_of_the_certificate_are_loosened_by_the_url(
    elsewhere: TlsRedis, certificates: Path, loosened: dict[str, str]
) -> None:
    ca = f"{certificates}/ca.pem"
    asyncio.run(ping(elsewhere.url_of("ibkr_depth", ssl_ca_certs=ca, **loosened)))
