"""What the watchdog looks at, read in one round trip a second."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from shared.market.observation import Beat, DepthSeen, Observation, PollSeen
from shared.market.session import Session
from shared.market.venue import canonical
from shared.settings import WORKERS, Settings
from shared.store.connection import Store
from shared.store.kept import number, replies, text
from shared.store.keys import Keys
from shared.store.ops_documents import texts
from shared.store.slots_held import SlotsHeld

_BAR_MS: Final = 5_000
# Indicators change once a minute and are the largest documents here: looked at every so many times.
_DOCUMENTS_EVERY: Final = 5
# States of a venue's book whose request is open.
_OPEN: Final = ("live", "reset")


class _BeatDocument(msgspec.Struct):
    ts: int
    state: str
    connected: bool = False
    detail: str = ""
    started_ts: int = 0


class _Received(msgspec.Struct):
    received_ts: int = 0


class _Book(_Received):
    state: str = ""


class _Fetched(msgspec.Struct):
    fetched_ts: int = 0


class _Circuit(msgspec.Struct):
    state: str = "closed"
    reason: str = ""


class _Slots(msgspec.Struct):
    slots: int = 0


class WatchReader:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        settings: Settings,
        documents_every: int = _DOCUMENTS_EVERY,
    ) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._slots = SlotsHeld(store, keys)
        self._quoted = settings.vendor_symbols()
        vendor = settings.alpha_vantage
        self._news = [one for one in self._quoted if one not in vendor.sentiment_skip]
        self._indicators = tuple(dict.fromkeys(vendor.indicators))
        universe = settings.universe
        # Symbols whose venue the worker finds out.
        self._searched = [
            one for one in settings.depth_symbols() if not universe.by_symbol(one).venues
        ]
        self._rows: dict[tuple[str, str], int] = {}
        self._readings: dict[str, PollSeen] = {}
        # When the depth worker started, by its newest heartbeat.
        self._depth_from_ms = 0
        self._documents_every = documents_every
        self._ticks = 0

    def watched(self) -> dict[str, int]:
        """How many symbols each surface has."""
        quoted = len(self._quoted)
        return {
            # Of more symbols than slots it cannot be told that they are silent.
            "depth": min(
                self._settings.ibkr.max_concurrent_depth, len(self._settings.depth_symbols())
            ),
            **dict.fromkeys(("quotes", "trades", "bars", "options"), quoted),
            "sentiment": len(self._news),
            "technicals": quoted if self._indicators else 0,
        }

    async def read(self, now_ms: int, session: Session) -> Observation:
        """Raises StoreUnavailable, StoreRefused."""
        await self._slots.follow()
        pairs = self._pairs()
        pipe = self._store.client.pipeline(transaction=False)
        self._ask(pipe, pairs)
        found = iter(await replies(self._store, pipe))
        beats = self._beats(found)
        fallback, slots = texts(next(found)), _decoded(next(found), _Slots)
        if "ibkr_depth" in beats:
            self._depth_from_ms = beats["ibkr_depth"].started_ms
        self._find_venues(found)
        depth = self._depth(pairs, found, fallback)
        market = self._market(found)
        polls = {
            "options": {one: _poll(next(found)) for one in self._quoted},
            "sentiment": {one: _poll(next(found)) for one in self._news},
        }
        suspended = texts(next(found))
        if self._ticks % self._documents_every == 0:
            self._read_indicators(found, suspended)
        self._ticks += 1
        return Observation(
            now_ms=now_ms, session=session, beats=beats, depth=depth, **market,
            polls={**polls, "technicals": dict(self._readings)},
            rotation_window_s=self._window_s(depth, slots),
        )  # fmt: skip

    def _ask(self, pipe: Any, pairs: Iterable[tuple[str, str]]) -> None:
        """In the order in which `read` takes the replies."""
        keys = self._keys
        for worker in WORKERS:
            pipe.get(keys.heartbeat(worker))
        pipe.hgetall(keys.depth_fallback())
        pipe.hget(keys.metrics("ibkr"), "ibkr_depth")
        for symbol in self._searched:
            pipe.hmget(keys.depth_last(symbol), ["venue", "ts"])
        for symbol, venue in pairs:
            pipe.get(keys.venue_book(symbol, venue))
        for symbol in self._quoted:
            pipe.hmget(keys.ticker(symbol), ["quote_ts", "quote_received_ts"])
            pipe.lindex(keys.trades(symbol), 0)
            pipe.get(keys.last(symbol))
            pipe.zrange(keys.bars_5s(symbol), -1, -1, withscores=True)
        for monitor, symbols in (
            (keys.options_monitor, self._quoted),
            (keys.sentiment_monitor, self._news),
        ):
            for symbol in symbols:
                pipe.hmget(monitor(symbol), ["fetched_ts", "status", "error"])
        pipe.hgetall(keys.breakers("av_sentiment"))
        if self._ticks % self._documents_every == 0:
            for symbol in self._quoted:
                for indicator in self._indicators:
                    pipe.get(keys.technicals(symbol, indicator))

    def _pairs(self) -> list[tuple[str, str]]:
        """Depth pairs of the settings, and those whose venue the worker that runs has found.

        The ledger outlives changes of the settings: what was left out of them is not asked for.
        """
        universe, symbols = self._settings.universe, self._settings.depth_symbols()
        found = {
            (symbol, canonical(venue)): None
            for symbol in symbols
            for venue in universe.by_symbol(symbol).venues
        }
        named = self._slots.pairs(self._depth_from_ms)
        return list({**found, **{pair: None for pair in named if pair[0] in symbols}})

    def _beats(self, replies: Any) -> dict[str, Beat]:
        found = {}
        for worker in WORKERS:
            beat = _decoded(next(replies), _BeatDocument)
            if beat is not None:
                found[worker] = Beat(
                    beat.ts, beat.state, beat.connected, beat.detail, beat.started_ts
                )
        return found

    def _find_venues(self, replies: Any) -> None:
        """A venue that is found is watched from the next look on."""
        for symbol in self._searched:
            venue, at = next(replies) or (None, None)
            if venue and (at_ms := number(at)):
                self._slots.saw_row((symbol, text(venue)), at_ms)

    def _depth(
        self,
        pairs: Iterable[tuple[str, str]],
        replies: Any,
        fallback: Mapping[str, str],
    ) -> dict[tuple[str, str], DepthSeen]:
        found = {}
        for pair in pairs:
            book = _decoded(next(replies), _Book)
            if book is not None:
                self._rows[pair] = book.received_ts
                if book.state in _OPEN:
                    self._slots.saw_open(pair, book.received_ts)
            since_ms = self._slots.since_ms(pair, self._depth_from_ms)
            refused = fallback.get(":".join(pair), "")
            found[pair] = DepthSeen(self._rows.get(pair), since_ms, refused)
        return found

    def _market(self, replies: Any) -> dict[str, dict[str, int]]:
        quotes, trades, reported, bars = {}, {}, {}, {}
        for symbol in self._quoted:
            quotes[symbol] = max(map(number, next(replies) or [None]))
            trades[symbol] = _received(next(replies))
            reported[symbol] = _received(next(replies))
            newest = next(replies)
            bars[symbol] = _start_ms(newest[0][1]) + _BAR_MS if newest else 0
        return {"quotes": quotes, "trades": trades, "reported": reported, "bars": bars}

    def _read_indicators(self, replies: Any, suspended: Mapping[str, str]) -> None:
        """A symbol's indicators are as old as the oldest of them."""
        for symbol in self._quoted if self._indicators else ():
            seen = []
            for indicator in self._indicators:
                document = _decoded(next(replies), _Fetched)
                fetched_ms = document.fetched_ts if document else 0
                why = _suspension(suspended, symbol, indicator)
                said = f"{indicator}, {why}" if why else ""
                status = "suspended" if why else "ok"
                seen.append(PollSeen(fetched_ms, status, said))
            self._readings[symbol] = min(seen, key=lambda one: one.fetched_ms or 0)

    def _window_s(self, depth: Mapping[tuple[str, str], DepthSeen], slots: _Slots | None) -> float:
        """The rotation window as the contract defines it, with the slots as they are now."""
        ibkr, pinned_symbols = self._settings.ibkr, self._settings.universe.pinned
        eligible = [symbol for (symbol, _), one in depth.items() if not one.refused]
        pinned = sum(symbol in pinned_symbols for symbol in eligible)
        now = slots.slots if slots and slots.slots else ibkr.max_concurrent_depth
        turns = math.ceil((len(eligible) - pinned) / max(1, now - pinned))
        return turns * (ibkr.rotation_s + ibkr.slot_cooldown_s)


def _decoded(value: bytes | None, kind: type[Any]) -> Any:
    """None for what is not there or cannot be read: it then counts as not renewed."""
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _received(value: bytes | None) -> int:
    found = _decoded(value, _Received)
    return int(found.received_ts) if found else 0


def _start_ms(score: float) -> int:
    return int(score) * 1000 if math.isfinite(score) else 0


def _poll(values: list[bytes | None] | None) -> PollSeen:
    fetched, *said = values or [None, None, None]
    status, error = map(text, said)
    return PollSeen(number(fetched), status or "ok", error)


def _suspension(kept: Mapping[str, str], symbol: str, kind: str) -> str:
    for field in (f"*:{kind}", f"{symbol}:{kind}"):
        circuit = _decoded(kept[field].encode(), _Circuit) if field in kept else None
        if circuit is not None and circuit.state != "closed":
            return str(circuit.reason) or "suspended"
    return ""
