"""Changes values in a TOML text and leaves every comment and line beside them as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

Path = tuple[str | int, ...]
"""Keys of tables and places in lists, from the top: ``("rungs", 0, "min_visit")``."""


class NotToml(ValueError):
    """The text is no TOML; ``line`` says where."""

    def __init__(self, error: TOMLKitError) -> None:
        super().__init__(str(error))
        self.line = getattr(error, "line", None)


class Sheet:
    """One TOML text in the hand: values are read and put by path."""

    def __init__(self, text: str) -> None:
        try:
            self._document = tomlkit.parse(text)
        except TOMLKitError as error:
            raise NotToml(error) from error
        # The library may move a blank where nothing was put: an untouched text stays itself.
        self._untouched: str | None = text

    def text(self) -> str:
        """The text as it reads now."""
        return self._document.as_string() if self._untouched is None else self._untouched

    def data(self) -> dict[str, Any]:
        """All values, as plain ones."""
        plain: dict[str, Any] = self._document.unwrap()
        return plain

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at a path, as a plain one; ``default`` where there is none."""
        return value_at(self.data(), path, default)

    def put(self, path: Path, value: Any, default: Any = None) -> bool:
        """Set a value; tells whether the text changed.

        A key that is not there stays away while the value is the default one; tables that are
        missing on the way are made.
        """
        missing = object()
        present = self.get(path, missing)
        if _same(present, value) or (present is missing and value == default):
            return False
        holder = self._holder(path[:-1])
        holder[path[-1]] = value
        return True

    def drop(self, path: Path) -> bool:
        """Take a key or a place of a list out; tells whether it was there."""
        missing = object()
        if self.get(path, missing) is missing:
            return False
        del self._holder(path[:-1])[path[-1]]
        return True

    def append(self, path: Path, values: Mapping[str, Any], place: int | None = None) -> None:
        """Add an entry to a list of tables (made where it is missing), at its end or a place."""
        holder, key = self._holder(path[:-1]), path[-1]
        if self.get(path) is None:
            holder[key] = tomlkit.aot()
        entries = holder[key]
        if not isinstance(entries, AoT):
            inline = tomlkit.inline_table()
            inline.update(values)
            entries.append(inline)
            return
        table = tomlkit.table()
        table.update(values)
        if len(entries):
            table.add(tomlkit.nl())
        entries.insert(len(entries) if place is None else place, table)

    def swap(self, path: Path, one: int, other: int) -> None:
        """Exchange two entries of a list of tables."""
        entries = self._holder(path)
        first, second = entries[one], entries[other]
        entries[one], entries[other] = second, first

    def _holder(self, path: Path) -> Any:
        self._untouched = None
        here: Any = self._document
        for step in path:
            if isinstance(step, str) and step not in here:
                here[step] = tomlkit.table()
            here = here[step]
        return here


def value_at(data: Any, path: Path, default: Any = None) -> Any:
    """The value at a path of plain values; ``default`` where there is none."""
    here = data
    for step in path:
        if isinstance(step, int):
            if not isinstance(here, list) or step >= len(here):
                return default
        elif not isinstance(here, Mapping) or step not in here:
            return default
        here = here[step]
    return here


def _same(one: Any, other: Any) -> bool:
    """Equal, where ``1`` and ``true`` are not: they are equal to Python, not to a document."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
