"""Which chains are remembered: the last of each symbol, and not more than there is room for."""

from __future__ import annotations

from shared.feeds.alphavantage.options import ChainMemory
from shared.market.option import Chain
from shared.normalize.av_options import ChainRequest
from tests.support.option_bodies import REALTIME, option_body, option_rows
from tests.unit.normalize.test_av_options import read


def chain(symbol: str, contracts: int) -> Chain:
    request = ChainRequest(symbol, symbol, REALTIME)
    return read(option_body(option_rows(contracts, symbol)), request)


def test_the_last_chain_of_each_symbol_is_kept() -> None:
    memory = ChainMemory(limit=10)
    assert memory.get("IBM") is None
    first, second, other = chain("IBM", 4), chain("IBM", 5), chain("SPY", 5)
    for one in (first, second, other):
        memory.keep(one)
    assert memory.get("IBM") is second
    assert memory.get("SPY") is other


def test_where_room_is_short_the_one_read_longest_ago_goes() -> None:
    memory = ChainMemory(limit=10)
    for symbol in ("IBM", "SPY", "IBM", "QQQ"):
        memory.keep(chain(symbol, 5))
    assert memory.get("SPY") is None
    assert memory.get("IBM") is not None and memory.get("QQQ") is not None


def test_a_chain_larger_than_all_room_is_kept_alone() -> None:
    memory = ChainMemory(limit=10)
    memory.keep(chain("IBM", 5))
    memory.keep(chain("SPY", 11))
    assert memory.get("IBM") is None
    assert memory.get("SPY") is not None
