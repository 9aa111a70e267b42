"""Whether a mail server's refusal means that there is no such address (mail-format, section 6)."""

from __future__ import annotations

import re

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_DEAD = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})
_BAD_SYNTAX = "553"


def is_dead(reply: str) -> bool:
    """Judge by the enhanced status; without one only 553 is sure, as 550 may be policy."""
    found = _STATUS.search(reply)
    if found is None:
        return reply.lstrip().startswith(_BAD_SYNTAX)
    kind, subject, detail = (int(part) for part in found.groups())
    return kind == 5 and (subject, detail) in _DEAD
