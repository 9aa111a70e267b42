"""Passwords, tokens and their hashes: what the store keeps cannot be used to come in."""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from worker.pipeline.users_words import UserRefused

SHORTEST = 10
"""Letters of a password; the login's limits make guessing slow, length makes it hopeless."""

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def check_password(name: str, password: str) -> None:
    """Raise UserRefused where nobody should have this password."""
    if len(password) < SHORTEST:
        raise UserRefused("password_short", n=SHORTEST)
    if password.strip().casefold() == name.strip().casefold():
        raise UserRefused("password_named")


def hash_password(password: str) -> str:
    """Argon2id; takes a tenth of a second on purpose, so never inside a transaction."""
    return _hasher.hash(password)


def is_password(stored: str, password: str) -> bool:
    """Whether it is the one; takes as long where none is stored."""
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def new_secret() -> str:
    """256 random bits for a link, a cookie or a token."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What the store keeps of it: with 256 random bits a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets without telling by the time where they differ."""
    return secrets.compare_digest(one.encode(), other.encode())
