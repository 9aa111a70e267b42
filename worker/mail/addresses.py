"""Mail addresses: one spelling, what kind they are, which lane they travel, how logs show them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email


class AddressClass(StrEnum):
    """What may be done with an address."""

    OK = "ok"
    RFC_VIOLATING = "rfc_violating"
    """A phone address with a dot fault: goes quoted, the first failure suppresses it."""
    RELAY = "relay"
    """A marketplace's mask: good for that marketplace's mails only, never to know a person by."""
    RESERVED = "reserved"
    """Names kept for documents and tests: such mail never leaves the machine."""
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Address:
    """``text`` goes into the To header, ``rcpt`` into the envelope; both ASCII.

    ``key`` compares persons: dots and plus tags stay, for they may be different people.
    """

    text: str
    rcpt: str
    key: str
    domain: str
    kind: AddressClass
    problem: str = ""


_DOT_FAULT_DOMAINS = ("docomo.ne.jp", "ezweb.ne.jp")
"""docomo and au gave out such addresses until 2009 (mail-format, section 3)."""

_RELAY_DOMAINS = ("fw.rakuten.ne.jp", "rakuten.ne.jp", "marketplace.amazon.co.jp")
_RESERVED = ("example", "test", "invalid", "localhost", "example.com", "example.net", "example.org")

DOMAIN_CLASSES: dict[str, tuple[str, ...]] = {
    "docomo": ("docomo.ne.jp",),
    "au": ("ezweb.ne.jp", "au.com"),
    "softbank": (
        "softbank.ne.jp",
        "i.softbank.jp",
        "vodafone.ne.jp",
        "disney.ne.jp",
        "ymobile.ne.jp",
        "yahoo.ne.jp",
        "willcom.com",
        "pdx.ne.jp",
        "emnet.ne.jp",
    ),
    "rakuten_mobile": ("rakumail.jp",),
    "uq": ("uqmobile.jp",),
    "gmail": ("gmail.com", "googlemail.com"),
    "yahoo_jp": ("yahoo.co.jp",),
    "yahoo": ("yahoo.com", "ymail.com", "aol.com"),
    "outlook": ("outlook.jp", "outlook.com", "hotmail.com", "hotmail.co.jp", "live.jp", "live.com"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
    "rakuten_relay": ("fw.rakuten.ne.jp", "rakuten.ne.jp"),
    "amazon_relay": ("marketplace.amazon.co.jp",),
}

CARRIERS = frozenset({"docomo", "au", "softbank", "rakuten_mobile", "uq"})
"""Phone carriers: narrower hours, one slow connection each."""

_ZERO_WIDTH = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_FAULTY_LOCAL = re.compile(r"[A-Za-z0-9._/?+\-]{1,64}")


def normalise(text: str | None) -> str:
    """One spelling: NFKC, no hidden characters, trimmed, lower-case domain; local part as given."""
    plain = _ZERO_WIDTH.sub("", unicodedata.normalize("NFKC", text or "")).strip()
    local, at, domain = plain.rpartition("@")
    return f"{local}{at}{domain.strip().lower()}" if at else plain


def classify(text: str | None) -> Address:
    """Normalise and judge an address without asking any server."""
    plain = normalise(text)
    local, _, domain = plain.rpartition("@")
    key = plain.lower()
    if _within(domain, _RESERVED) and _FAULTY_LOCAL.fullmatch(local):
        return Address(plain, plain, key, domain, AddressClass.RESERVED)
    try:
        valid = validate_email(plain, allow_smtputf8=False, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        if _dot_fault(local) and _within(domain, _DOT_FAULT_DOMAINS):
            rcpt = f'"{local}"@{domain}'
            return Address(plain, rcpt, key, domain, AddressClass.RFC_VIOLATING)
        return Address(plain, "", key, domain, AddressClass.INVALID, str(error))
    ascii_form = valid.ascii_email or plain
    kind = AddressClass.RELAY if _within(domain, _RELAY_DOMAINS) else AddressClass.OK
    return Address(ascii_form, ascii_form, key, ascii_form.rpartition("@")[2], kind)


def _dot_fault(local: str) -> bool:
    faulty = ".." in local or local.startswith(".") or local.endswith(".")
    return faulty and _FAULTY_LOCAL.fullmatch(local) is not None


def _within(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def domain_class(address: str) -> str:
    """The receiver class that decides the lane; ``other`` for all the rest."""
    domain = normalise(address).rpartition("@")[2]
    for name, parents in DOMAIN_CLASSES.items():
        if _within(domain, parents):
            return name
    return "other"


def lane(sender: str, address: str) -> str:
    """The lane of a mail: sending identity (the From domain) and receiver class."""
    return f"{normalise(sender).rpartition('@')[2]}>{domain_class(address)}"


def mask(address: str | None) -> str:
    """For logs: first character, stars, domain (``t***@docomo.ne.jp``)."""
    local, at, domain = (address or "").rpartition("@")
    return f"{local[:1]}***@{domain}" if at else "***"


def scrub(text: str) -> str:
    """Mask every address inside a server's words, for they often repeat it."""
    return re.sub(r'"?[^\s<>"@:;,]+"?@[^\s<>"@:;,]+', lambda match: mask(match.group(0)), text)
