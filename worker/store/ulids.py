"""Names of messages: ULIDs, so that a restored database does not number new mails like old ones."""

from __future__ import annotations

import secrets
from datetime import datetime

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid(now: datetime) -> str:
    """26 letters: milliseconds since 1970 in the first ten, 80 random bits in the rest."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_LETTERS[(number >> shift) & 31] for shift in range(125, -1, -5))
