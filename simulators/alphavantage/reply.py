from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .body import Body

__all__ = ["HTML", "JSON", "Reply"]

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back and how; `outcome` is what the ledger says of it."""

    outcome: str
    body: Body
    status: int = 200
    content_type: str = JSON
    server: str = "cloudflare"
    location: str | None = None
    # whole, trickle, cut_body, hang, reset, huge_body or gzip_bomb
    delivery: str = "whole"
    delay_s: float = 0.0
    # Between the bytes of a trickle.
    gap_s: float = 0.0
    megabytes: int = 0
