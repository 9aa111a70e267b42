"""The desk's words in Japanese and English: one catalogue per language, the same keys in both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Words:
    """The catalogue of one language."""

    locale: str
    entries: Mapping[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """The words for ``key``, ``{names}`` filled; ``<key>_one`` where ``n`` is 1.

        Raises KeyError for a key that the catalogue has not, so that no page shows a key.
        """
        entry = self.entries[key]
        if values.get("n") == 1:
            entry = self.entries.get(f"{key}_one", entry)
        return entry.format(**values) if values else entry

    def has(self, key: str) -> bool:
        """Whether there are words for the key."""
        return key in self.entries


def _flatten(prefix: str, table: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            flat |= _flatten(key, value)
        else:
            flat[key] = value
    return flat


@cache
def words_of(locale: str) -> Words:
    """The catalogue of ``ja`` or ``en``."""
    with (_HERE / f"{locale}.toml").open("rb") as file:
        return Words(locale, _flatten("", tomllib.load(file)))
