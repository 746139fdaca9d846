"""Deliberate bugs, one at least for each invariant, and the campaign that must catch them.

`python -m tests.oracle.bugs` puts each into a copy of the product and runs a short campaign:
exit 1 when one goes unnoticed. `python -m tests.oracle.bugs NAME` runs those whose name holds NAME.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.oracle.bug import Bug, bug
from tests.oracle.bugs_of_limits import BUGS_OF_LIMITS
from tests.oracle.campaign import Campaign, Plan
from tests.oracle.recovery import too_slow
from tests.oracle.schedule import planned

__all__ = ["BUGS"]

_SEED: Final = 7
_TOLD: Final = 6


_BOOK: Final = "shared/market/book.py"
_ROWS: Final = "shared/feeds/ibkr/depth_rows.py"
_DEPTH: Final = "shared/store/depth.py"
_TRADES: Final = "shared/store/trades.py"
_POLICY: Final = "shared/store/token_policy.py"
BUGS: Final = (
    bug(
        "a delete leaves a row too many", _BOOK,
        ("del keys[position], rows[position]", "del keys[position:], rows[position:]"),
        "books as sent",
    ),
    bug(
        "rows of ended requests go into another book", _ROWS,
        (
            "        if subscription is None:\n",
            "        subscription = subscription or next(iter(self.by_key.values()), None)\n"
            "        if subscription is None:\n",
        ),
        "books as sent", ("stray rows",),
    ),
    bug(
        "a side is published as it lies", _BOOK,
        ("if ordered == keys and ordered[-1] != _HOLE_KEY:", "if keys:"),
        "sides sorted", ("unsorted book",),
    ),
    bug(
        "one row in 50 is not published", _ROWS,
        (
            "        if moved:\n            self._judge(subscription)\n        self._emit(",
            "        if subscription.rows % 50 == 0:\n            return\n        self._emit(",
        ),
        "no row lost",
    ),
    bug(
        "a restart enters no gap", "shared/feeds/ibkr/depth.py",
        ('state.interrupted[pair] = (last_ts, "restart")', "pass"),
        "no row lost", ("kill -9 ibkr_depth",),
    ),
    bug(
        "a lost connection enters no gap", "shared/feeds/ibkr/depth_requests.py",
        ("state.outlet.gap(GapWindow(", "print(GapWindow("),
        "outages told", ("gateway RST", "gateway FIN"),
    ),
    bug(
        "a number is left out", _DEPTH,
        ("        target.seq += 1\n", "        target.seq += 1 + (target.seq % 50 == 0)\n"),
        "seq without holes",
    ),
    bug(
        "numbers begin anew with each start", _DEPTH,
        ("target.seq = max(target.seq, position.highest_seq)", "target.seq = 0"),
        "seq in order", ("kill -9 ibkr_depth",),
    ),
    bug(
        "the oldest book of a flush is shown", _DEPTH,
        (
            "by_venue[symbol, update.venue] = update",
            "by_venue.setdefault((symbol, update.venue), update)",
        ),
        "books at quiet points",
    ),
    bug(
        "venue books never expire", _DEPTH,
        ('key.encode(), book, b"EX", self._book_ttl)', "key.encode(), book)"),
        "expiries",
    ),
    bug(
        "a trade in 40 is told twice", _TRADES,
        (
            "                trade,\n                tape.seq,\n            )\n        )\n",
            "                trade,\n                tape.seq,\n            )\n        )\n"
            "        if tape.seq % 40 == 0:\n            self.put(trade, received_s)\n",
        ),
        "trades once, in order",
    ),
    bug(
        "a trade in 40 is dropped", _TRADES,
        (
            "        tape = self._tapes[trade.symbol]\n        tape.seq += 1\n",
            "        if trade.received_ts_ms % 40 == 0:\n            return\n"
            "        tape = self._tapes[trade.symbol]\n        tape.seq += 1\n",
        ),
        "no trade lost",
    ),
    bug(
        "bars are a share short", "shared/normalize/ibkr_bars.py",
        ('whole(row[5], "bar volume") or 0', '(whole(row[5], "bar volume") or 1) - 1'),
        "bars right",
    ),
    Bug(
        "candles open with their close",
        (("shared/market/bar.py", "open=ordered[0].open", "open=ordered[-1].close"),),
        "candles right", seconds=120.0,
    ),
    Bug(
        "a request that was refused is cancelled",
        ((
            "shared/feeds/ibkr/depth_errors.py",
            "        state.limit_refusals += 1\n",
            "        state.limit_refusals += 1\n"
            "        state.session.ib.client.cancelMktDepth(subscription.req_id, False)\n",
        ),),
        "gateway's rules", ("309 storm",),
    ),
    Bug(
        "calls are not spaced",
        (
            (_POLICY, "return MINUTE_MS / self.budget_per_min", "return 1.0"),
            (_POLICY, "return 1_000.0 / (_SHARE_OF_A_SECOND *",
             "return 1.0 / (_SHARE_OF_A_SECOND *"),
        ),
        "vendor's limits", ("restart av_sentiment", "restart av_options"),
    ),
    bug(
        "the vendor's text is shown with the key", "shared/feeds/alphavantage/client.py",
        ("for secret in (self._key, quote_plus(self._key)):", "for secret in ():"),
        "no key of the vendor", ("vendor key_echo",),
    ),
    bug(
        "a chain grows under its own name", "shared/store/options.py",
        (
            "return [self._keys.growing(symbol, name).encode() for name in _DOCUMENTS]",
            "return self._documents(symbol)",
        ),
        "chains whole", contracts=3_000, seconds=20.0,
    ),
    bug(
        "a chain that changed is taken for the old one", "shared/store/options.py",
        ("known.digest == digest", "known.digest is not None"),
        "chains as sent",
    ),
    bug(
        "a second instance is let in", "shared/store/lease.py",
        ("if held == dead or not is_dead(holder, self.holder.host):", "if held == dead:"),
        "one instance", ("second watchdog",),
    ),
    bug(
        "the next connect is tried after a minute", "shared/feeds/ibkr/connection.py",
        ("policy.base_delay_s, policy.max_delay_s, random.random())", "60.0, 60.0, 0.5)"),
        "fresh after a fault", ("gateway RST",),
    ),
    *BUGS_OF_LIMITS,
)  # fmt: skip


def main(arguments: list[str]) -> int:
    console, missed = Console(emoji=False), 0
    table = Table("bug", "found as", "also")
    for one in [one for one in BUGS if not arguments or any(a in one.name for a in arguments)]:
        found, texts = found_in(one, lambda text: None)
        others = {name: number for name, number in found.items() if name != one.invariant}
        caught = one.invariant in found
        missed += not caught
        table.add_row(one.name, one.invariant if caught else "[red]not found", str(others or ""))
        console.print(f"{one.name}: {found}", *texts, sep="\n  ", highlight=False, markup=False)
    console.print(table)
    return int(missed > 0)


def found_in(one: Bug, say: Callable[[str], None]) -> tuple[dict[str, int], list[str]]:
    """The invariants that a short campaign finds broken, and some of it in words."""
    home = Path(tempfile.mkdtemp(prefix="tickvisor-bug-"))
    try:
        steps = planned(_SEED, one.faults)
        world = {"stream_maxlen": one.stream_maxlen, "contracts": one.contracts}
        plan = Plan(_SEED, one.seconds, steps, turn_s=2.0, **world)
        outcome = Campaign(home, plan, say, one.put_into).run()
        slow = too_slow(outcome.recoveries)
        found = outcome.findings.by_invariant | ({"recovery": len(slow)} if slow else {})
        return found, [*slow, *outcome.findings.violations][:_TOLD]
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
