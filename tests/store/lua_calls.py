from __future__ import annotations

from typing import Any

import redis

from shared.store.scripts import script


def call(client: redis.Redis, name: str, keys: list[str], *args: object) -> Any:
    return client.eval(script(name).text, len(keys), *keys, *map(str, args))


def read(client: redis.Redis, key: str) -> dict[str, str]:
    found: Any = client.hgetall(key)
    return dict(found)
