"""The keys by which a channel knows a person, in the form in which two of them are compared.

A key is only ever compared and hashed, never shown: what the source wrote stays as it is in
the order's contact.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from worker.rules.states import STRONG, IdentityKind

IDENTIFYING = STRONG | {IdentityKind.RELAY_EMAIL}
"""Kinds that name a person by themselves; a relay address only within its channel."""

WEAK = frozenset({IdentityKind.PHONE_NAME, IdentityKind.NAME_ADDRESS})

_HYPHENS = re.compile(r"[‐‑‒–—―−ー－ｰ﹣-]")
_NUMBERS = re.compile(r"(?<=\d)(丁目|番地の|番地|番|号室|号|の)(?=\d|$|\D)")
_KANJI = str.maketrans("髙﨑濵邊邉齋齊斎廣澤櫻眞德嶋冨", "高崎浜辺辺斉斉斉広沢桜真徳島富")
_HONORIFIC = re.compile(r"(様|殿|さま)$")
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


@dataclass(frozen=True, slots=True)
class Who:
    """What an order's contact says of its buyer; all as the source wrote it."""

    member_id: str | None = None
    email: str | None = None
    email_is_relay: bool = False
    name: str | None = None
    phone: str | None = None
    postal_code: str | None = None
    address: str | None = None


def keys_of(who: Who) -> list[tuple[IdentityKind, str]]:
    """Give the buyer's keys, strongest first; empty where nothing can be compared."""
    keys: list[tuple[IdentityKind, str]] = []
    if member := (who.member_id or "").strip():
        keys.append((IdentityKind.MEMBER, member))
    if email := email_key(who.email):
        kind = IdentityKind.RELAY_EMAIL if who.email_is_relay else IdentityKind.EMAIL
        keys.append((kind, email))
    name = name_key(who.name)
    if name and (phone := phone_key(who.phone)):
        keys.append((IdentityKind.PHONE_NAME, f"{phone} {name}"))
    if name and (address := address_key(who.postal_code, who.address)):
        keys.append((IdentityKind.NAME_ADDRESS, f"{name} {address}"))
    return keys


def email_key(email: str | None) -> str:
    """The address lower-cased as a whole; empty where it is none."""
    text = (email or "").strip().casefold()
    local, at, domain = text.rpartition("@")
    odd = " " in text or not text.isprintable()
    return text if at and local and domain and not odd and len(text) <= 254 else ""


def phone_key(phone: str | None) -> str:
    """Digits of a phone number, Japanese ones from 0; empty where it cannot be one.

    Spreadsheets eat the leading zero, so nine or ten digits without it get it back. Numbers
    of one repeated digit are what people type when they will not say.
    """
    text = unicodedata.normalize("NFKC", phone or "").strip()
    foreign = text.startswith(("+", "00"))
    digits = "".join(letter for letter in text if letter in "0123456789")
    if foreign:
        digits = digits.lstrip("0")
        if not digits.startswith("81"):
            return f"+{digits}" if len(digits) >= 8 else ""
        digits = "0" + digits[2:].lstrip("0")
    elif not digits.startswith("0") and len(digits) in {9, 10}:
        digits = "0" + digits
    usable = len(digits) in {10, 11} and len(set(digits[1:])) > 1
    return digits if usable else ""


def name_key(name: str | None) -> str:
    """A name without spaces, honorific, kana form and the commonest variant letters."""
    text = unicodedata.normalize("NFKC", name or "").casefold()
    text = _HONORIFIC.sub("", "".join(text.split()))
    text = text.translate(_KANJI).translate(_TO_KATAKANA)
    return text if len(text) >= 2 else ""


def address_key(postal_code: str | None, address: str | None) -> str:
    """Postal code and address in one spelling of numbers and hyphens; empty without an address."""
    text = unicodedata.normalize("NFKC", address or "").casefold()
    text = "".join(text.split()).translate(_KANJI)
    text = _NUMBERS.sub("-", _HYPHENS.sub("-", text))
    text = re.sub(r"-+", "-", text).strip("-")
    if not any(letter.isdigit() for letter in text):
        return ""  # a town without a number is not a door
    written = unicodedata.normalize("NFKC", postal_code or "")
    code = "".join(letter for letter in written if letter in "0123456789")
    return f"{code.zfill(7) if code else ''} {text}"
