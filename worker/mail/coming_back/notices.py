"""Reads notices of failed delivery: the standard form ourselves, loose texts by a library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message

from flufl.bounce import all_failures

from worker.mail.addresses import CARRIERS, domain_class, scrub
from worker.mail.coming_back.parts import bare, header, parts_of, sender_of, text_of, words_of
from worker.mail.coming_back.statuses import classify_failure, status_of
from worker.mail.coming_back.verdicts import Failure

_LONGEST_REPLY = 300
_MOST_FAILURES = 50
_MOST_NAMED = 5
_MACHINES = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|mdaemon|daemon)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"<?([^\s<>()\[\]\",;:]+@[A-Za-z0-9.\-]+[A-Za-z0-9])>?")
_ID_LINE = re.compile(r"^.*message-id:.*$", re.IGNORECASE | re.MULTILINE)
_NOT_DELIVERED = re.compile(
    r"宛先不明|(お届け|配信|配送|送信|送達|届け)(することが|が)?(でき|られ)(ません|ない|なか)|不達"
)
_ONLY_A_WARNING = re.compile(
    r"warning (message )?only|do not need to resend|transient non-fatal|still being retried",
    re.IGNORECASE,
)
_GOOD = frozenset({"delayed", "delivered", "relayed", "expanded"})


def from_machine(mail: Message) -> bool:
    """Whether a mail system wrote it: only such words may be taken for a notice."""
    if str(mail.get("Return-Path", "none")).strip() == "<>":
        return True
    return is_daemon(mail)


def is_daemon(mail: Message) -> bool:
    """Whether it bears the name of a mail system."""
    return _MACHINES.match(sender_of(mail)) is not None


def delivery_status(mail: Message) -> tuple[list[Failure], bool] | None:
    """Failures of a standard notice (RFC 3464), and whether it also told of delays or success.

    None where it holds no delivery status. Its own class is read per recipient: a library
    would call a full mailbox permanent.
    """
    reports = [p for p in parts_of(mail) if p.get_content_type() == "message/delivery-status"]
    if not reports:
        return None
    blocks = reports[0].get_payload()
    told = [each for each in blocks if isinstance(each, Message)] if blocks else []
    recipients = [b for b in told if b.get("Final-Recipient") or b.get("Original-Recipient")]
    failures: list[Failure] = []
    harmless = False
    for block in recipients[:_MOST_FAILURES]:
        action = header(block, "Action").strip().lower()
        if action == "failed" or (not action and header(block, "Status").startswith("5.")):
            failures.append(_failure_of(block))
        elif action in _GOOD:
            harmless = True
    return failures, harmless


def _failure_of(block: Message) -> Failure:
    named = [header(block, name) for name in ("Final-Recipient", "Original-Recipient")]
    people = tuple(dict.fromkeys(bare(one.rpartition(";")[2]) for one in named if "@" in one))
    words = header(block, "Diagnostic-Code").partition(";")[2] or header(block, "Diagnostic-Code")
    return made_failure(people, status_of(header(block, "Status")), words)


def made_failure(people: tuple[str, ...], status: str, words: str) -> Failure:
    """A failure with its class."""
    carrier = any(domain_class(one) in CARRIERS for one in people)
    found = classify_failure(status, words, carrier=carrier)
    reply = " ".join(scrub(words).split())[:_LONGEST_REPLY]
    return Failure(people, status or status_of(words), reply, found)


def loose_notice(mail: Message) -> tuple[list[Failure], bool]:
    """Failures of a notice in free words, and whether it also told of delays.

    Whose words they are was asked before: a person may quote a notice.
    """
    words = words_of(mail) or text_of(mail)
    if _ONLY_A_WARNING.search(words):
        return [], True  # the library calls some of these permanent
    temporary, permanent = all_failures(mail)
    found = [_loose(address, words) for address in _texts(permanent)]
    if not found and not temporary:
        found = _japanese(words)
    return found[:_MOST_FAILURES], bool(temporary)


def _texts(addresses: Iterable[bytes | str]) -> list[str]:
    plain = {a.decode("utf-8", "replace") if isinstance(a, bytes) else a for a in addresses}
    return sorted(bare(one) for one in plain if "@" in one)


def _loose(address: str, words: str) -> Failure:
    said = _around(address, words)
    return made_failure((address,), status_of(said), said)


def _around(address: str, words: str) -> str:
    """The lines that speak of an address: from where it is named on, a few."""
    lines = words.splitlines()
    place = next((n for n, line in enumerate(lines) if address.lower() in line.lower()), None)
    if place is None:
        return words[:1000]
    return "\n".join(lines[max(0, place - 3) : place + 8])


def _japanese(words: str) -> list[Failure]:
    """Texts of Japanese carriers and relays, which the library does not know."""
    if not _NOT_DELIVERED.search(words):
        return []
    people = tuple(dict.fromkeys(bare(one) for one in _ADDRESS.findall(_ID_LINE.sub("", words))))[
        :_MOST_NAMED
    ]
    return [made_failure(people, status_of(words), words[:1000])] if people else []
