"""Keyed hashes: how a person is found again without keeping the personal value beside the key."""

from __future__ import annotations

import hmac


def keyed_hash(key: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA256 of a value for one purpose, as 64 hex digits.

    The purpose keeps a mail address and a member id of the same letters apart.
    """
    message = f"{purpose}\x00{value}".encode()
    return hmac.digest(key, message, "sha256").hex()


def address_hash(key: bytes, address: str) -> str:
    """Hash of a mail address, compared lower-case as a whole (mail-format, section 3 rule 4)."""
    return keyed_hash(key, "email", address.strip().casefold())
