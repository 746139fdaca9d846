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


def test_contracts_of_the_chain_written_longest_ago_are_forgotten_and_its_greeks_live_on(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.options.REMEMBERED_CONTRACTS", 10)
    chains = [chain_of(option_rows(5, symbol), symbol=symbol) for symbol in ("IBM", "SPY", "QQQ")]

    async def work(store: OptionsStore) -> list[tuple[int, int, int]]:
        for chain in chains:
            await store.write(chain, 1)
        remembered = [len(store._known[chain.symbol].greeks.contracts) for chain in chains]
        assert remembered == [0, 5, 5]
        return [counts(await store.write(chain, 2)) for chain in chains]

    assert on(redis_url, work) == [(0, 5, 0)] * 3
