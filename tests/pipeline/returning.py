"""Mails that are out, and what comes back of them, for tests of the intake."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.documents import KEY
from tests.factories import NOW, make_customer, make_message
from tests.mail.coming_back.corpus import sample
from worker.mail.coming_back.return_path import return_path
from worker.pipeline.coming_back import Taken, take_mail
from worker.pipeline.context import Context
from worker.rules.keys import address_hash
from worker.rules.states import MessageState
from worker.store.channels import Channel
from worker.store.customers import Consent, ContactNote, Suppression
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.returns import ReturnedMail
from worker.store.rewards import StaffTask
from worker.store.ulids import new_ulid

DOMAIN = "bounce.hinata.example"


def out(session: Session, channel: Channel, **fields: Any) -> Message:
    """A mail that was sent an hour ago to a customer of its own."""
    customer = fields.pop("customer", None) or make_customer(session)
    address = fields.pop("recipient", f"to{customer.id}@mail.example")
    values: dict[str, Any] = {
        "id": new_ulid(NOW),
        "state": MessageState.SENT,
        "sent_at": NOW,
        "recipient_hash": address_hash(KEY, address),
    } | fields
    body = {"subject": "s", "text": "t", "recipient": address}
    made = make_message(session, channel, customer, body=body, **values)
    made.mail_id = made.mail_id or f"<{made.id.lower()}.1@hinata.example>"
    session.flush()
    return made


def address_of(session: Session, message: Message) -> str:
    """Whom it went to."""
    return session.get_one(MessageBody, message.id).recipient


def path_of(message: Message, key: bytes = KEY) -> str:
    """Its return path."""
    return return_path(key, message.id, DOMAIN)


def back(session: Session, name: str, message: Message, *, path: str = "", **puts: str) -> bytes:
    """A sample about this mail, to its return path."""
    to = puts.pop("to", address_of(session, message))
    mail_id = puts.pop("mail_id", message.mail_id)
    return sample(name, to=to, mail_id=mail_id, path=path or path_of(message))


def take(session: Session, ctx: Context, raw: bytes, now: datetime = NOW) -> Taken:
    """Take it in."""
    return take_mail(session, ctx, raw, source="pipe", now=now)


def blocks(session: Session) -> list[tuple[str, bool]]:
    """Reason and reach of every suppression."""
    rows = session.scalars(sa.select(Suppression).order_by(Suppression.id))
    return [(row.reason, row.ads_only) for row in rows]


def tasks(session: Session) -> list[str]:
    """Kinds of open tasks."""
    query = sa.select(StaffTask.kind).where(StaffTask.done_at.is_(None)).order_by(StaffTask.id)
    return list(session.scalars(query))


def followed(session: Session) -> tuple[int, ...]:
    """How many rows there are of all that can follow from a returned mail."""
    tables = (Suppression, StaffTask, ContactNote, Consent, MessageEvent)
    return tuple(
        session.scalar(sa.select(sa.func.count()).select_from(each)) or 0 for each in tables
    )


def kept(session: Session) -> list[ReturnedMail]:
    """Every returned mail, in order."""
    return list(session.scalars(sa.select(ReturnedMail).order_by(ReturnedMail.id)))
