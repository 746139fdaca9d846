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
    return text + _since(since_ms)


class GreeksCommands:
    """Packs the commands for the greeks of one symbol; what all have in common is made once.

    `pattern` is their key with a NUL in the contract's place, `since_ms` the moment they are of.
    """

    def __init__(self, pattern: bytes, ttl: bytes, since_ms: int) -> None:
        self._head, self._tail = pattern.split(b"\0")
        since, expiry = _since(since_ms), b"$%d\r\n%b\r\n" % (len(ttl), ttl)
        self._since_bytes = len(since)
        self._store_end = b"%b\r\n$2\r\nEX\r\n%b" % (since, expiry)
        self._renew_end = b"\r\n%b" % expiry

    def key(self, contract: str) -> bytes:
        return self._head + contract.encode() + self._tail

    def store(self, contract: str, text: bytes) -> bytes:
        """SET of the document that begins with `text`, as `greeks_text` makes it."""
        key = self._head + contract.encode() + self._tail
        return b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b%b" % (
            len(key), key, len(text) + self._since_bytes, text, self._store_end,
        )  # fmt: skip

    def renew(self, contract: str) -> bytes:
        key = self._head + contract.encode() + self._tail
        return b"*3\r\n$6\r\nEXPIRE\r\n$%d\r\n%b%b" % (len(key), key, self._renew_end)


def _since(since_ms: int) -> bytes:
    return b',"ts":%d}' % since_ms


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
