"""An option chain's response body → `Chain`, in steps of a millisecond.

A chain has up to 12,000 contracts in 8 MB. Decoding it in one piece would hold up the event loop
for tens of milliseconds, so the body is cut behind contracts and decoded piece by piece. A piece
that the typed decoder refuses (one `""` or `"None"` among its values is enough) is read value by
value instead: only what is bad is left out, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from shared.errors import BadDocument
from shared.market.option import (
    Chain,
    ChainFaults,
    ChainPart,
    Contract,
    Summary,
    bare_prices,
    empty_chain,
    is_junk,
    without_greeks,
)
from shared.normalize.av_contracts import (
    Identity,
    is_sound,
    read_tolerantly,
    spelled_alike,
)
from shared.normalize.av_rows_before import RowsBefore

_PIECE_BYTES: Final = 262_144
_SUCCESS: Final = "success"
_NOTHING: Final = ChainPart((), ())
# A chain of which more is unusable is no chain.
_MAX_DROPPED_SHARE: Final = 0.5
_ROW_END: Final = re.compile(rb"\}\s*(?:,\s*(?=\{)|\]\Z)")
# Members that are texts, then the rows, then nothing.
_TEXT: Final = rb'\s*"(?:[^"\\]|\\.){0,400}"\s*'
_HEAD: Final = re.compile(rb'\s*\{(?:%b:%b,){0,9}\s*"data"\s*:\s*(?=\[)' % (_TEXT, _TEXT))
_TAIL: Final = re.compile(rb"\s*\}\s*\Z")


class _Envelope(Struct):
    endpoint: str
    message: str
    data: Raw


class _Rows(NamedTuple):
    """The list of rows in a text, with its brackets."""

    text: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """What was asked for, to compare the answer with.

    `vendor_symbol` is the underlying as the vendor spells it; `day` (YYYY-MM-DD) is the session
    of a historical chain, or empty.
    """

    symbol: str
    vendor_symbol: str
    endpoint: str
    day: str = ""


_envelopes: Final = msgspec.json.Decoder(_Envelope)
_contracts: Final = msgspec.json.Decoder(list[Contract], strict=False)
_rows: Final = msgspec.json.Decoder(list[Raw])


def read_chain(
    body: bytes, request: ChainRequest, now_ms: int, before: Chain | None = None
) -> Generator[ChainPart, None, Chain]:
    """Decode and check; yields each part that was read.

    The generator's return value is the chain, empty when it has no rows. Until then no part can
    be trusted. `before` is an earlier chain of the same request: contracts whose rows are still
    the same are taken from it, so that they are the same objects.

    Raises:
        BadDocument: not JSON, another endpoint, symbol or day than asked for, a message that is
            not "success", or contracts that cannot be told apart.
    """
    envelope, rows = _opened(body, request)
    _check_envelope(envelope, request)
    yield _NOTHING
    reading = _Reading(request, now_ms, RowsBefore(before))
    yield from reading.pieces(rows)
    return reading.chain()


def _opened(body: bytes, request: ChainRequest) -> tuple[_Envelope, _Rows]:
    """What stands around the list of rows, and where the list is."""
    found = _HEAD.match(body)
    start = found.end() if found else 0
    end = body.find(b"]", start) + 1
    try:
        # One list, last and without another in it: it is read once, piece by piece.
        if found and end and _TAIL.match(body, end):
            return _envelopes.decode(body[:start] + b"[]}"), _Rows(body, start, end)
        envelope = _envelopes.decode(body)
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"chain of {request.symbol}: {error}") from None
    text = bytes(envelope.data)
    return envelope, _Rows(text, 0, len(text))


def _check_envelope(envelope: _Envelope, request: ChainRequest) -> None:
    message = envelope.message.strip()
    if message.lower() != _SUCCESS:
        raise BadDocument(f"message: was {message[:200]!r}, must be {_SUCCESS!r}")
    endpoint = envelope.endpoint.strip()
    # "Realtime Options FMV" is another product; " - DATA DELAYED ..." is the same, marked.
    if endpoint != request.endpoint and not endpoint.startswith(f"{request.endpoint} - "):
        raise BadDocument(f"endpoint: was {endpoint[:80]!r}, must be {request.endpoint!r}")


@dataclass(slots=True)
class _Reading:
    request: ChainRequest
    now_ms: int
    before: RowsBefore
    contracts: list[Contract] = field(default_factory=list)
    rows: list[Raw] = field(default_factory=list)
    summary: Summary = field(default_factory=Summary)
    faults: ChainFaults = field(default_factory=ChainFaults)
    identity: Identity = field(default_factory=Identity)
    days: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    # The identities of the part's contracts whose greeks were junk.
    junk: set[int] = field(default_factory=set)

    def pieces(self, rows: _Rows) -> Generator[ChainPart, None, None]:
        text, end = rows.text, rows.end
        at = text.find(b"{", rows.start, end)
        if at < 0 or text[rows.start : at].strip() != b"[":
            self._check_no_rows(text[rows.start : end])
            return
        while at < end:
            found = _ROW_END.search(text, at + _PIECE_BYTES, end)
            cut, following = (found.start() + 1, found.end()) if found else (end - 1, end)
            try:
                piece = self._readable(text[at:cut])
            except BadDocument:
                # The brace stood inside a value: what is left is read as one piece.
                piece, following = self._readable(text[at : end - 1]), end
            # Two steps, for whoever waits for the processor.
            yield _NOTHING
            yield self._take(piece)
            at = following

    def chain(self) -> Chain:
        request = self.request
        if self.faults.dropped > _MAX_DROPPED_SHARE * (len(self.contracts) + self.faults.dropped):
            raise BadDocument(
                f"chain of {request.symbol}: {self.faults.dropped} contracts of"
                f" {len(self.contracts) + self.faults.dropped} are unusable, at most half may be"
            )
        if not self.contracts:
            return empty_chain(request.symbol, self.now_ms)
        as_of = self._as_of()
        expirations, metrics = self.summary.finished(as_of)
        return Chain(
            request.symbol, as_of, self.now_ms, self.contracts, self.rows,
            expirations, metrics, self.faults, self.doubtful,
        )  # fmt: skip

    def _readable(self, piece: bytes) -> bytes:
        """The rows as a list without white space, which others will be able to read."""
        try:
            text = msgspec.json.format(b"[%b]" % piece, indent=-1)
            if b"\\" in text or not text.isascii():
                # What the typed decoder has no field for it does not look at.
                msgspec.json.decode(text)
        except (ValueError, RecursionError) as error:
            raise BadDocument(f"chain of {self.request.symbol}: {error}") from None
        return text

    def _take(self, text: bytes) -> ChainPart:
        rows = _rows.decode(text)
        found = self.before.matched(rows)
        self.junk.clear()
        if found:
            contracts, rows = self._read_some(found, rows)
        else:
            contracts, rows = self._read(text, rows)
        contracts, rows = self.identity.single(contracts, rows, self.faults)
        if contracts:
            self.before.read_up_to(contracts[-1])
        self.days.update([one.date for one in contracts])
        junk = sum([id(one) in self.junk for one in contracts]) if self.junk else 0
        self.summary.add(contracts, junk)
        self.contracts += contracts
        self.rows += rows
        return ChainPart(contracts, rows)

    def _read(self, text: bytes, rows: list[Raw]) -> tuple[list[Contract], list[Raw]]:
        """Contracts that can be used, with their rows."""
        try:
            contracts = _contracts.decode(text)
        except msgspec.ValidationError:
            contracts, rows = read_tolerantly(rows, self.faults, self.doubtful)
        self._check_symbols(contracts)
        if not is_sound(contracts):
            contracts, rows = self.identity.sound_alone(contracts, rows, self.faults)
        for one in bare_prices(contracts):
            if is_junk(one):
                without_greeks(one)
                self.doubtful.add(one.contractID)
                self.junk.add(id(one))
        return contracts, rows

    def _read_some(
        self, found: list[Contract | None], rows: list[Raw]
    ) -> tuple[list[Contract], list[Raw]]:
        """As `_read`, of rows of which some contracts are known."""
        new = [number for number, one in enumerate(found) if one is None]
        if new:
            fresh = [rows[number] for number in new]
            contracts, kept = self._read(b"[%b]" % b",".join(fresh), fresh)
            usable = {id(row): one for one, row in zip(contracts, kept, strict=True)}
            for number, row in zip(new, fresh, strict=True):
                found[number] = usable.get(id(row))
        pairs = [(one, row) for one, row in zip(found, rows, strict=True) if one is not None]
        return [one for one, _ in pairs], [row for _, row in pairs]

    def _check_symbols(self, contracts: list[Contract]) -> None:
        wanted = self.request.vendor_symbol
        for found in {one.symbol for one in contracts}:
            if not spelled_alike(found, wanted):
                raise BadDocument(f"symbol of a contract: was {found[:40]!r}, must be {wanted!r}")

    def _check_no_rows(self, text: bytes) -> None:
        if text.translate(None, b" \t\r\n") != b"[]":
            raise BadDocument(f"data: was {text[:40]!r}, must be a list of contracts")

    def _as_of(self) -> str:
        """The session that the chain is of: the newest date of its rows."""
        day = max(self.days)
        if self.request.day and day != self.request.day:
            raise BadDocument(f"date: was {day!r}, must be {self.request.day!r}")
        # A day of the vendor's may have begun before ours; more is a made-up date.
        newest = datetime.fromtimestamp(self.now_ms / 1000, UTC).date() + timedelta(days=2)
        if not day or date.fromisoformat(day) > newest:
            raise BadDocument(f"date: was {day!r}, must be a day up to {newest}")
        return day
