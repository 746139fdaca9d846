from __future__ import annotations

from random import Random
from typing import Final

from .prints import PAST_LIMIT, UNREPORTED, RawPrint
from .quotes import Quote

__all__ = ["FlowShape", "TradeFlow"]

# Shares of the tape by venue letter, in hundredths, near those of the recorded day.
_LETTERS: Final = "Q" * 22 + "P" * 19 + "Z" * 15 + "D" * 14 + "K" * 9 + "Y" * 6 + "B" * 5 + "V" * 4
_VENUES: Final = (_LETTERS + "J" * 3 + "N" * 2 + "X")[:100]
_CONDITIONS: Final = ("", "", "", "", "F", "F", "", "")
# Average price and derivatively priced: what AllLast shows and Last does not.
_UNREPORTED_CONDITIONS: Final = ("W", "4", "B")
_BATCH_MAX: Final = 20_000
_BACKFILL_MAX: Final = 3_000


class FlowShape:
    """How often a print is out of the ordinary; shares of all prints, 0 to 1."""

    def __init__(self, unreported: float, odd: float, past_limit: float) -> None:
        self.unreported_until = unreported
        self.odd_until = unreported + odd
        self.past_until = unreported + odd + past_limit


class TradeFlow:
    """A seeded stream of prints at random times around a quote. No clock."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._next_ms: float | None = None
        self._rate = 0.0

    def due(self, now_ms: int, rate: float, quote: Quote, shape: FlowShape) -> list[RawPrint]:
        """The prints up to now, in order of time; more than a batch at once are left out."""
        if rate <= 0:
            self._next_ms = None
            return []
        if self._next_ms is None or rate != self._rate:
            self._rate = rate
            self._next_ms = now_ms + self._random.expovariate(rate) * 1000
        at_ms = self._next_ms
        prints: list[RawPrint] = []
        while at_ms <= now_ms and len(prints) < _BATCH_MAX:
            prints.append(self._print(int(at_ms), quote, shape))
            at_ms += self._random.expovariate(rate) * 1000
        self._next_ms = max(at_ms, now_ms) if len(prints) == _BATCH_MAX else at_ms
        return prints

    def skip(self) -> None:
        """Nothing trades until due() is asked again (a halt, a pause)."""
        self._next_ms = None

    def past(
        self, until_ms: int, history_s: int, rate: float, ends_at: tuple[Quote, FlowShape]
    ) -> list[RawPrint]:
        """What would have traded before, oldest first, ending at the quote."""
        quote, shape = ends_at
        # A busy symbol's past is thinner than its present, so that it is there at once.
        rate = min(rate, _BACKFILL_MAX / history_s) if history_s else 0.0
        prints: list[RawPrint] = []
        at_ms: float = until_ms
        spread_e4 = quote.ask_e4 - quote.bid_e4
        while rate > 0:
            at_ms -= self._random.expovariate(rate) * 1000
            if at_ms < until_ms - history_s * 1000:
                break
            prints.append(self._print(int(at_ms), quote, shape))
            if self._random.random() < 0.3:
                bid_e4 = max(100, quote.bid_e4 + (100 if self._random.random() < 0.5 else -100))
                quote = quote._replace(bid_e4=bid_e4, ask_e4=bid_e4 + spread_e4)
        return prints[::-1]

    def _print(self, ms: int, quote: Quote, shape: FlowShape) -> RawPrint:
        random = self._random.random
        price_e4 = quote.ask_e4 if random() < 0.5 else quote.bid_e4
        draw = random()
        # A third are odd lots.
        size = 1 + int(random() * 99) if draw > 0.67 else 100 * (1 + int(random() ** 4 * 20))
        conditions = _CONDITIONS[int(random() * 8)]
        letter = _VENUES[int(random() * 100)]
        kind = random()
        if kind < shape.past_until:
            return self._unusual(RawPrint(ms, price_e4, size, letter, conditions), kind, shape)
        return RawPrint(ms, price_e4, size, letter, conditions, 0, draw > 0.2)

    def _unusual(self, plain: RawPrint, kind: float, shape: FlowShape) -> RawPrint:
        random = self._random.random
        if kind < shape.unreported_until:
            away = 1 + (random() - 0.5) * 0.01
            conditions = _UNREPORTED_CONDITIONS[int(random() * 3)]
            price_e4 = max(1, int(plain.price_e4 * away))
            return plain._replace(
                price_e4=price_e4, letter="D", conditions=conditions, mask=UNREPORTED
            )
        if kind < shape.odd_until:
            # Price improvement off exchange: a part of a cent inside or outside the quote.
            price_e4 = max(1, plain.price_e4 + int((random() - 0.5) * 190))
            return plain._replace(price_e4=price_e4, letter="D")
        return plain._replace(mask=PAST_LIMIT)
