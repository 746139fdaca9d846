"""Greeks of a changed chain that are as they were: not written again, and they live on."""

from __future__ import annotations

import pytest
import redis

from shared.store.options import OptionsStore
from tests.store.test_options import LATER_MS, chain_of, counts, names, on, since, stored, write
from tests.support.option_bodies import NOW_MS, option_rows


def test_contracts_taken_over_from_the_chain_before_are_renewed(
    redis_url: str, client: redis.Redis
) -> None:
    rows = option_rows(600)
    first = chain_of(rows)
    second = chain_of([rows[0] | {"mark": "7.77"}, *rows[1:]], LATER_MS)
    second.contracts[1:] = first.contracts[1:]
    (_, done) = write(redis_url, first, second)
    assert counts(done) == (1, 599, 0)
    assert stored(client, f"options:IBM:{rows[0]['contractID']}:greeks")["mark"] == 7.77


@pytest.mark.parametrize("same", [False, True])
def test_greeks_that_did_not_change_live_on(
    redis_url: str, client: redis.Redis, same: bool
) -> None:
    rows, now_s = option_rows(600), [1000.0]

    async def work(store: OptionsStore) -> None:
        first = chain_of(rows)
        await store.write(first, 1)
        for key in names(client):
            client.expire(key, 5)
        # A third of their life later each has had its turn.
        for number in range(2, 5):
            now_s[0] += 10.0
            after = chain_of(rows, LATER_MS)
            if same:
                after.contracts[:] = first.contracts
            done = await store.write(after, number)
            assert counts(done) == (0, 600, 0)

    on(redis_url, work, clock=lambda: now_s[0])
    for key in names(client, "options:IBM:*:greeks"):
        assert int(str(client.ttl(key))) >= 88
    assert set(since(client).values()) == {NOW_MS}
