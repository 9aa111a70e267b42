"""Ids that sort by time and never repeat, even after a database is restored (P13)."""

from __future__ import annotations

import secrets
from datetime import datetime

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid(now: datetime) -> str:
    """A ULID: 48 bits of milliseconds and 80 random bits, 26 letters of Crockford's base 32."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_LETTERS[(value >> shift) & 31] for shift in range(125, -1, -5))
