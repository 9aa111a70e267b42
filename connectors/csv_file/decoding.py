"""Bytes to text, strictly: a fixed list of encodings in a fixed order, and never a guess."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from connectors.contract import NeedsPerson

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "cp932": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "sjis-win": "cp932",
    "windows-31j": "cp932",
    "ms932": "cp932",
    "x-sjis": "cp932",
    "euc-jp": "euc_jp",
    "euc_jp": "euc_jp",
    "eucjp": "euc_jp",
}
_HALF_KANA = re.compile(r"[\uff61-\uff9f]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_MOJIBAKE = re.compile(r"[繧縺繝]|ã[\x80-\xbf‚ƒ„†‡ˆ‰Š‹Œ]|Ã[\x80-\xbf]")
_SAMPLE = 200_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, the encoding that was used, and codes of doubts."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, place: str, encoding: str | None = None) -> Decoded:
    """Decode a whole file: by ``encoding`` where given, else mark, UTF-8, cp932 in this order.

    ``place`` names the file in messages. EUC-JP is used only where asked for. Raises
    NeedsPerson with the line of the first byte that does not fit.
    """
    used = _named(encoding, place) if encoding else _detected(data, place)
    try:
        text = data.decode(used)
    except UnicodeDecodeError as error:
        raise _refused(place, data, used, error) from error
    text = text.removeprefix("\ufeff")
    text, warnings = _without_nul(text, place)
    if encoding is None:
        _doubt_euc(data, text, used, place)
        _doubt_mojibake(text, place)
    if "\ufffd" in text:
        warnings += ("replacement_characters",)
    return Decoded(text, used, warnings)


def _named(encoding: str, place: str) -> str:
    known = _NAMES.get(encoding.strip().lower())
    if known is None:
        raise NeedsPerson(
            f"{place}: 文字コード「{encoding}」は使えません。"
            f"The encoding {encoding!r} is not known.",
            "utf-8, utf-16, cp932, euc_jp のどれかを指定してください。"
            "Choose utf-8, utf-16, cp932 or euc_jp.",
        )
    return known


def _detected(data: bytes, place: str) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if data[:4096].count(0) > len(data[:4096]) // 4:
        raise NeedsPerson(
            f"{place}: 文字のファイルではないか、目印のない UTF-16 です。"
            "This is no text file, or UTF-16 without a mark.",
            "UTF-8 で保存し直すか、--encoding utf-16 を指定してください。"
            "Save it as UTF-8, or import with --encoding utf-16.",
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8"


def _refused(place: str, data: bytes, used: str, error: UnicodeDecodeError) -> NeedsPerson:
    line = data.count(b"\n", 0, error.start) + 1
    return NeedsPerson(
        f"{place}:{line}: {used} として読めないバイトがあります (0x{data[error.start]:02x})。"
        f"Line {line} holds a byte that is not {used}.",
        "出力した画面で UTF-8 を選ぶか、文字コードを --encoding で指定してください"
        " (古いカートは euc_jp)。"
        "Export as UTF-8, or name the encoding with --encoding (old carts: euc_jp).",
    )


def _without_nul(text: str, place: str) -> tuple[str, tuple[str, ...]]:
    found = text.count("\0")
    if not found:
        return text, ()
    if found > max(10, len(text) // 10_000):
        line = text.count("\n", 0, text.index("\0")) + 1
        raise NeedsPerson(
            f"{place}:{line}: NUL 文字が {found} 個あり、壊れたファイルと思われます。"
            f"The file holds {found} NUL bytes and seems damaged.",
            "もう一度出力してください。Export the file again.",
        )
    return text.replace("\0", ""), ("nul_removed",)


def _doubt_euc(data: bytes, text: str, used: str, place: str) -> None:
    """EUC-JP often "succeeds" as cp932 and yields runs of half-width kana: ask then."""
    if used != "cp932":
        return
    foreign = len(_FOREIGN.findall(text[:_SAMPLE]))
    if len(_HALF_KANA.findall(text[:_SAMPLE])) * 10 < foreign * 3:
        return
    try:
        other = data.decode("euc_jp")
    except UnicodeDecodeError:
        return
    if len(_HALF_KANA.findall(other[:_SAMPLE])) == 0:
        raise NeedsPerson(
            f"{place}: 文字コードが cp932 か EUC-JP か判断できません。"
            "The file may be cp932 or EUC-JP; it reads as both.",
            "--encoding cp932 または --encoding euc_jp を指定してください。"
            "Say which with --encoding cp932 or --encoding euc_jp.",
        )


def _doubt_mojibake(text: str, place: str) -> None:
    sample = text[:_SAMPLE]
    signs = len(_MOJIBAKE.findall(sample))
    if signs >= 3 and signs * 20 > len(_FOREIGN.findall(sample)):
        first = _MOJIBAKE.search(sample)
        line = sample.count("\n", 0, first.start() if first else 0) + 1
        raise NeedsPerson(
            f"{place}:{line}: 文字化けしたまま保存されたファイルのようです。"
            "The file seems to have been saved with garbled characters.",
            "表計算ソフトで開かずに、もう一度出力してください。"
            "Export it again and do not open it in a spreadsheet before importing.",
        )
