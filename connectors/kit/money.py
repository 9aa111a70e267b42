"""Exact amounts: text as shops write it, to an integer of the currency's minor unit."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_CODES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 -- a table to be read as one
)
"""ISO 4217 codes in use; a misspelt one (YEN) must not pass as a currency of cents."""

_NO_MINOR = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905
_SIGNS = str.maketrans("", "", "¥￥円$€£, \u00a0\u3000")
_SHAPE = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?|[^,]*")
_BRACKETS = re.compile(r"\((.*)\)", re.DOTALL)
_MINUS = frozenset("-−▲△")
_MAX_DIGITS = 18


class BadMoney(ValueError):
    """Text that is no exact amount of that currency; the message says why."""


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Digits after the point of an ISO 4217 code. Raises BadMoney for any other word."""
    if currency not in _CODES:
        raise BadMoney(f"{currency!r} is not a currency code")
    return 0 if currency in _NO_MINOR else 3 if currency in _THOUSANDTHS else 2


def unknown_currency(code: str) -> tuple[str, str]:
    """What to say of a word that is no currency in use: English, then Japanese."""
    shown = " ".join(code.split())[:12]
    if not shown:
        return (
            "No currency is told: a code such as JPY is needed.",
            "通貨が書かれていません。JPY のような 3 文字の記号が必要です。",
        )
    return (
        f"The currency {shown} is unknown: a code such as JPY is needed.",
        f"通貨 {shown} を知りません。JPY のような 3 文字の記号が必要です。",
    )


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
