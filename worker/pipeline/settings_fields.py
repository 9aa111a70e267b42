"""One field of a settings form: where its value stands, how it is read and shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from worker.pipeline.settings_toml import Path

LONGEST = 400


class Kind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    NUMBER = "number"
    DECIMAL = "decimal"
    FLAG = "flag"
    CLOCK = "clock"
    DAY = "day"
    DAYS = "days"
    NUMBERS = "numbers"
    WORDS = "words"
    CHOICE = "choice"
    PICKS = "picks"


class FieldWrong(ValueError):
    """What was typed cannot be taken; ``code`` names the words, ``values`` fill them."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Field:
    """``document`` is the short name, ``ranks``; ``path`` leads to the value in it."""

    document: str
    path: Path
    kind: Kind = Kind.TEXT
    default: Any = ""
    """The value where the document has none."""
    choices: tuple[Any, ...] = ()
    least: int = 0
    most: int = 100_000_000
    required: bool = False
    besides: tuple[Any, ...] = ()
    """Entries of a list that hold anyhow: neither shown nor counted as the shop's own."""

    @property
    def name(self) -> str:
        """The name of the form's field, ``ranks.rungs.0.min_visit``."""
        return ".".join([self.document, *map(str, self.path)])

    def same(self, one: Any, other: Any) -> bool:
        """Whether two values say the same: ticks have no order."""
        one, other = self.own(one), self.own(other)
        if self.kind is Kind.PICKS:
            return set(one or ()) == set(other or ())
        return bool(one == other)

    def own(self, value: Any) -> Any:
        """The value without what holds anyhow."""
        if not self.besides or value is None:
            return value
        return [each for each in value if each not in self.besides]

    def read(self, typed: Sequence[str]) -> Any:
        """The value of what was typed; None takes the key out. Raises FieldWrong.

        Lists of ticks and single ticks come with an empty value, so that none ticked is told.
        """
        if self.kind is Kind.PICKS:
            return self._picked(typed)
        if self.kind is Kind.FLAG:
            return any(typed)
        text = unicodedata.normalize("NFC", typed[-1]).strip() if typed else ""
        if not text and self.required:
            raise FieldWrong("required")
        return _READERS[self.kind](self, text)

    def _picked(self, typed: Sequence[str]) -> list[Any]:
        by_text = {str(choice): choice for choice in self.choices}
        unknown = [text for text in typed if text and text not in by_text]
        if unknown:
            raise FieldWrong("choice")
        return [by_text[text] for text in typed if text]


def _text(_field: Field, text: str) -> str:
    if any(unicodedata.category(sign).startswith("C") for sign in text):
        raise FieldWrong("one_line")
    if len(text) > LONGEST:
        raise FieldWrong("too_long", n=LONGEST)
    return text


def _number(field: Field, text: str) -> int | None:
    plain = unicodedata.normalize("NFKC", text).replace(",", "")
    if not plain:
        return None if field.default is None else _in_range(field, int(field.default))
    if not re.fullmatch(r"-?\d{1,9}", plain):
        raise FieldWrong("number")
    return _in_range(field, int(plain))


def _in_range(field: Field, number: int) -> int:
    if not field.least <= number <= field.most:
        raise FieldWrong("range", least=f"{field.least:,}", most=f"{field.most:,}")
    return number


def _decimal(field: Field, text: str) -> int | float:
    try:
        found = Decimal(unicodedata.normalize("NFKC", text) or str(field.default))
    except InvalidOperation:
        raise FieldWrong("number") from None
    if not found.is_finite() or not field.least <= found <= field.most:
        raise FieldWrong("range", least=f"{field.least:,}", most=f"{field.most:,}")
    return int(found) if found == found.to_integral_value() else float(found)


def _clock(_field: Field, text: str) -> time | None:
    plain = unicodedata.normalize("NFKC", text)
    if not plain:
        return None
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", plain)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise FieldWrong("clock")
    return time(int(found[1]), int(found[2]))


def _day(_field: Field, text: str) -> date | None:
    return _one_day(text) if text else None


def _one_day(text: str) -> date:
    found = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", unicodedata.normalize("NFKC", text))
    try:
        return date(*(int(part) for part in found.groups())) if found else date.fromisoformat(text)
    except ValueError:
        raise FieldWrong("day", text=text) from None


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\s,、，]+", text) if piece]


def _days(_field: Field, text: str) -> list[date]:
    return sorted({_one_day(piece) for piece in _pieces(text)})


def _numbers(field: Field, text: str) -> list[int]:
    found = [_number(field, piece) for piece in _pieces(text)]
    return sorted({number for number in found if number is not None})


def _words(field: Field, text: str) -> list[str]:
    pieces = [piece.strip() for piece in re.split(r"[\r\n,、，]+", text)]
    return list(dict.fromkeys(_text(field, piece) for piece in pieces if piece))


def _choice(field: Field, text: str) -> Any:
    for choice in field.choices:
        if str(choice) == text:
            return choice
    raise FieldWrong("choice")


_READERS: dict[Kind, Callable[[Field, str], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DECIMAL: _decimal,
    Kind.CLOCK: _clock,
    Kind.DAY: _day,
    Kind.DAYS: _days,
    Kind.NUMBERS: _numbers,
    Kind.WORDS: _words,
    Kind.CHOICE: _choice,
}


def shown(kind: Kind, value: Any) -> str:
    """A value as it stands in its field."""
    if value is None:
        return ""
    if kind is Kind.CLOCK and isinstance(value, time):
        return value.strftime("%H:%M")
    if kind in (Kind.DAYS, Kind.WORDS):
        return "\n".join(map(str, value))
    if kind is Kind.NUMBERS:
        return ", ".join(map(str, value))
    if kind is Kind.FLAG:
        return "on" if value else ""
    if kind is Kind.NUMBER:
        return f"{value:,}" if isinstance(value, int) else str(value)
    return str(value)
