"""Fields of a marketplace's record, read with the name of the one that fails."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from connectors.contract import BadRecord, Order, RawOrder
from connectors.kit import people
from connectors.kit.money import BadMoney, parse_minor
from connectors.kit.waiting import unreadable

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan has had no summer time since 1952: a fixed offset is exact."""

_DAY = re.compile(r"(\d{4})[-/]?(\d{2})[-/]?(\d{2})")
_TRUE = frozenset({"1", "true"})
_YEAR_2200 = 7_258_118_400


class Unreadable(Exception):
    """A field that cannot be read; without it there is no order."""

    def __init__(self, code: str, field: str, reason: str, reason_ja: str) -> None:
        super().__init__(reason)
        self.code, self.field, self.reason, self.reason_ja = code, field, reason, reason_ja


class Fields:
    """One object of a record. ``empty`` are values that mean "nothing", e.g. ``-9999``.

    Every reader gives None where the field is missing, null or empty, and raises Unreadable
    where something else stands there.
    """

    def __init__(self, told: Any, *, empty: Container[str] = (), path: str = "") -> None:
        self._told: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        self._empty, self._path = empty, path

    def __contains__(self, name: str) -> bool:
        """Whether the record speaks of the field at all."""
        return name in self._told

    def text(self, name: str) -> str | None:
        """A text, or a number as text."""
        value = self._told.get(name)
        if isinstance(value, list | Mapping):
            raise self._bad("bad_text", name, "Text was expected.", "文字列ではありません。")
        found = people.text(value)
        return None if found in self._empty else found

    def word(self, name: str) -> str | None:
        """A text as ``text``, and None where something else stands: for parts that may be lost."""
        try:
            return self.text(name)
        except Unreadable:
            return None

    def yen(self, name: str) -> int | None:
        """An amount in yen, exactly."""
        told = self.text(name)
        if told is None:
            return None
        try:
            return parse_minor(told, "JPY")
        except BadMoney as error:
            raise self._bad(
                "bad_money",
                name,
                f"This is not an exact amount: {error}.",
                "金額として読み取れません。円は整数で書いてください。",
            ) from error

    def whole(self, name: str) -> int | None:
        """A whole number."""
        told = self.text(name)
        if told is None:
            return None
        try:
            return int(told)
        except ValueError as error:
            reason = "Expected a whole number."
            raise self._bad("bad_number", name, reason, "整数ではありません。") from error

    def flag(self, name: str) -> bool:
        """Whether it is 1 or true."""
        value = self._told.get(name)
        return value is True or str(value).strip().lower() in _TRUE

    def moment(self, name: str) -> datetime | None:
        """An instant in ISO 8601, in UTC; one without offset, or a day alone, is Japan's."""
        told = self.text(name)
        if told is None:
            return None
        try:
            found = datetime.fromisoformat(told.replace("/", "-"))
        except ValueError as error:
            raise self._bad_date(name) from error
        if not 1900 <= found.year <= 2200:
            raise self._bad_date(name)
        return (found if found.tzinfo else found.replace(tzinfo=TOKYO)).astimezone(UTC)

    def unix(self, name: str) -> datetime | None:
        """An instant in seconds since 1970, in UTC; 0 means none, milliseconds are no seconds."""
        seconds = self.whole(name)
        if not seconds:
            return None
        if not 0 < seconds < _YEAR_2200:
            raise self._bad_date(name)
        return datetime.fromtimestamp(seconds, UTC)

    def day(self, name: str) -> date | None:
        """A calendar day."""
        told = unicodedata.normalize("NFKC", self.text(name) or "")
        match = _DAY.match(told)
        if match is None:
            if told and any(sign.isdigit() for sign in told):
                raise self._bad_date(name)
            return None  # words: 指定なし, 最短
        try:
            return date(*map(int, match.groups()))
        except ValueError as error:
            raise self._bad_date(name) from error

    def node(self, name: str) -> Fields:
        """The object under a name; of several the first; an empty one where there is none."""
        return next(iter(self.nodes(name)), self._under(name, {}))

    def nodes(self, name: str) -> list[Fields]:
        """The objects under a name, which may hold one or a list of them."""
        value = self._told.get(name)
        several = value if isinstance(value, list) else [value]
        return [self._under(name, one) for one in several if isinstance(one, Mapping)]

    def tree(self) -> Mapping[str, Any]:
        """The object as it was received."""
        return self._told

    def wish(self, name: str, warnings: list[str]) -> dict[str, date | None]:
        """``delivery_date``, or a warning where it cannot be read: no order is refused for it."""
        try:
            return {"delivery_date": self.day(name)}
        except Unreadable:
            warnings.append("bad_delivery_date")
            return {}

    def _under(self, name: str, told: Any) -> Fields:
        return Fields(told, empty=self._empty, path=f"{self._path}{name}.")

    def _bad(self, code: str, name: str, reason: str, reason_ja: str) -> Unreadable:
        field = self._path + name
        return Unreadable(code, field, f"{field}: {reason}", f"「{field}」: {reason_ja}")

    def _bad_date(self, name: str) -> Unreadable:
        return self._bad("bad_date", name, "Not a date.", "日付を読み取れません。")

    def missing(self, name: str) -> Unreadable:
        """The error for a field without which there is no order."""
        return self._bad("missing_value", name, "Nothing stands here.", "値がありません。")


def mapped(raw: RawOrder, build: Callable[[RawOrder], Order]) -> Order:
    """Build the order; raises BadRecord with position, field and payload where it cannot be."""
    try:
        return build(raw)
    except Unreadable as error:
        raise BadRecord(
            error.code,
            error.reason,
            position=raw.position,
            field_name=error.field,
            external_id=raw.external_id,
            payload=raw.payload,
            reason_ja=error.reason_ja,
        ) from error


@contextmanager
def frame(source: str) -> Iterator[None]:
    """Reading what stands around the orders: where that is not readable, no order is lost.

    Raises TryLater for an Unreadable in the block: the answer as a whole is garbage.
    """
    try:
        yield
    except Unreadable as error:
        raise unreadable(f"{source}: {error.field}") from error
