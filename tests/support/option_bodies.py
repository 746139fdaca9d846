"""Option chains as the vendor sends them, made up, with every figure chosen by the test."""

from __future__ import annotations

import json
from typing import Any, Final

# 2017-11-15 16:00:00 UTC.
NOW_MS: Final = 1_510_761_600_000
DAY: Final = "2017-11-15"
REALTIME: Final = "Realtime Options"
HISTORICAL: Final = "Historical Options"
GREEKS: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
EXPIRATIONS: Final = ("2017-11-17", "2017-12-15", "2018-01-19", "2019-01-18")

Row = dict[str, Any]


def contract_id(root: str, expiration: str, right: str, strike: float) -> str:
    return f"{root}{expiration[2:].replace('-', '')}{right[0].upper()}{round(strike * 1000):08d}"


def option_row(
    strike: float = 150.0,
    right: str = "call",
    expiration: str = "2017-12-15",
    symbol: str = "IBM",
    **fields: Any,
) -> Row:
    """A quoted contract with greeks; `fields` are laid over it, None included."""
    return {
        "contractID": contract_id(
            symbol.replace("-", "").replace(".", ""), expiration, right, strike
        ),
        "symbol": symbol,
        "expiration": expiration,
        "strike": f"{strike:.2f}",
        "type": right,
        "last": "2.10",
        "mark": "2.05",
        "bid": "2.00",
        "bid_size": "10",
        "ask": "2.10",
        "ask_size": "20",
        "volume": "5",
        "open_interest": "50",
        "date": DAY,
        "implied_volatility": "0.20000",
        "delta": "0.50000",
        "gamma": "0.01000",
        "theta": "-0.02000",
        "vega": "0.10000",
        "rho": "-0.00000",
    } | fields


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def option_rows(count: int, symbol: str = "IBM") -> list[Row]:
    """In the vendor's order: by expiration, strike, call before put; every value differs."""
    rows = []
    for number in range(count):
        place, side = divmod(number, 2)
        expiration = EXPIRATIONS[number * len(EXPIRATIONS) // count]
        rows.append(
            option_row(
                50.0 + place / 2,
                ("call", "put")[side],
                expiration,
                symbol,
                last=f"{number % 3}.{number % 97:02d}",
                bid="0.00" if number % 7 == 0 else f"{1 + number % 90}.05",
                volume=str(number % 11),
                open_interest=str(number % 101),
                implied_volatility=f"{0.1 + number / 7919:.5f}",
                delta=f"{number / 20_000 * (1 - 2 * side):.5f}",
            )
        )
    return rows


def option_body(
    rows: Any,
    endpoint: str = REALTIME,
    message: str = "success",
    indent: int | None = 4,
) -> bytes:
    text = json.dumps(
        {"endpoint": endpoint, "message": message, "data": rows},
        indent=indent,
        separators=None if indent else (",", ":"),
        ensure_ascii=False,
    )
    return text.encode("utf-8", "surrogatepass")
