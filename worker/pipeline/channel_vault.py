"""A channel's credentials in the store: ciphertexts only, refreshed by one worker at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson, TryLater
from worker.pipeline.context import Transaction
from worker.store.channels import Channel
from worker.store.leases import acquire, release

REFRESH_SECONDS = 60.0
"""How long one worker may take to refresh a token before another tries."""
_WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Keyring:
    """Opens what this key or a former one sealed, and seals with this one."""

    fernet: MultiFernet

    @classmethod
    def of(cls, key: bytes, former: Sequence[bytes] = ()) -> Keyring:
        """Derive from the installation's key, and from those it had before."""
        return cls(MultiFernet([_fernet(each) for each in (key, *former)]))

    def seal(self, clear: str) -> str:
        """Encrypt for the store."""
        return self.fernet.encrypt(clear.encode()).decode("ascii")

    def unseal(self, cipher: str) -> str:
        """Decrypt. Raises NeedsPerson for what another installation's key sealed."""
        try:
            return self.fernet.decrypt(cipher.encode("ascii")).decode()
        except InvalidToken as error:
            raise NeedsPerson(
                "認証情報をこの環境の鍵で開けません。"
                "The credentials cannot be opened with this installation's key.",
                "secret.key を控えから戻すか、okaeri channels add で入力し直してください。"
                "Restore secret.key from your backup, or enter them again.",
            ) from error

    def reseal(self, cipher: str) -> str:
        """Encrypt anew with the present key. Raises NeedsPerson like ``unseal``."""
        return self.seal(self.unseal(cipher))


def _fernet(key: bytes) -> Fernet:
    derived = hmac.new(key, b"okaeri channel credentials", hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def sealed(
    keyring: Keyring, value: str, now: datetime, expires_at: datetime | None = None
) -> dict[str, Any]:
    """What ``Channel.secrets`` holds under the name of a credential."""
    return {
        "cipher": keyring.seal(value),
        "expires_at": expires_at.isoformat() if expires_at else None,
        "entered_at": now.isoformat(),
    }


def enter(
    channel: Channel,
    keyring: Keyring,
    values: Mapping[str, str],
    now: datetime,
    expires: Mapping[str, datetime | None],
) -> None:
    """Put credentials that a person gave into a channel; others of the channel stay."""
    entries = {
        name: sealed(keyring, value, now, expires.get(name)) for name, value in values.items()
    }
    channel.secrets = {**channel.secrets, **entries}


def expiries(secrets: Mapping[str, Any]) -> dict[str, datetime]:
    """When each credential of ``Channel.secrets`` ends, for those whose end is known."""
    found = {name: entry.get("expires_at") for name, entry in secrets.items()}
    return {name: datetime.fromisoformat(text) for name, text in found.items() if text}


def rotate(session: Session, keyring: Keyring) -> int:
    """Seal every credential with the present key; gives how many. Raises NeedsPerson."""
    count = 0
    for channel in session.scalars(sa.select(Channel).with_for_update()):
        entries = {
            name: {**entry, "cipher": keyring.reseal(entry["cipher"])}
            for name, entry in channel.secrets.items()
        }
        count += len(entries)
        channel.secrets = entries
    return count


class ChannelVault:
    """The vault of one channel, for one connector in one worker; each call is a transaction.

    ``durable`` commits to the disk before it returns: a marketplace that hands out a new
    refresh token has already forgotten the old one.
    """

    def __init__(
        self,
        channel: str,
        keyring: Keyring,
        *,
        look: Transaction,
        durable: Transaction,
        owner: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._channel, self._keyring, self._owner = channel, keyring, owner
        self._look, self._durable = look, durable
        self._clock, self._sleep = clock, sleep
        self._seen: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """The present value, or None. Raises NeedsPerson where it cannot be opened."""
        entry = self._entries().get(name)
        if entry is None:
            return None
        self._seen[name] = entry["cipher"]
        return self._keyring.unseal(entry["cipher"])

    def put(self, name: str, value: str, expires_at: datetime | None = None) -> None:
        """Keep a new value; it is on the disk when this returns."""
        entry = sealed(self._keyring, value, self._clock(), expires_at)
        with self._durable() as session:
            query = sa.select(Channel).where(Channel.name == self._channel).with_for_update()
            channel = session.scalars(query).one()
            channel.secrets = {**channel.secrets, name: entry}
        self._seen[name] = entry["cipher"]

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        """Hold the refresh of this channel; False: another worker has refreshed since our look.

        Raises TryLater where another holds it for too long.
        """
        token = self._wait_for_turn()
        try:
            yield not self._changed()
        finally:
            with self._durable() as session:
                release(session, self._lease, token)

    @property
    def _lease(self) -> str:
        return f"refresh:{self._channel}"[:120]

    def _wait_for_turn(self) -> int:
        waited = 0.0
        # One's own living lease may be taken again: the name must be this vault's alone.
        owner = f"{self._owner}:{id(self)}"[:80]
        while True:
            with self._durable() as session:
                token = acquire(session, self._lease, owner, REFRESH_SECONDS)
            if token is not None:
                return token
            if waited >= _WAIT_SECONDS:
                raise TryLater("Another worker is renewing the token.", retry_after=10.0)
            self._sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS

    def _changed(self) -> bool:
        entries = self._entries()
        return any(
            entries.get(name, {}).get("cipher") != cipher for name, cipher in self._seen.items()
        )

    def _entries(self) -> dict[str, Any]:
        with self._look() as session:
            query = sa.select(Channel.secrets).where(Channel.name == self._channel)
            found = session.scalars(query).one_or_none()
        return dict(found or {})
