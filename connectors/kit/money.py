"""Exact amounts: text as shops write it, to an integer of the currency's minor unit."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
_SIGNS = str.maketrans("", "", "¥￥円$€£, \u00a0\u3000")
_SHAPE = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?|[^,]*")
_BRACKETS = re.compile(r"\((.*)\)", re.DOTALL)
_CURRENCY = re.compile(r"[A-Z]{3}")
_MINUS = frozenset("-−▲△")
_MAX_DIGITS = 18


class BadMoney(ValueError):
    """Text that is no exact amount of that currency; the message says why."""


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Digits after the point of an ISO 4217 code; 2 where the standard says nothing special."""
    if not _CURRENCY.fullmatch(currency):
        raise BadMoney(f"{currency!r} is not a three-letter currency code")
    return _EXPONENTS.get(currency, 2)


@lru_cache(maxsize=256)
def _scale(currency: str) -> int:
    return int(10 ** exponent(currency))


def parse_minor(text: str, currency: str) -> int | None:
    """Read ``¥1,980``, ``１９８０円``, ``▲500``, ``(500)`` or ``23.54`` exactly.

    Returns an integer of the minor unit (yen, cents), None for an empty cell.
    Raises BadMoney for anything else, a fraction of the minor unit included.
    """
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text) * _scale(currency)
    bare = unicodedata.normalize("NFKC", text).strip()
    if not bare:
        return None
    return _scaled(_decimal(bare, currency), currency)


def _decimal(bare: str, currency: str) -> Decimal:
    negative = False
    inner = _BRACKETS.fullmatch(bare)
    if inner:
        negative, bare = True, inner[1].strip()
    bare = bare.removesuffix(currency).removeprefix(currency).strip()
    unsigned = bare.translate({ord(sign): None for sign in "¥円$€£ \u3000"})
    if unsigned[:1] in _MINUS:
        negative, unsigned = not negative, unsigned[1:]
    elif unsigned[:1] == "+":
        unsigned = unsigned[1:]
    digits = unsigned.translate(_SIGNS)
    if not _GROUPED.fullmatch(unsigned) or not _SHAPE.fullmatch(digits):
        raise BadMoney(f"not an amount of {currency}")
    try:
        value = Decimal(digits)
    except InvalidOperation as error:  # digits the shape let through, e.g. other scripts
        raise BadMoney(f"not an amount of {currency}") from error
    return -value if negative else value


def _scaled(value: Decimal, currency: str) -> int:
    if value.adjusted() >= _MAX_DIGITS:
        raise BadMoney("too many digits for an amount")
    scaled = value.scaleb(exponent(currency))
    whole = int(scaled)
    if scaled != whole:
        raise BadMoney(f"{currency} has {exponent(currency)} digits after the point")
    return whole
