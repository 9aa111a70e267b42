"""Vaults that need no store: one that is empty, and one in memory for trying a connector out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from connectors.contract import Credential, NeedsPerson, Vault


class NoSecrets:
    """The vault of a connector that only maps: it holds nothing and takes nothing."""

    def get(self, name: str) -> str | None:
        """Nothing."""
        return None

    def put(self, name: str, value: str, expires_at: datetime | None = None) -> None:
        """Refuse: a value given here would be lost."""
        raise RuntimeError(f"there is no vault to keep {name!r} in")

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        """Nobody refreshes anything."""
        yield False


class MemoryVault:
    """Keeps values as long as the process lives."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self.expires: dict[str, datetime | None] = {}

    def get(self, name: str) -> str | None:
        """The present value, or None."""
        return self.values.get(name)

    def put(self, name: str, value: str, expires_at: datetime | None = None) -> None:
        """Keep a new value."""
        self.values[name], self.expires[name] = value, expires_at

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        """Nobody else is here: refresh now."""
        yield True


def needed(vault: Vault, credential: Credential) -> str:
    """The value of a credential. Raises NeedsPerson that says where the shop finds it."""
    value = vault.get(credential.name)
    if value:
        return value
    raise NeedsPerson(
        f"「{credential.label}」が未登録です。{credential.label_en} is not entered yet.",
        f"{credential.where} {credential.where_en}".strip(),
    )
