"""How a person is addressed: one honorific, never two, and nothing an attacker put in a name."""

from __future__ import annotations

import re
import unicodedata

from worker.mail.facts import PersonName

NAME_LIMIT = 50
"""Longest part of a name that is printed, in characters (mail-format, section 3)."""

_TRAILING_HONORIFIC = re.compile(r"[ \u3000]*(?:様|さま|殿|御中)[ \u3000]*$")
_URL = re.compile(
    r"://|\bwww\.|\b[a-z0-9-]+\.(?:com|net|org|info|biz|xyz|top|jp|cn|ru|io|ly|me|to|link|shop)\b",
    re.IGNORECASE,
)
_SUSPECT = re.compile(r"[^\x20-\x7e\u3000-\u9fff\uff01-\uff9f]|[ \u3000]{2}")
"""What sends a text through the slow, careful path; most names and item names never do."""

_ORGANISATION = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|合名会社|㈱|㈲|\((?:株|有|同)\)|（(?:株|有|同)）"
    r"|法人|協会|組合|病院|医院|クリニック|診療所|大学|学校|学園|幼稚園|保育園|市役所|区役所"
    r"|役場|商店|事務所|\b(?:Inc|Ltd|LLC|Corp|GmbH)\b",
    re.IGNORECASE,
)


NAMELESS = frozenset({"お客様", "there"})
"""How somebody without a name is addressed, in each language."""


class NameRefused(ValueError):
    """A name that carries a link: a spam trick, so the mail waits for a person."""


def clean(text: str | None) -> str:
    """Drop control, bidirectional and zero-width characters and outer space; keep the rest."""
    if not _SUSPECT.search(text or ""):
        return (text or "").strip(" \u3000")
    kept = (_kept(char) for char in text or "")
    return re.sub(r"[ \u3000]{2,}", " ", "".join(kept)).strip(" \u3000")


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\t\r\n" or category in {"Zl", "Zp"}:
        return " "
    # U+200D joins emoji; every other format character (bidi, zero width) can hide or turn text.
    return "" if category in {"Cc", "Cs"} or (category == "Cf" and char != "\u200d") else char


def clean_name(text: str | None) -> str:
    """Return a printable name without honorific, at most 50 characters, "" for none.

    Raises NameRefused when it holds a web address.
    """
    name = _TRAILING_HONORIFIC.sub("", clean(text))[:NAME_LIMIT].rstrip(" \u3000")
    if _URL.search(unicodedata.normalize("NFKC", name)):
        raise NameRefused("the name holds a web address")
    return name if any(char.isalnum() for char in name) else ""


def is_organisation(name: str) -> bool:
    """Tell whether the name is of a company, school or the like."""
    return _ORGANISATION.search(name) is not None


def full_honorific(person: PersonName, locale: str) -> str:
    """Address in full: ``高橋 美咲 様``, ``みどり商事 御中``, ``お客様`` without a name.

    A company with a person comes as two lines. Raises NameRefused.
    """
    own_name = _own_name(person, locale)
    company = " ".join(filter(None, (clean_name(person.company), clean_name(person.department))))
    if locale != "ja":
        return ", ".join(filter(None, (own_name, company))) or "there"
    if company:
        return f"{company}\n{own_name} 様" if own_name else f"{company} 御中"
    return _with_honorific(own_name)


def family_honorific(person: PersonName, locale: str) -> str:
    """Address by family name where the source told it apart, else in full. Raises NameRefused."""
    family = clean_name(person.family_name)
    if locale == "ja" and family and not is_organisation(family):
        return f"{family}様"
    return full_honorific(
        PersonName(person.family_name, person.given_name, person.full_name), locale
    )


def _own_name(person: PersonName, locale: str) -> str:
    family, given = clean_name(person.family_name), clean_name(person.given_name)
    if not family and not given:
        return clean_name(person.full_name)
    parts = (given, family) if locale != "ja" and f"{given}{family}".isascii() else (family, given)
    return " ".join(filter(None, parts))


def _with_honorific(name: str) -> str:
    if not name:
        return "お客様"
    return f"{name} 御中" if is_organisation(name) else f"{name} 様"
