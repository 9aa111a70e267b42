"""Names and addresses of people, read alike whatever kind of source wrote them."""

from __future__ import annotations

import re
import unicodedata

RELAY_DOMAINS = ("fw.rakuten.ne.jp", "marketplace.amazon.co.jp")
"""Masked addresses of marketplaces; no setting can switch this off."""

_KATAKANA = re.compile(r"[ァ-ヺー]+(?: [ァ-ヺー]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_relay(mail: str) -> bool:
    """Tell whether an address is a marketplace's mask."""
    domain = mail.rpartition("@")[2]
    return any(domain == known or domain.endswith("." + known) for known in RELAY_DOMAINS)


def mail(text: str) -> str | None:
    """Read an address, its domain in lower case; None where it cannot be one."""
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or len(text) > 254:
        return None
    if not text.isprintable() or " " in text or _CONTROL.search(text):
        return None
    return f"{local}@{domain.lower()}"


def name(text: str) -> str:
    """Trim, make runs of spaces one, and drop a closing 様; never normalised otherwise."""
    text = " ".join(text.split())  # split() knows the full-width space too
    return text[:-1].rstrip() if text[-1:] == "様" else text


def kana(text: str) -> str:
    """Write any kana as full-width katakana."""
    if _KATAKANA.fullmatch(text):
        return text
    wide = unicodedata.normalize("NFKC", name(text))
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in wide)
