"""Sorts a status and a server's words into classes of bounces (mail-format, section 6)."""

from __future__ import annotations

import re

from worker.mail.coming_back.verdicts import BounceClass

B = BounceClass

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#:]|$)")

_EXACT: dict[str, BounceClass] = {
    "5.1.1": B.HARD,
    "5.1.2": B.HARD,
    "5.1.3": B.HARD,
    "5.1.6": B.HARD,
    "5.1.10": B.HARD,
    "5.2.1": B.HARD,
    "5.2.2": B.SOFT,
    "4.2.2": B.SOFT,
    "5.2.3": B.CONTENT,
    "5.3.4": B.CONTENT,
    "4.7.0": B.THROTTLE,
    "4.7.28": B.THROTTLE,
    "4.7.32": B.CONFIG,
    "5.7.26": B.CONFIG,
    "5.7.515": B.CONFIG,
    # The sender's own address or its syntax, not the recipient's.
    "5.1.7": B.CONFIG,
    "5.1.8": B.CONFIG,
}
_SUBJECTS: dict[str, BounceClass] = {
    "5.2": B.SOFT,
    "5.3": B.SOFT,
    "5.4": B.SOFT,
    "5.6": B.CONTENT,
    "4.6": B.CONTENT,
    "5.7": B.BLOCK,
}
_CODES: dict[str, BounceClass] = {
    "421": B.TRANSIENT,
    "450": B.TRANSIENT,
    "451": B.TRANSIENT,
    "452": B.TRANSIENT,
    "552": B.CONTENT,
    "553": B.HARD,
    "554": B.BLOCK,
}
_UNKNOWN_USER = re.compile(
    r"(user|recipient|mailbox|address|account|alias)[^.\n]{0,40}"
    r"(unknown|not found|not exist|does ?n.t exist|invalid|disabled|no longer)"
    r"|(unknown|no such|invalid) (local )?(user|recipient|mailbox|address)"
    r"|no mailbox here by that name|doesn.t have an? \S+ account"
    r"|宛先不明|存在しない|存在しません|見つかりません",
    re.IGNORECASE,
)
_NO_DOMAIN = re.compile(
    r"host (unknown|or domain name not found|not found)|NXDOMAIN", re.IGNORECASE
)
_ABOUT_US = re.compile(
    r"sender (address|domain|verif)|client host|\bhelo\b|your (host ?name|host|domain|ip)\b",
    re.IGNORECASE,
)
"""Words about the sending side, which often speak of something "not found", too."""
_FULL = re.compile(
    r"mailbox (is )?full|over ?quota|quota exceeded|exceeded (its|their|the) .{0,20}quota"
    r"|容量|いっぱい|満杯",
    re.IGNORECASE,
)


def status_of(text: str) -> str:
    """The enhanced status that a text tells, or empty."""
    found = _ENHANCED.search(text)
    return found.group(0) if found else ""


def classify_failure(status: str, words: str, *, carrier: bool) -> BounceClass:
    """The class of one failure; ``carrier``: a Japanese phone carrier's address.

    A vague status (5.0.0) gives way to the one the words tell. What no rule knows is ambiguous,
    which alone stops no address.
    """
    if "TSS04" in words:
        return B.THROTTLE
    told = status if status and not status.endswith(".0.0") else status_of(words)
    if not told or told.endswith(".0.0"):
        found = _by_words(status, words)
    else:
        found = _by_status(told, words)
    # Carriers answer 550 to good addresses, too: to those who block us, and to too many at once.
    return B.AMBIGUOUS if carrier and found is B.HARD else found


def _by_status(status: str, words: str) -> BounceClass:
    if status in _EXACT:
        return _EXACT[status]
    if status.startswith("4."):
        return B.TRANSIENT if not status.startswith("4.6.") else B.CONTENT
    subject = status.rpartition(".")[0]
    if subject == "5.4" and _no_domain(words):
        return B.HARD
    return _SUBJECTS.get(subject) or _by_words(status, words)


def _by_words(status: str, words: str) -> BounceClass:
    """Without an enhanced status that says something: the words first, then the code."""
    if _FULL.search(words):
        return B.SOFT
    found = _CODE.search(words)
    code = found.group(1) if found else ""
    if status.startswith("4.") or code.startswith("4"):
        return B.TRANSIENT
    if _no_domain(words) or (_UNKNOWN_USER.search(words) and not _ABOUT_US.search(words)):
        return B.HARD
    return _CODES.get(code, B.AMBIGUOUS)


def _no_domain(words: str) -> bool:
    return _NO_DOMAIN.search(words) is not None and not _ABOUT_US.search(words)
