"""What the round of polls works with: the budget, the worker's handler, the client and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shared.control.circuit import Change
from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer, Request, VendorClient

DocumentT = TypeVar("DocumentT")


class Budget(Protocol):
    async def acquire(self) -> None:
        """Wait for leave to make one call. Raises BudgetExhausted."""

    async def cool_down(self, wait_s: float, reason: str) -> None:
        """Nobody on this key calls for so long."""

    async def window_left_s(self) -> float:
        """Seconds to the end of the vendor's minute, as far as we know."""


class Handler(Protocol[DocumentT]):
    """What a worker does with its data types."""

    def request(self, poll: Poll) -> Request:
        """What to ask for."""

    async def read(self, poll: Poll, answer: Answer) -> DocumentT:
        """Decode and check. Raises BadDocument."""

    async def write(self, poll: Poll, document: DocumentT) -> None:
        """Make it readable. Raises StoreUnavailable, StoreRefused."""

    def tell(self, poll: Poll, status: str, text: str) -> None:
        """`status`: error, suspended or not_entitled, with the reason."""


@dataclass(frozen=True, slots=True)
class PollPorts(Generic[DocumentT]):
    """What the round works with; `keep` stores changes of circuits, `incident` tells a person.

    `patience_s`: how long a document waits for a Redis that is away before it is too old.
    """

    client: VendorClient
    budget: Budget
    handler: Handler[DocumentT]
    keep: Callable[[Iterable[Change]], None]
    incident: Callable[[str, str], None]
    patience_s: float
