"""The JSON of an option chain, in pieces small enough not to hold up an event loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.market.option import Chain, Contract, Right

_PIECE: Final = 500
_encode: Final = msgspec.json.Encoder().encode


class _Greeks(msgspec.Struct, gc=False):
    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    rho: float | None
    mark: float | None


def chain_pieces(chain: Chain, source: str) -> Iterator[bytes]:
    """The chain document of the contract; joined, the pieces are one JSON object."""
    head = {
        "symbol": chain.symbol,
        "as_of": chain.as_of,
        "fetched_ts": chain.fetched_ms,
        "source": source,
    }
    yield _encode(head)[:-1] + b',"by_contract":{'
    for start in range(0, len(chain.contracts), _PIECE):
        part = chain.contracts[start : start + _PIECE]
        text = _encode({one.contractID: one for one in part})[1:-1]
        yield text if start == 0 else b"," + text
    tail = {"expirations": chain.expirations, "metrics": chain.metrics}
    yield b"}," + _encode(tail)[1:]


def rows_pieces(chain: Chain, right: Right) -> Iterator[bytes]:
    """The vendor's rows of one side; joined, the pieces are one JSON array."""
    start = b"["
    for at in range(0, len(chain.contracts), _PIECE):
        part = chain.contracts[at : at + _PIECE]
        rows = [
            row
            for one, row in zip(part, chain.rows[at : at + _PIECE], strict=True)
            if one.type == right
        ]
        if rows:
            yield start + b",".join(rows)
            start = b","
    yield b"]" if start == b"," else b"[]"


def greeks_text(one: Contract) -> bytes:
    """The greeks document but for its end, which says since when; empty without greeks."""
    greeks = _Greeks(
        one.implied_volatility, one.delta, one.gamma, one.theta, one.vega, one.rho, one.mark
    )
    if one.implied_volatility is None and one.delta is None:
        known = (one.gamma, one.theta, one.vega, one.rho)
        if all(value is None for value in known):
            return b""
    return _encode(greeks)[:-1]


def greeks_document(text: bytes, since_ms: int) -> bytes:
    return b'%b,"ts":%d}' % (text, since_ms)


def event_of(chain: Chain, key: str, counts: Mapping[str, Any]) -> bytes:
    """What subscribers are told once the keys are readable."""
    metrics = chain.metrics
    return _encode(
        {
            "key": key,
            "ts": chain.fetched_ms,
            "status": "ok" if chain.contracts else "empty",
            "as_of": chain.as_of,
            "contracts": metrics.contracts,
            "calls": metrics.calls,
            "puts": metrics.puts,
            **counts,
        }
    )
