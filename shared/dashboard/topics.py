"""What can be looked at, how often it is read, and how."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from shared.dashboard.background import Background
from shared.freshness_budgets import freshness_policy
from shared.market.venue import canonical
from shared.settings import VENDOR_WORKERS, Settings
from shared.store.connection import Store
from shared.store.dashboard_reader import Chain, DashboardReader
from shared.store.keys import Keys
from shared.store.market_session import session_of
from shared.store.ops_ledgers import Entry, newest, newest_id
from shared.store.ops_market import read_book, venues_of
from shared.store.ops_reader import OpsReader
from shared.store.token_bucket import BucketPolicy, account_of
from shared.store.watch_reader import WatchReader
from shared.views import budget, coverage, heat, ladder, machine, smile, wall
from shared.views.gantt import REACH_S, gantt

Parts = dict[str, Any]
Read = Callable[[], Awaitable[Parts]]

_TAPE: Final = 60
_LEDGER: Final = 200
_ENTRIES: Final = 4_000
_OF_A_SYMBOL: Final = ("ladder", "heat", "options")
_OF_ALL: Final = ("top", "wall", "rotation", "budget", "processes", "incidents", "gaps")
# Columns that are sent each second: whoever missed more asks for all.
_NEWEST: Final = 5


@dataclass(frozen=True, slots=True)
class Topic:
    period_s: float
    read: Read


class Topics:
    """Topics by name: `wall`, `ladder:SPY`, ...; each is made when somebody begins to look."""

    def __init__(
        self, settings: Settings, store: Store, keys: Keys, background: Background
    ) -> None:
        self._settings = settings
        self._store = store
        self._keys = keys
        self._background = background
        self._reader = DashboardReader(store, keys)
        self._ops = OpsReader(store, keys)
        self.symbols = settings.market_symbols()

    def exists(self, name: str) -> bool:
        kind, _, symbol = name.partition(":")
        if symbol:
            return kind in _OF_A_SYMBOL and symbol in self.symbols
        return kind in _OF_ALL

    def make(self, name: str) -> Topic:
        kind, _, symbol = name.partition(":")
        builders: dict[str, Callable[[], Topic]] = {
            "top": lambda: Topic(1.0, self._top),
            "wall": self._wall,
            "ladder": lambda: self._ladder(symbol),
            "heat": lambda: self._heat(symbol),
            "rotation": self._rotation,
            "options": lambda: self._options(symbol),
            "budget": lambda: Topic(1.0, self._budget),
            "processes": lambda: Topic(1.0, self._processes),
            "incidents": lambda: self._ledger(self._keys.incidents()),
            "gaps": lambda: self._ledger(self._keys.gaps()),
        }
        return builders[kind]()

    async def _top(self) -> Parts:
        found = self._background.board
        return {
            "state": {
                "source": found.source,
                "session": found.session,
                "wrong": found.wrong,
                "notes": found.notes,
                "memory": found.memory,
                "stale": len(self._background.status.stale.rows),
                "checked_ms": self._background.status.stale.checked_ms,
                "began_ms": self._background.began_ms,
                "anew": self._background.lives.anew(),
                "may_order": bool(self._settings.dashboard.operator_token.reveal()),
            },
            "symbols": {"all": self.symbols, "depth": self._settings.depth_symbols()},
        }

    def _wall(self) -> Topic:
        reader = WatchReader(self._store, self._keys, self._settings)
        policy = freshness_policy(self._settings)

        async def read() -> Parts:
            status = self._background.status
            seen = await reader.read(self._background.now_ms(), session_of(status.session))
            rows = wall.rows(seen, (await self._ops.stale()).rows, policy, self.symbols)
            shown: Parts = {f"row:{one.symbol}": one for one in rows}
            return {
                "surfaces": wall.SURFACES,
                **shown,
                "rates": self._background.pulse.lines(),
            }

        return Topic(0.5, read)

    def _ladder(self, symbol: str) -> Topic:
        named = {canonical(one) for one in self._settings.universe.by_symbol(symbol).venues}

        async def read() -> Parts:
            venues = named or await venues_of(self._store, self._keys, symbol)
            seen = await read_book(self._store, self._keys, symbol, venues, _TAPE)
            return ladder.parts(seen, await self._reader.ticker(symbol), symbol)

        return Topic(0.25, read)

    def _heat(self, symbol: str) -> Topic:
        async def read() -> Parts:
            since_ms = self._background.now_ms() - heat.COLUMNS * 1000
            entries = await newest(self._store, self._keys.gaps(), _LEDGER, lambda _: True)
            bands = heat.bands((one.fields for one in entries), symbol, since_ms)
            found = self._background.heat(symbol)
            return {"newest": found.newest(_NEWEST), "gaps": bands}

        return Topic(1.0, read)

    def _rotation(self) -> Topic:
        entries: deque[Entry] = deque(maxlen=_ENTRIES)

        async def read() -> Parts:
            oldest_ms = self._background.now_ms() - REACH_S * 1000
            entries.extend(
                await self._reader.rotation(entries[-1].id if entries else str(oldest_ms))
            )
            while len(entries) > 1 and int(entries[0].id.partition("-")[0]) < oldest_ms:
                entries.popleft()
            seen = await self._ops.coverage()
            shown = gantt((one.fields for one in entries), seen.started_ms, seen.live)
            covered = coverage.view(seen, self._settings.depth_symbols())
            return {
                "spans": shown.spans,
                "marks": shown.marks,
                "coverage": covered.rows,
                "slots": self._settings.ibkr.max_concurrent_depth,
            }

        return Topic(1.0, read)

    def _options(self, symbol: str) -> Topic:
        """The chain is read when another one was fetched; a large one is megabytes."""
        kept: dict[str, Any] = {"stamp": "", "chain": None, "curves": {}}

        async def read() -> Parts:
            monitor, ticker = await self._reader.options(symbol)
            stamp = monitor.get("fetched_ts", "")
            if stamp != kept["stamp"] or not stamp:
                chain = await self._reader.chain(symbol)
                kept.update(
                    stamp=stamp, chain=_bare(chain), curves=smile.curves(chain) if chain else {}
                )
            curves = {f"curve:{name}": curve for name, curve in kept["curves"].items()}
            return {"summary": smile.summary(kept["chain"], monitor, ticker), **curves}

        return Topic(1.0, read)

    async def _budget(self) -> Parts:
        vendor = self._settings.alpha_vantage
        policy, secret = BucketPolicy.from_settings(vendor), vendor.api_key.reveal()
        account = account_of(secret) if secret else ""
        seen = await self._ops.budget(account, policy, VENDOR_WORKERS)
        found = budget.view(seen, VENDOR_WORKERS, policy.burst)
        rows = [{**_circuit(one), "until_ms": _until(seen, one)} for one in found.circuits]
        return {
            "bucket": {"burst": found.burst, "told": found.bucket},
            "calls": found.calls,
            "circuits": rows,
        }

    async def _processes(self) -> Parts:
        one = self._background
        rows = machine.processes(one.board, one.status, one.lives)
        return {"rows": rows, "began_ms": one.began_ms}

    def _ledger(self, key: str) -> Topic:
        kept: dict[str, Any] = {"id": None, "rows": []}

        async def read() -> Parts:
            last = await newest_id(self._store, key)
            if last != kept["id"]:
                entries = await newest(self._store, key, _LEDGER, lambda _: True)
                kept.update(id=last, rows=_rows(entries))
            return {"rows": kept["rows"]}

        return Topic(1.0, read)


def _rows(entries: Iterable[Entry]) -> list[dict[str, str]]:
    """Newest first."""
    return [{"id": one.id, **one.fields} for one in entries][::-1]


def _bare(chain: Chain | None) -> Chain | None:
    """What the summary needs: the contracts are in the curves by now."""
    if chain is None:
        return None
    return Chain(chain.as_of, chain.fetched_ts, {}, chain.expirations, chain.metrics)


def _circuit(one: budget.CircuitRow) -> Parts:
    return {
        "worker": one.worker,
        "name": one.name,
        "state": one.state,
        "failures": one.failures,
        "reason": one.reason,
    }


def _until(seen: Any, one: budget.CircuitRow) -> int | None:
    row = seen.breakers.get(one.worker, {}).get(one.name, {})
    until = row.get("until_ts")
    return until if isinstance(until, int) and until > 0 else None
