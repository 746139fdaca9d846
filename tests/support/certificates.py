"""Throwaway certificates by the openssl command; a Redis server that shows one of them."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.redis_binary import find_redis_server
from shared.settings_redis import password_of, url_as
from tests.support.ports import free_port
from tests.support.redis_users import SECRET, GuardedRedis

_KEY: Final = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
# Name of the file, alternative name, days it is valid.
_SIGNED: Final = (
    ("server", "IP:127.0.0.1,DNS:localhost", 2),
    ("expired", "IP:127.0.0.1,DNS:localhost", -1),
    ("elsewhere", "DNS:redis.example", 2),
    ("client", "DNS:tickvisor", 2),
)


def make_certificates(folder: Path) -> Path:
    """`ca.pem`, the certificates it signed with their keys, and `stranger.pem`, another CA."""
    for name in ("ca", "stranger"):
        _openssl(
            folder, f"req -x509 {_KEY} -days 2 -keyout {name}.key -out {name}.pem -subj /CN={name}"
        )
    for name, names, days in _SIGNED:
        (folder / "names.cnf").write_text(f"subjectAltName={names}\n")
        _openssl(folder, f"req {_KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}")
        _openssl(
            folder,
            f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days}"
            f" -extfile names.cnf -out {name}.pem",
        )
    return folder


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


def server_speaks_tls() -> bool:
    """Whether the Redis here was built with TLS: then it misses the certificate that is not there.

    The one that comes along was not.
    """
    words = [str(find_redis_server()), "--port", "0", "--tls-port", str(free_port())]
    tried = subprocess.run(
        [*words, "--tls-cert-file", "/none"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return "Failed to configure TLS" in tried.stdout


class TlsRedis:
    """A Redis with our users behind TLS, its own where it can, else by a process before it."""

    def __init__(self, directory: Path, certificates: Path, name: str, wants_ours: bool) -> None:
        self.port = free_port()
        self._own = server_speaks_tls()
        files = {
            "--tls-port": str(self.port),
            "--tls-cert-file": f"{certificates}/{name}.pem",
            "--tls-key-file": f"{certificates}/{name}.key",
            "--tls-ca-cert-file": f"{certificates}/ca.pem",
            "--tls-auth-clients": "yes" if wants_ours else "no",
        }
        options = tuple(word for pair in files.items() for word in pair) if self._own else ()
        self.redis = GuardedRedis(directory, options=options)
        self._certificates, self._name, self._wants_ours = certificates, name, wants_ours

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0"

    def url_of(self, user: str, **options: str) -> str:
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"{url_as(self.url, user, password_of(SECRET, user))}?{query}"

    @contextmanager
    def running(self) -> Iterator[TlsRedis]:
        self.redis.start()
        try:
            if self._own:
                yield self
            else:
                with _terminator(self._context(), self.port, self.redis.port):
                    yield self
        finally:
            self.redis.stop()

    def _context(self) -> ssl.SSLContext:
        folder, name = self._certificates, self._name
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED if self._wants_ours else ssl.CERT_NONE
        return context


@contextmanager
def _terminator(context: ssl.SSLContext, port: int, redis_port: int) -> Iterator[None]:
    """Takes TLS on one port and passes on to the other what was in it, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", redis_port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    serving = asyncio.start_server(accept, "127.0.0.1", port, ssl=context)
    server = asyncio.run_coroutine_threadsafe(serving, loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    ours = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not ours]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except OSError:
        return
    finally:
        writer.transport.abort()
