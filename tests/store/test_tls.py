"""TLS on the way to Redis: a terminator before it, so that any build of the server will do."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.store.connection import Store
from tests.store.feeding import feed_some, ping
from tests.support.depth_keys import DepthKeys
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA of our own (`ca.pem`) and a certificate for 127.0.0.1 that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "san.cnf").write_text("subjectAltName=IP:127.0.0.1\n")
    for command in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout ca.key -out ca.pem -subj /CN=tickvisor-test-ca",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        " -keyout server.key -out server.csr -subj /CN=redis",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile san.cnf -out server.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@asynccontextmanager
async def terminator(certificates: Path, redis_port: int) -> AsyncIterator[int]:
    """A port that speaks TLS and passes everything on to Redis."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    links: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
        except OSError:
            return
        finally:
            writer.transport.abort()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", redis_port)
        links.append(asyncio.ensure_future(pump(reader, redis_writer)))
        links.append(asyncio.ensure_future(pump(redis_reader, writer)))

    port = free_port()
    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=context)
    try:
        yield port
    finally:
        server.close()
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)


def test_rediss_writes_through_tls(redis_server: RedisServer, certificates: Path) -> None:
    async def scenario() -> None:
        async with terminator(certificates, redis_server.port) as port:
            ca = certificates / "ca.pem"
            await feed_some(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={ca}")
            store = Store(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={ca}", 2.0)
            assert await store.call(store.client.exists("raw:ibkr:depth:last:SPY")) == 1
            await store.close()

    asyncio.run(scenario())
    with DepthKeys(redis_server.url) as keys:
        assert keys.seqs("SPY") == keys.seqs("QQQ") == list(range(1, 21))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_that_cannot_be_verified_is_refused(
    redis_server: RedisServer, certificates: Path, host: str
) -> None:
    trust = "" if host == "127.0.0.1" else f"?ssl_ca_certs={certificates / 'ca.pem'}"

    async def scenario() -> None:
        async with terminator(certificates, redis_server.port) as port:
            with pytest.raises(
                StoreUnavailable, match="redis not reachable: .*certificate verify failed"
            ):
                await ping(f"rediss://{host}:{port}/0{trust}")

    asyncio.run(scenario())


@pytest.mark.parametrize("option", ["ssl_cert_reqs=none", "ssl_check_hostname=false"])
def test_checks_of_the_certificate_are_loosened_by_the_url(
    redis_server: RedisServer, certificates: Path, option: str
) -> None:
    async def scenario() -> None:
        async with terminator(certificates, redis_server.port) as port:
            await ping(f"rediss://localhost:{port}/0?{option}&ssl_ca_certs={certificates}/ca.pem")

    asyncio.run(scenario())
