"""A process that takes every call it can get from the shared budget.

python -m tests.support.hungry_caller REDIS_URL VENDOR_BASE_URL API_KEY CALLS_PER_MIN SECONDS NAME

Three callers at once, one request for each token; at the end it prints JSON: `made` calls, of
them `refused_by_vendor`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, Final

import httpx
import orjson

from shared.errors import BudgetExhausted
from shared.settings_sections import AlphaVantageSettings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.token_bucket import BucketPolicy, TokenBucket, account_of

CALLERS: Final = 3
_REFUSALS: Final = frozenset({"Information", "Note", "Error Message", "message", "detail"})
_QUERY: Final = {
    "function": "RSI",
    "symbol": "SPY",
    "interval": "5min",
    "time_period": "14",
    "series_type": "close",
}


class HungryCaller:
    def __init__(self, bucket: TokenBucket, client: httpx.AsyncClient, url: str) -> None:
        self.made = 0
        self.refused = 0
        self._bucket = bucket
        self._client = client
        self._url = url

    async def call_until(self, end_s: float, api_key: str) -> None:
        while await self._token(end_s):
            self.made += 1
            answer = await self._client.get(self._url, params={**_QUERY, "apikey": api_key})
            self.refused += _is_refusal(answer)

    async def _token(self, end_s: float) -> bool:
        """False when none came before the end."""
        try:
            async with asyncio.timeout(max(0.0, end_s - time.monotonic())):
                while True:
                    try:
                        await self._bucket.acquire()
                    except BudgetExhausted as error:
                        await asyncio.sleep(error.wait_s)
                    else:
                        return True
        except TimeoutError:
            return False


def _is_refusal(answer: httpx.Response) -> bool:
    if answer.status_code != 200:
        return True
    body: Any = orjson.loads(answer.content)
    return not isinstance(body, dict) or not _REFUSALS.isdisjoint(body)


async def main(arguments: list[str]) -> None:
    redis_url, url, api_key, calls_per_min, seconds, name = arguments
    policy = BucketPolicy.from_settings(AlphaVantageSettings(calls_per_min=int(calls_per_min)))
    end_s = time.monotonic() + float(seconds)
    store = Store(redis_url, 2.0)
    bucket = TokenBucket(store, Keys(), account_of(api_key), policy)
    async with httpx.AsyncClient(headers={"X-Client": name}, timeout=10.0) as client:
        caller = HungryCaller(bucket, client, url)
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(caller.call_until(end_s, api_key))
    await store.close()
    result = {"name": name, "made": caller.made, "refused_by_vendor": caller.refused}
    print(orjson.dumps(result).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
