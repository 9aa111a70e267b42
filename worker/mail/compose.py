"""Makes the bytes of a mail from what was approved: the same input always gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from worker.mail import headers
from worker.mail.addresses import AddressClass, classify

RELAY_FAMILIES = frozenset({"rakuten", "aupay", "amazon"})
"""Their relays rewrite or refuse what they do not know: only the plainest headers go there."""

TOKYO = ZoneInfo("Asia/Tokyo")
_EOL = "\r\n"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail as approved, with all that its headers need. ``date`` is aware.

    ``list_unsubscribe`` is set for advertisements only: an https address, then a mailto.
    ``by_hand`` marks a personal mail, which no machine wrote.
    """

    message_ref: str
    message_id: str
    from_address: str
    to_address: str
    subject: str
    body_text: str
    date: datetime
    from_name: str | None = None
    reply_to: str | None = None
    body_html: str | None = None
    family: str = "own"
    locale: str = "ja"
    zone: ZoneInfo = TOKYO
    by_hand: bool = False
    is_advertisement: bool = False
    list_id: str | None = None
    list_unsubscribe: tuple[str, ...] = ()
    feedback_id: str | None = None


class RecipientRefused(ValueError):
    """An address no mail may be made for."""


def message_id_for(message_ref: str, generation: int, domain: str) -> str:
    """The Message-ID of one attempt to say one thing; a second send has the next generation.

    It follows from the message alone, so a retry carries the same one.
    """
    digest = hashlib.sha256(message_ref.encode()).digest()
    token = base64.b32encode(digest).decode()[:40].lower()
    return f"<{token}.{generation}@{domain.lower()}>"


def compose(mail: Outgoing) -> bytes:
    """Serialise for SMTP: ASCII only, CRLF, base64 UTF-8 bodies.

    Raises headers.HeaderRefused for a value that must not reach a header and RecipientRefused
    for an address that is none.
    """
    if mail.date.tzinfo is None:
        raise ValueError("date must be aware")
    lines = [*_basic_headers(mail)]
    if mail.family not in RELAY_FAMILIES:
        lines += _direct_headers(mail)
    return (_EOL.join(lines) + _EOL + _body(mail)).encode("ascii")


def _basic_headers(mail: Outgoing) -> list[str]:
    lines = [
        headers.mailbox_field("From", mail.from_name, mail.from_address),
        _to_field(mail.to_address),
        headers.text_field("Subject", mail.subject),
        headers.plain_field("Date", format_datetime(mail.date.astimezone(mail.zone))),
        headers.plain_field("Message-ID", mail.message_id),
    ]
    if mail.reply_to:
        lines.insert(2, headers.mailbox_field("Reply-To", None, mail.reply_to))
    return lines


def _to_field(address: str) -> str:
    """The address as the person knows it, also where no standard allows its dots."""
    judged = classify(address)
    if judged.kind is AddressClass.INVALID:
        raise RecipientRefused("the recipient's address is not one a mail can be sent to")
    return headers.mailbox_field("To", None, judged.text)


def _direct_headers(mail: Outgoing) -> list[str]:
    lines = [headers.plain_field("Content-Language", mail.locale)]
    if not mail.by_hand:
        lines.append("Auto-Submitted: auto-generated")
    lines.append("X-Auto-Response-Suppress: OOF, AutoReply")
    lines.append(headers.plain_field("X-Mail-Ref", mail.message_ref))
    if mail.feedback_id:
        lines.append(headers.plain_field("Feedback-ID", mail.feedback_id))
    return lines + (_advertising_headers(mail) if mail.is_advertisement else [])


def _advertising_headers(mail: Outgoing) -> list[str]:
    if not mail.list_unsubscribe:
        raise headers.HeaderRefused("an advertisement needs List-Unsubscribe")
    tokens = [f"<{token}>" for token in mail.list_unsubscribe]
    lines = ["Precedence: bulk", headers.token_field("List-Unsubscribe", tokens)]
    if any(token.startswith("https:") for token in mail.list_unsubscribe):
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    if mail.list_id:
        lines.append(headers.plain_field("List-Id", f"<{mail.list_id}>"))
    return lines


def _body(mail: Outgoing) -> str:
    if mail.body_html is None:
        return f"MIME-Version: 1.0{_EOL}{_part('plain', mail.body_text)}"
    # Base64 holds no "=_", so the boundary cannot occur inside a part.
    boundary = "=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:24]
    parts = "".join(
        f"--{boundary}{_EOL}{_part(kind, text)}"
        for kind, text in (("plain", mail.body_text), ("html", mail.body_html))
    )
    return (
        f"MIME-Version: 1.0{_EOL}"
        f'Content-Type: multipart/alternative; boundary="{boundary}"{_EOL}{_EOL}'
        f"{parts}--{boundary}--{_EOL}"
    )


def _part(kind: str, text: str) -> str:
    body = text.replace("\r\n", "\n").replace("\n", _EOL).encode()
    wrapped = base64.encodebytes(body).decode().replace("\n", _EOL)
    return (
        f'Content-Type: text/{kind}; charset="utf-8"{_EOL}'
        f"Content-Transfer-Encoding: base64{_EOL}{_EOL}{wrapped}"
    )
