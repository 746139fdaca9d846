"""A real Redis with the users of the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis

from shared.settings import Secret
from shared.settings_redis import ADMIN, password_of, url_as
from shared.store.acl import acl_file
from tests.support.redis_server import RedisServer

SECRET: Final = Secret("a secret of the tests alone")


class GuardedRedis(RedisServer):
    """Lets in nobody without a login."""

    def __init__(
        self,
        directory: Path,
        *,
        prefix: str = "",
        secret: Secret = SECRET,
        options: tuple[str, ...] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        users = directory / "users.acl"
        users.write_text(acl_file(secret, prefix), encoding="utf-8")
        super().__init__(directory, options=("--aclfile", str(users), *options))
        self._secret = secret

    def url_of(self, user: str) -> str:
        return url_as(self.url, user, password_of(self._secret, user))

    def as_user(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.url_of(user), decode_responses=True)

    def client(self) -> redis.Redis:
        return self.as_user(ADMIN)


@contextmanager
def guarded_redis(directory: Path, prefix: str = "") -> Iterator[GuardedRedis]:
    server = GuardedRedis(directory, prefix=prefix)
    server.start()
    try:
        yield server
    finally:
        server.stop()
