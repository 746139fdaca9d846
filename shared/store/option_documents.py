"""The JSON of an option chain, in pieces small enough not to hold up an event loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from shared.market.option import Chain, ChainPart, Contract, has_greeks

_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines


class _Greeks(msgspec.Struct, gc=False):
    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    rho: float | None
    mark: float | None


class ChainDocuments:
    """Calls, puts and chain of a symbol in pieces, part by part while the chain is still read.

    The pieces of each, joined, are one JSON text. Which session the chain is of is known at its
    end only, so that `as_of` stands there.
    """

    def __init__(self, symbol: str, fetched_ms: int, source: str) -> None:
        head = {"symbol": symbol, "fetched_ts": fetched_ms, "source": source}
        self._ahead = [b"[", b"[", _encode(head)[:-1] + b',"by_contract":{']

    def part(self, part: ChainPart) -> list[bytes]:
        """A piece of calls, of puts and of chain; empty where the part has nothing for it."""
        calls: list[Raw] = []
        puts: list[Raw] = []
        for one, row in zip(part.contracts, part.rows, strict=True):
            (calls if one.type == "call" else puts).append(row)
        typed = _encode({one.contractID: one for one in part.contracts})[1:-1]
        pieces = [b",".join(calls), b",".join(puts), typed]
        for number, piece in enumerate(pieces):
            if piece:
                pieces[number] = self._ahead[number] + piece
                self._ahead[number] = b","
        return pieces

    def end(self, chain: Chain) -> list[bytes]:
        tail = {"as_of": chain.as_of, "expirations": chain.expirations, "metrics": chain.metrics}
        ends = [b"]", b"]", b"}," + _encode(tail)[1:]]
        # What was never begun is begun here.
        return [
            end if ahead == b"," else ahead + end
            for ahead, end in zip(self._ahead, ends, strict=True)
        ]


def whole_documents(chain: Chain, source: str) -> list[bytes]:
    """Calls, puts and chain in one piece each."""
    documents = ChainDocuments(chain.symbol, chain.fetched_ms, source)
    parts = [documents.part(part) for part in chain.parts()]
    return [b"".join(pieces) for pieces in zip(*parts, documents.end(chain), strict=True)]


def greeks_texts(contracts: Iterable[Contract]) -> list[tuple[Contract, bytes]]:
    """Contracts that have greeks, with their document but for its end, which says since when."""
    known = [one for one in contracts if one.implied_volatility is not None or has_greeks(one)]
    lines = _encode_lines(
        [
            _Greeks(
                one.implied_volatility, one.delta, one.gamma, one.theta, one.vega, one.rho, one.mark
            )
            for one in known
        ]
    )
    # Numbers and null alone: no line has another brace than its own.
    texts = lines.split(b"}\n")
    return list(zip(known, texts, strict=False))


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
        self._key_end = self._tail + b"\r\n$"
        self._store_end = b"%b\r\n$2\r\nEX\r\n%b" % (since, expiry)
        self._renew_end = b"%b\r\n%b" % (self._tail, expiry)
        self._store_heads: dict[int, bytes] = {}
        self._renew_heads: dict[int, bytes] = {}
        self._key_heads: dict[int, bytes] = {}

    def key(self, contract: str) -> bytes:
        return self._head + contract.encode() + self._tail

    def store(self, contract: str, text: bytes) -> bytes:
        """SET of the document that begins with `text`, as `greeks_texts` makes it."""
        head = self._heads(self._store_heads, b"*5\r\n$3\r\nSET\r\n", contract)
        return b"%b%b%b%d\r\n%b%b" % (
            head, contract.encode(), self._key_end, len(text) + self._since_bytes, text,
            self._store_end,
        )  # fmt: skip

    def renew(self, contract: str) -> bytes:
        head = self._heads(self._renew_heads, b"*3\r\n$6\r\nEXPIRE\r\n", contract)
        return head + contract.encode() + self._renew_end

    def present(self, contracts: Sequence[str]) -> bytes:
        """EXISTS, which counts those that are there."""
        heads, tail = self._key_heads, self._tail + b"\r\n"
        keys = [self._heads(heads, b"", one) + one.encode() + tail for one in contracts]
        return b"*%d\r\n$6\r\nEXISTS\r\n%b" % (len(keys) + 1, b"".join(keys))

    def _heads(self, known: dict[int, bytes], command: bytes, contract: str) -> bytes:
        """What stands before a contract's id, by its length, of which there are one or two."""
        head = known.get(len(contract))
        if head is None:
            size = len(self._head) + len(contract) + len(self._tail)
            head = known[len(contract)] = b"%b$%d\r\n%b" % (command, size, self._head)
        return head


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
