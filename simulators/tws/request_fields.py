from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.errors import WireError

__all__ = ["ContractFields", "integer"]


@dataclass(frozen=True, slots=True)
class ContractFields:
    con_id: int
    symbol: str
    sec_type: str
    expiry: str
    strike: str
    right: str
    multiplier: str
    exchange: str
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str

    @classmethod
    def parse(cls, fields: Sequence[str]) -> ContractFields:
        return cls(integer(fields[0] or "0", "conId"), *fields[1:12])


def integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise WireError(f"{name} must be an integer, was {text!r}") from None
