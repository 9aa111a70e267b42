"""What a received mail turned out to be, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """Kinds of received mail; each is handled in its own way."""

    BOUNCE = "bounce"
    NOTICE = "notice"
    """A delay, or a word that all went well: nothing to do."""
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    REPLY = "reply"
    UNREADABLE = "unreadable"
    """From a machine, and nobody knows what it means: a person may look."""


class BounceClass(StrEnum):
    """Whom a failure is about, and so what to do (mail-format, section 6)."""

    HARD = "hard"
    SOFT = "soft"
    TRANSIENT = "transient"
    CONTENT = "content"
    BLOCK = "block"
    CONFIG = "config"
    THROTTLE = "throttle"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that a notice speaks of; ``reply`` has its addresses masked."""

    recipients: tuple[str, ...]
    """Final and original recipient, plain, as far as the notice names them."""
    status: str
    reply: str
    bounce: BounceClass


@dataclass(frozen=True, slots=True)
class ComingBack:
    """A received mail, read. Personal: nothing of it goes into a log."""

    what: What
    failures: tuple[Failure, ...] = ()
    envelopes: tuple[str, ...] = ()
    """Addresses that may be a return path of ours."""
    mail_ids: tuple[str, ...] = ()
    """Message-IDs it speaks of, the likeliest first."""
    sender: str = ""
    subject: str = ""
    text: str = ""
    """A person's own words, without what they quoted."""
    wants_out: bool = False
    """It says 配信停止, unsubscribe or the like: for a person to read."""
    own_id: str = ""
