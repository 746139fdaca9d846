from __future__ import annotations

import math
from typing import Final, NamedTuple

__all__ = ["IV_FLOOR", "Priced", "floor_greeks", "price", "smile"]

_RATE: Final = 0.04
# The value where the vendor's solver gives up; the greeks beside it say nothing.
IV_FLOOR: Final = 0.01976
_SQRT_2PI: Final = math.sqrt(2 * math.pi)


class Priced(NamedTuple):
    value: float
    iv: float
    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def smile(spot: float, strike: float, years: float) -> float:
    m = math.log(strike / spot)
    return min(6.0, 0.22 - 0.12 * m + 0.35 * m * m / math.sqrt(years + 0.05))


def price(call: bool, spot: float, strike: float, years: float) -> Priced:
    """Black-Scholes without dividends; theta a day, vega and rho a point, as the vendor's."""
    iv = smile(spot, strike, years)
    spread = iv * math.sqrt(years)
    d1 = math.log(spot / strike) / spread + (_RATE + iv * iv / 2) * years / spread
    d2 = d1 - spread
    discounted = strike * math.exp(-_RATE * years)
    density = math.exp(-d1 * d1 / 2) / _SQRT_2PI
    sign = 1 if call else -1
    n1, n2 = _normal(sign * d1), _normal(sign * d2)
    decay = -spot * density * iv / (2 * math.sqrt(years))
    return Priced(
        max(0.0, sign * (spot * n1 - discounted * n2)),
        iv,
        sign * n1,
        density / (spot * spread),
        (decay - sign * _RATE * discounted * n2) / 365,
        spot * density * math.sqrt(years) / 100,
        sign * discounted * years * n2 / 100,
    )


def floor_greeks(call: bool, strike: float, years: float, value: float) -> Priced:
    sign = 1 if call else -1
    discounted = strike * math.exp(-_RATE * years)
    theta, rho = -sign * _RATE * discounted / 365, sign * discounted * years / 100
    return Priced(value, IV_FLOOR, float(sign), 0.0, theta, 0.0, rho)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))
