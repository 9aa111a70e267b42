"""Takes a received mail apart without trusting it: headers, parts and words as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_string
from email.header import Header, decode_header
from email.message import Message
from email.utils import getaddresses

from worker.mail.addresses import normalise

LONGEST = 262_144
"""Bytes that are read of a mail; a notice says what it has to say long before."""

_MOST_PARTS = 60
_MOST_IDS = 20
_MAIL_ID = re.compile(r"<[^\s<>@]{1,200}@[^\s<>@]{1,120}>")
_TO_US = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")


def parts_of(mail: Message) -> Iterator[Message]:
    """Its parts, outermost first, without looking into mails that it carries."""
    left = [mail]
    for _ in range(_MOST_PARTS):
        if not left:
            return
        part = left.pop(0)
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            left += [each for each in inner if isinstance(each, Message)]


def with_plain_headers(mail: Message) -> Message:
    """The same mail, its raw 8-bit headers encoded as they should have been."""
    for name in {name for name, value in mail.items() if isinstance(value, Header)}:
        value = header(mail, name)
        del mail[name]
        mail[name] = Header(value, "utf-8").encode()
    return mail


def header(mail: Message, name: str) -> str:
    """A header in plain words on one line; empty where there is none."""
    value = mail.get(name)
    if value is None:
        return ""
    try:
        pieces = decode_header(value)  # raw bytes of an unknown charset stay bytes
    except ValueError:
        return " ".join(str(value).split())
    return " ".join("".join(_plain(text, charset) for text, charset in pieces).split())


def _plain(text: bytes | str, charset: str | None) -> str:
    return text if isinstance(text, str) else decoded(text, charset or "ascii")


def decoded(raw: bytes, charset: str) -> str:
    """Text of bytes, whatever they claim to be; what cannot be read becomes a mark."""
    try:
        return raw.decode(charset, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def text_of(part: Message) -> str:
    """The words of a text part."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    return decoded(raw, part.get_content_charset() or "utf-8").replace("\x00", "")


def words_of(mail: Message) -> str:
    """All plain words of a mail."""
    found = [text_of(part) for part in parts_of(mail) if part.get_content_type() == "text/plain"]
    return "\n".join(found)


def sender_of(mail: Message) -> str:
    """The address it says it comes from, in one spelling."""
    for name in ("From", "Sender", "Return-Path"):
        found = [address for _, address in getaddresses([header(mail, name)]) if "@" in address]
        if found:
            return bare(found[0])
    return ""


def bare(address: str) -> str:
    """One spelling, without the quotes that carriers' odd addresses are sent with."""
    local, at, domain = normalise(address.strip().strip("<>")).rpartition("@")
    return f"{local.strip(chr(34))}{at}{domain}"


def sent_to(mail: Message) -> list[str]:
    """Addresses at which it reached us."""
    values = [str(value) for name in _TO_US for value in mail.get_all(name, [])]
    return [address.strip() for _, address in getaddresses(values) if "@" in address]


def carried(mail: Message) -> list[Message]:
    """Mails, or their headers, that it brings back."""
    found = []
    for part in parts_of(mail):
        inner = part.get_payload()
        kind = part.get_content_type()
        if kind == "message/rfc822" and isinstance(inner, list) and inner:
            found += [each for each in inner[:1] if isinstance(each, Message)]
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            found.append(_headers_in(part))
    return found


def _headers_in(part: Message) -> Message:
    return message_from_string(text_of(part))


def mail_ids(values: list[str]) -> tuple[str, ...]:
    """Message-IDs in these header values or words, each once, in order."""
    found = [one for value in values for one in _MAIL_ID.findall(value)]
    return tuple(dict.fromkeys(found))[:_MOST_IDS]
