"""Single cells to values: dates, phones, names, words; pure, and quick on the usual case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from connectors.kit import people
from connectors.kit.defuse import disarm

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan has had no summer time since 1952: a fixed offset is exact and quicker than a zone."""

_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T ]*(?:\([日月火水木金土]\))?\s*"
    r"(\d{1,2})[:時](\d{1,2})(?:[:分](\d{1,2})秒?|分)?(?:[.,]\d+)?"
    r"\s*(Z|UTC|GMT|JST|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?")
_UNIX = re.compile(r"1\d{9}|[2-4]\d{9}")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,3}")
_WRAPPED = ("'", "=")
_QUOTED_TEXT = re.compile(r'="(.*)"', re.DOTALL)

TRUE = frozenset(
    [
        "yes",
        "true",
        "1",
        "y",
        "t",
        "on",
        "はい",
        "有",
        "有り",
        "あり",
        "○",
        "〇",
        "◯",
        "する",
        "希望",
        "希望する",
        "購読",
        "購読する",
        "可",
    ]
)
FALSE = frozenset(
    [
        "no",
        "false",
        "0",
        "n",
        "f",
        "off",
        "いいえ",
        "無",
        "無し",
        "なし",
        "×",
        "✕",
        "x",
        "しない",
        "希望しない",
        "購読しない",
        "不可",
    ]
)


class BadValue(ValueError):
    """A cell that cannot be read; ``code`` is stable, the message says what was expected."""

    def __init__(self, code: str, reason: str, reason_ja: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.reason_ja, self.field = code, reason, reason_ja, field

    def at(self, field: str) -> BadValue:
        """Name the unified field, once: the innermost reader knows best."""
        self.field = self.field or field
        return self


def zone_of(name: str) -> tzinfo:
    """Find a zone by its IANA name; raises ZoneInfoNotFoundError or ValueError otherwise."""
    return TOKYO if name == "Asia/Tokyo" else ZoneInfo(name)


def moment(cell: str, zone: tzinfo, *, date1904: bool = False) -> tuple[datetime, bool]:
    """Read an instant; the flag is True where the cell holds a date only.

    Takes ISO 8601, ``2026/2/1 9:05``, ``2026年2月1日``, ``20260201``, an Excel serial and
    Unix seconds. Without an offset the cell is in ``zone``. Returns UTC. Raises BadValue.
    """
    if len(cell) >= 19 and cell[4] in "-/" and cell[10] in " T":  # the usual case, no regex
        try:
            found = datetime.fromisoformat(cell.replace("/", "-"))
        except ValueError:
            return _odd_moment(cell, zone, date1904)
        return _utc(found if found.tzinfo else found.replace(tzinfo=zone)), False
    if len(cell) == 10 and cell[4] in "-/" and cell[7] == cell[4] and cell[:4].isdecimal():
        try:
            found = datetime.fromisoformat(cell.replace("/", "-"))
        except ValueError as error:
            raise _bad_date() from error
        return _utc(found.replace(tzinfo=zone)), True
    return _odd_moment(cell, zone, date1904)


def _odd_moment(cell: str, zone: tzinfo, date1904: bool) -> tuple[datetime, bool]:
    text = unicodedata.normalize("NFKC", cell).strip()
    if _SERIAL.fullmatch(text):
        return _from_serial(float(text), zone, date1904)
    if _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC), False
    match = _MOMENT.fullmatch(text) or _COMPACT.fullmatch(text)
    if match is None:
        raise _bad_date()
    parts = [int(part or 0) for part in match.groups()[:6]]
    offset = match[7] if match.re is _MOMENT else None
    try:
        found = datetime(*parts[:6], tzinfo=_offset(offset, zone))  # type: ignore[arg-type, misc]
    except ValueError as error:
        raise _bad_date() from error
    return _utc(found), match[4] is None


def _utc(found: datetime) -> datetime:
    """Move to UTC; 0001 and 9999 are ways to say "no date", not dates."""
    if not 1900 <= found.year <= 2200:
        raise _bad_date()
    return found.astimezone(UTC)


def _from_serial(serial: float, zone: tzinfo, date1904: bool) -> tuple[datetime, bool]:
    epoch = datetime(1904, 1, 1) if date1904 else datetime(1899, 12, 30)  # noqa: DTZ001
    found = epoch + timedelta(seconds=round(serial * 86400))
    return found.replace(tzinfo=zone).astimezone(UTC), serial == int(serial)


def _offset(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    if text == "JST":
        return TOKYO
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _bad_date() -> BadValue:
    return BadValue(
        "bad_date",
        "Not a date this profile knows; write it like 2026-11-22 15:30:00.",
        "日付を読み取れません。2026-11-22 15:30:00 の形で書いてください。",
    )


def day(cell: str, *, date1904: bool = False) -> date:
    """Read a calendar day; a time of day behind it is ignored. Raises BadValue."""
    if len(cell) >= 10 and cell[4] in "-/":
        try:
            return date.fromisoformat(cell[:10].replace("/", "-"))
        except ValueError:
            return _odd_moment(cell, UTC, date1904)[0].date()
    return _odd_moment(cell, UTC, date1904)[0].date()


def plain(cell: str) -> str:
    """Trim, and take a spreadsheet's ``="0123"`` or a defusing apostrophe away."""
    cell = cell.strip()
    if cell[:1] not in _WRAPPED:
        return cell
    if cell[:1] == "'":
        return disarm(cell)
    if cell[:2] == '="':
        match = _QUOTED_TEXT.fullmatch(cell)
        return match[1] if match else cell
    return cell


def identifier(cell: str) -> str:
    """Read an order or member number as text: leading zeros and ``#`` stay."""
    cell = plain(cell).removeprefix("'")
    if ("E" in cell or "e" in cell) and _SCIENTIFIC.fullmatch(cell):
        raise _scientific()
    return cell


def _scientific() -> BadValue:
    return BadValue(
        "scientific_notation",
        "A spreadsheet has shortened this number and its digits are lost; "
        "format the column as text and export again.",
        "表計算ソフトが番号を指数表示に変え、桁が失われています。列を文字列にして出力し直してください。",
    )


def _whole(cell: str) -> str:
    """Take away the ``.0`` that a spreadsheet puts behind a number."""
    return cell[:-2] if cell.endswith(".0") and cell[:-2].isdigit() else cell


def phone(cell: str, *, japanese: bool = True) -> tuple[str, bool]:
    """Read a phone number; the flag is True where a lost leading zero was put back.

    Only in a Japanese file: elsewhere ten digits without a zero are a whole number.
    """
    cell = plain(cell).removeprefix("'").strip()
    if cell[:1] == "0" or not cell:
        return cell, False
    cell = _whole(cell)
    if ("E" in cell or "e" in cell) and _SCIENTIFIC.fullmatch(cell):
        raise _scientific()
    for prefix in ("+81", "81-"):
        if cell.startswith(prefix):
            return "0" + cell.removeprefix(prefix).lstrip("- ").removeprefix("0"), False
    if japanese and cell.isascii() and cell.isdigit() and len(cell) in {9, 10}:
        return "0" + cell, True
    return cell, False


def postal_code(cell: str, *, japanese: bool = True) -> tuple[str, bool]:
    """Read a postal code; the flag is True where lost leading zeros were put back.

    The lowest Japanese code is 001-0000, so five or six digits have lost their zeros.
    """
    cell = _whole(plain(cell).removeprefix("'").removeprefix("〒").strip())
    if japanese and cell.isascii() and cell.isdigit() and len(cell) in {5, 6}:
        return cell.zfill(7), True
    return cell, False


def mail(cell: str) -> str | None:
    """Read an address, its domain in lower case; None where it cannot be one."""
    return people.mail(plain(cell))


def name(cell: str) -> str:
    """Trim, make runs of spaces one, and drop a closing 様; never normalised otherwise."""
    return people.name(plain(cell)) or ""


def kana(cell: str) -> str:
    """Write any kana as full-width katakana."""
    return people.kana(plain(cell)) or ""


def truth(cell: str) -> bool:
    """Read yes or no, in both languages. Raises BadValue."""
    if cell in TRUE:
        return True
    word = unicodedata.normalize("NFKC", cell).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise BadValue(
        "bad_boolean",
        "Expected yes or no (はい, いいえ, 1, 0, ○, ×).",
        "「はい」「いいえ」などで書いてください。",
    )


def count(cell: str) -> int:
    """Read a whole number, full-width digits and ``2.0`` of a spreadsheet included."""
    if cell.isascii() and cell.isdigit() and len(cell) <= 9:
        return int(cell)
    text = unicodedata.normalize("NFKC", cell).strip().replace(",", "")
    match = re.fullmatch(r"([+-]?\d{1,9})(?:\.0*)?", text)
    if match is None:
        raise BadValue("bad_number", "Expected a whole number.", "整数で書いてください。")
    return int(match[1])


def word(cell: str) -> str:
    """Fold a status or method word for look-up in a profile's table."""
    return unicodedata.normalize("NFKC", cell).strip().lower()


def lookup(table: Mapping[str, str], cell: str) -> str | None:
    """Find a word in a profile's table; keys that end in ``*`` match by beginning."""
    folded = word(cell)
    found = table.get(folded)
    if found is not None:
        return found
    starts = [key for key in table if key.endswith("*") and folded.startswith(key[:-1])]
    return table[max(starts, key=len)] if starts and folded else None
