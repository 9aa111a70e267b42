"""Coupon codes: made at random, checked for typing errors, read from pool files, masked in logs."""

from __future__ import annotations

import csv
import io
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import date

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""32 symbols without I, L, O and U, which are misread or spell words."""

SYMBOLS = 12
"""Random symbols of a code: 60 bits."""

_MODULUS = 31
_LOOKALIKES = str.maketrans({"I": "1", "L": "1", "O": "0"})
_LONGEST = 64


def new_code() -> str:
    """Make a code nobody can guess; never derived from a customer or an order."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(SYMBOLS))
    return format_code(body + check_symbol(body))


def check_symbol(body: str) -> str:
    """The extra symbol: position-weighted sum modulo 31. It finds slips, it protects nothing."""
    total = sum(place * ALPHABET.index(char) for place, char in enumerate(body, start=1))
    return ALPHABET[total % _MODULUS]


def format_code(code: str) -> str:
    """Groups of four as printed: ``7K3M-Q9XT-4WBD-2``."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def parse_code(typed: str) -> str | None:
    """Read what a person typed (lower case, spaces, full width, O for 0); None if it is none."""
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_LOOKALIKES)
    code = "".join(char for char in plain if char.isalnum())
    if len(code) != SYMBOLS + 1 or any(char not in ALPHABET for char in code):
        return None
    return format_code(code) if check_symbol(code[:-1]) == code[-1] else None


def mask_code(code: str) -> str:
    """For logs and support: the last four symbols only."""
    return f"***{code[-4:]}" if len(code) > 4 else "***"


@dataclass(frozen=True, slots=True)
class PoolCode:
    """One code of a pool; ``expires_on`` is the last valid day in the shop's zone."""

    code: str
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class PoolError:
    """One line that is no code, and why; ``line`` counts from 1. The code itself is not told."""

    line: int
    reason: str
    code: str
    """For words of the desk: ``twice``, ``letters``, ``space``, ``columns`` or ``day``."""


@dataclass(frozen=True, slots=True)
class PoolFile:
    """What a pool file held; with any error nothing should be taken in."""

    codes: tuple[PoolCode, ...]
    errors: tuple[PoolError, ...]


def read_pool(text: str) -> PoolFile:
    """Read one code per line, or CSV with the columns ``code`` and ``expires`` (YYYY-MM-DD)."""
    codes: dict[str, PoolCode] = {}
    errors: list[PoolError] = []
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells) or (rows.line_num == 1 and cells[0].lower() == "code"):
            continue
        found = _pool_code(cells, rows.line_num)
        if isinstance(found, PoolCode) and found.code in codes:
            found = PoolError(rows.line_num, "the same code stands in an earlier line", "twice")
        if isinstance(found, PoolError):
            errors.append(found)
        else:
            codes[found.code] = found
    return PoolFile(tuple(codes.values()), tuple(errors))


def _pool_code(cells: list[str], line: int) -> PoolCode | PoolError:
    code, *rest = cells
    if not code or len(code) > _LONGEST or not code.isascii() or not code.isprintable():
        reason = f"a code is 1 to {_LONGEST} plain letters, digits or signs"
        return PoolError(line, reason, "letters")
    if " " in code:
        return PoolError(line, "a code holds no space", "space")
    if len(rest) > 1 and any(rest[1:]):
        return PoolError(line, "there are more columns than code and expires", "columns")
    if not rest or not rest[0]:
        return PoolCode(code)
    try:
        return PoolCode(code, date.fromisoformat(rest[0].replace("/", "-")))
    except ValueError:
        return PoolError(line, "the expiry is not a date like 2027-01-31", "day")
