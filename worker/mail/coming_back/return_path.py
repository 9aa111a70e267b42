"""The return path of each mail: which message it was, and proof that we wrote it (VERP)."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

_TAIL = 22
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_PATH = re.compile(r"^b\+([0-9a-z]{22})\.([0-9a-z]{8})@", re.IGNORECASE)
_LOOK_BACK = 32
"""Twelve-day steps: bounces of mails older than a year are nobody's."""


def return_path(key: bytes, message_id: str, domain: str) -> str:
    """``b+<22 letters of the message's id>.<8 of proof>@domain``, in lower case.

    Some servers fold the case of what they return. The id's first four letters, which change
    every twelve days, are left out and found again by ``candidates``.
    """
    tail = message_id[-_TAIL:].lower()
    return f"b+{tail}.{_proof(key, tail)}@{domain.lower()}"


def looks_ours(address: str) -> bool:
    """Whether an address has the form of a return path, true or forged."""
    return _PATH.match(address.strip()) is not None


def proved_tail(keys: Iterable[bytes], address: str) -> str | None:
    """The end of the message's id where the proof is right, else None."""
    found = _PATH.match(address.strip())
    if found is None:
        return None
    tail, proof = found.group(1).lower(), found.group(2).lower()
    if any(hmac.compare_digest(_proof(key, tail), proof) for key in keys):
        return tail
    return None


def candidates(tail: str, now: datetime) -> list[str]:
    """Every id with this end that a message of the past year can have."""
    newest = (int(now.timestamp() * 1000) >> 30) + 1
    return [f"{_head(newest - back)}{tail}".upper() for back in range(_LOOK_BACK)]


def _head(number: int) -> str:
    return "".join(_LETTERS[(number >> shift) & 31] for shift in (15, 10, 5, 0))


def _proof(key: bytes, tail: str) -> str:
    digest = hmac.digest(key, b"return path\x00" + tail.encode(), "sha256")
    return base64.b32encode(digest[:5]).decode().lower()
