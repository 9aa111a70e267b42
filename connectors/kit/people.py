"""Names, numbers and addresses of people, read alike whatever kind of source wrote them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from connectors.contract import Buyer, Recipient

RELAY_DOMAINS = ("fw.rakuten.ne.jp", "marketplace.amazon.co.jp")
"""Masked addresses of marketplaces; no setting can switch this off."""

PREFECTURES = (
    *("北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県", "茨城県", "栃木県"),
    *("群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県", "石川県", "福井県"),
    *("山梨県", "長野県", "岐阜県", "静岡県", "愛知県", "三重県", "滋賀県", "京都府", "大阪府"),
    *("兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県", "岡山県", "広島県", "山口県", "徳島県"),
    *("香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県"),
    *("鹿児島県", "沖縄県"),
)
"""In the order of JIS X 0401, which ISO 3166-2:JP shares."""

_KATAKANA = re.compile(r"[ァ-ヺー]+(?: [ァ-ヺー]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CODE = re.compile(r"JP-?(\d{2})")


def text(value: Any) -> str | None:
    """Read a text, or a number that stands where a text should; None where nothing is told."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def spaced(*parts: Any) -> str | None:
    """Join what is told with a space; None where nothing is."""
    return " ".join(filter(None, map(text, parts))) or None


def is_relay(address: str) -> bool:
    """Tell whether an address is a marketplace's mask."""
    domain = address.rpartition("@")[2]
    return any(domain == known or domain.endswith("." + known) for known in RELAY_DOMAINS)


def mail(value: Any) -> str | None:
    """Read an address, its domain in lower case; None where it cannot be one."""
    address = text(value) or ""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or len(address) > 254:
        return None
    if not address.isprintable() or " " in address or _CONTROL.search(address):
        return None
    return f"{local}@{domain.lower()}"


def name(value: Any) -> str | None:
    """Trim, make runs of spaces one, and drop a closing 様; never normalised otherwise."""
    words = " ".join((text(value) or "").split())  # split() knows the full-width space too
    return (words[:-1].rstrip() if words[-1:] == "様" else words) or None


def kana(value: Any) -> str | None:
    """Write any kana as full-width katakana."""
    if isinstance(value, str) and _KATAKANA.fullmatch(value):
        return value
    wide = unicodedata.normalize("NFKC", name(value) or "")
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in wide) or None


def phone(value: Any) -> str | None:
    """Read a phone number as written; Japan's country code becomes the leading zero."""
    number = text(value)
    for prefix in ("+81", "81-"):
        if number and number.startswith(prefix):
            return "0" + number.removeprefix(prefix).lstrip("- ").removeprefix("0")
    return number


def told(prefix: str, person: Buyer | Recipient | None) -> set[str]:
    """Name, for ``Order.present``, what is known of a person.

    For sources where nothing means "not told any more", never "now empty": marketplaces take
    people out of old orders.
    """
    found = {name for name in getattr(person, "__slots__", ()) if getattr(person, name)}
    if "email" in found:
        found.add("email_is_relay")
    return {f"{prefix}.{name}" for name in found}


def prefecture(code: str) -> str | None:
    """The name behind ``JP13`` or ``JP-13``; None for any other code."""
    found = _CODE.fullmatch(code)
    place = int(found[1]) - 1 if found else -1
    return PREFECTURES[place] if 0 <= place < len(PREFECTURES) else None
