"""Numbers and texts of the wire → values, or None for TWS's ways to say that there is none."""

from __future__ import annotations

from typing import Final

from shared.errors import BadRow

# DBL_MAX is TWS's "no value"; nothing quoted in dollars and no size comes near this bound.
_MAX_NUMBER: Final = 1e12
_MAX_TEXT_BYTES: Final = 64
# Spellings are remembered: a number of a megabyte, sent often enough, would be all of our memory.
MAX_NUMBER_BYTES: Final = 64
_MAX_AHEAD_MS: Final = 86_400_000


def amount(raw: bytes, field: str) -> float | None:
    """A price or size above zero; None for TWS's ways to say that there is none.

    Those are an empty field, -1, 0, NaN, Infinity and DBL_MAX.

    Raises:
        BadRow: the text is not a number.
    """
    if not raw:
        return None
    # float() also takes "1_0" and surrounding blanks, which no gateway means as numbers.
    if len(raw) > MAX_NUMBER_BYTES or b"_" in raw or raw != raw.strip():
        raise BadRow(f"{field} was {raw[:40]!r}, must be a number")
    try:
        value = float(raw)
    except ValueError:
        raise BadRow(f"{field} was {raw[:40]!r}, must be a number") from None
    return value if 0.0 < value < _MAX_NUMBER else None


def whole(raw: bytes, field: str) -> float | None:
    """As `amount`; whole numbers, as sizes nearly always are, without a fraction."""
    value = amount(raw, field)
    if value is None:
        return None
    shares = int(value)
    return shares if shares == value else value


def digits(raw: bytes, field: str, most: int) -> int:
    """A whole number of at most `most` digits.

    Raises:
        BadRow: it is not.
    """
    if not raw.isdigit() or len(raw) > most:
        raise BadRow(f"{field} was {raw[:40]!r}, must be a whole number of at most {most} digits")
    return int(raw)


def zero(raw: bytes) -> bool:
    return bool(raw) and float(raw) == 0.0


def check_not_ahead(ts_ms: int, received_ts_ms: int) -> None:
    """The gateway's clock and ours may differ by what somebody set wrong; more is made up.

    It would be the newest for ever.

    Raises:
        BadRow: the time is more than a day after we received it.
    """
    if ts_ms - received_ts_ms > _MAX_AHEAD_MS:
        raise BadRow(f"time was {ts_ms}, must be at most a day after {received_ts_ms}")


def text_of(raw: bytes, field: str) -> str:
    text = raw.decode("ascii", "replace")
    if len(raw) > _MAX_TEXT_BYTES or not (raw.isascii() and text.isprintable()):
        raise BadRow(
            f"{field} was {raw[:40]!r}, must be printable ASCII, at most {_MAX_TEXT_BYTES}"
        )
    return text
