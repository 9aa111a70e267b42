"""Reads a received mail: bytes in, a verdict out; nothing is looked up and nothing is believed."""

from __future__ import annotations

import re
from email import message_from_bytes, message_from_string
from email.message import Message

from worker.mail.coming_back.answers import is_automatic, own_words, wants_out
from worker.mail.coming_back.notices import delivery_status, from_machine, is_daemon, loose_notice
from worker.mail.coming_back.parts import (
    LONGEST,
    bare,
    carried,
    header,
    mail_ids,
    parts_of,
    sender_of,
    sent_to,
    with_plain_headers,
    words_of,
)
from worker.mail.coming_back.verdicts import ComingBack, Failure, What

_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "miscategorized", "other"})
_TOLD_ID = re.compile(r"^\s*>?\s*message-id:\s*(<[^\s<>]+>)", re.IGNORECASE | re.MULTILINE)


def read_mail(raw: bytes) -> ComingBack:
    """Say what a mail is. Never raises: what cannot be read is ``unreadable``.

    Only the first ``LONGEST`` bytes are looked at.
    """
    try:
        return _read(with_plain_headers(message_from_bytes(raw[:LONGEST])))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        # The standard parser stumbles over some forgeries (nesting, broken headers).
        return ComingBack(What.UNREADABLE)


def _read(mail: Message) -> ComingBack:
    report = _report(mail)
    if report is not None:
        return report
    machine = from_machine(mail)
    if machine:
        failures, delayed = loose_notice(mail)
        if failures or delayed or is_daemon(mail):
            return _notice(mail, _of_notice(failures, delayed), failures)
    automatic = machine or is_automatic(mail)
    answered = [header(mail, "In-Reply-To"), header(mail, "References")]
    if not sender_of(mail):
        return ComingBack(What.UNREADABLE)
    return ComingBack(
        what=What.AUTO_REPLY if automatic else What.REPLY,
        envelopes=tuple(sent_to(mail)),
        # The newest mail of a thread stands last among its references.
        mail_ids=mail_ids([answered[0], *reversed(answered[1].split())]),
        sender=sender_of(mail),
        subject=header(mail, "Subject")[:200],
        text=own_words(mail),
        wants_out=wants_out(mail),
        own_id=header(mail, "Message-ID")[:300],
    )


def _report(mail: Message) -> ComingBack | None:
    """A complaint (RFC 5965) or a delivery report (RFC 3464); None where it is neither."""
    feedback = [p for p in parts_of(mail) if p.get_content_type() == "message/feedback-report"]
    if feedback:
        return _complaint(mail, feedback[0])
    told = delivery_status(mail)
    if told is None:
        return None
    failures, harmless = told
    return _notice(mail, _of_notice(failures, harmless), failures)


def _of_notice(failures: list[Failure], harmless: bool) -> What:
    if failures:
        return What.BOUNCE
    return What.NOTICE if harmless else What.UNREADABLE


def _complaint(mail: Message, report: Message) -> ComingBack:
    inner = report.get_payload()
    fields = inner[0] if isinstance(inner, list) and inner else None
    if not isinstance(fields, Message):
        text = inner if isinstance(inner, str) else ""
        fields = message_from_string(text)
    kind = header(fields, "Feedback-Type").lower()
    found = _notice(mail, What.COMPLAINT if kind in _COMPLAINTS else What.UNREADABLE, [])
    ours = bare(header(fields, "Original-Mail-From"))
    return ComingBack(
        found.what,
        envelopes=(*found.envelopes, ours),
        mail_ids=found.mail_ids,
        sender=found.sender,
        own_id=found.own_id,
    )


def _notice(mail: Message, what: What, failures: list[Failure]) -> ComingBack:
    originals = carried(mail)
    ids = [header(one, "Message-ID") for one in originals]
    if not originals:
        ids += _TOLD_ID.findall(words_of(mail))
    paths = [bare(header(one, "Return-Path")) for one in originals]
    return ComingBack(
        what=what,
        failures=tuple(failures),
        envelopes=(*sent_to(mail), *paths),
        mail_ids=mail_ids(ids),
        sender=sender_of(mail),
        subject=header(mail, "Subject")[:200],
        own_id=header(mail, "Message-ID")[:300],
    )
