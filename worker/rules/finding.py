"""The forms in which a person is looked for: kana, name and digits, and the rows of the kana index.

Kept beside the profile and indexed, compared byte by byte; what the source wrote stays as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from worker.rules.identity import name_key, phone_key

NO_KANA = "ヿ"
"""Sorts behind every reading: the key of somebody whose reading nobody told."""

KANA_ROWS: dict[str, tuple[str, str]] = {
    "a": ("ァ", "カ"),
    "ka": ("カ", "サ"),
    "sa": ("サ", "タ"),
    "ta": ("タ", "ナ"),
    "na": ("ナ", "ハ"),
    "ha": ("ハ", "マ"),
    "ma": ("マ", "ヤ"),
    "ya": ("ヤ", "ラ"),
    "ra": ("ラ", "ワ"),
    "wa": ("ワ", "・"),
    "other": ("・", "\U0010ffff"),
}
"""Row of the kana index to the span of keys it holds: from the first, below the second."""

KEYS = ("name_key", "kana_key", "phone_key", "phone_tail", "is_member")
_LONGEST = 80
_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶヴヰヱ", "アイウエオツヤユヨワカケウイエ")
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_DROPPED = dict.fromkeys(map(ord, "\u3099\u309aー-・ "))


def kana_key(reading: str | None) -> str:
    """A reading without voice marks, small letters, long marks and spaces, in katakana.

    So it sorts as a paper index does, and やまざき is found as ヤマサキ. Empty for none.
    """
    text = unicodedata.normalize("NFKC", reading or "").translate(_TO_KATAKANA)
    parts = unicodedata.normalize("NFD", text.translate(_SMALL))
    return "".join(parts.translate(_DROPPED).split())[:_LONGEST]


def is_kana(text: str) -> bool:
    """Whether a key begins as the kana index does."""
    return "ァ" <= text[:1] < "・"


def digits_of(phone: str | None) -> str:
    """A phone number for looking it up: in one spelling where it is one, else its digits."""
    plain = unicodedata.normalize("NFKC", phone or "")
    return phone_key(phone) or "".join(letter for letter in plain if letter in "0123456789")


def keys_of_profile(row: Mapping[str, Any], *, member: bool) -> dict[str, Any]:
    """Columns by which a profile is found, from what it says; ``member``: no guest."""
    reading = kana_key(row["kana"])
    if not is_kana(reading):
        reading = kana_key(row["name"])
    digits = digits_of(row["phone"])[:_LONGEST]
    return {
        "name_key": name_key(row["name"])[:_LONGEST] or None,
        "kana_key": reading if is_kana(reading) else NO_KANA,
        "phone_key": digits or None,
        "phone_tail": digits[::-1] or None,
        "is_member": member,
    }
