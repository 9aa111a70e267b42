"""Plain lists: unconfirmed sends, stops, candidates, quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Option, shop_labels
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.rules.states import MailKind, MessageState, QuarantineState
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.messages import Message, MessageBody
from worker.store.orders import Quarantine, RawRecord

PAGE = 50


@dataclass(frozen=True, slots=True)
class Doubt:
    """One send whose outcome nobody knows, with all that helps to find it in a server's log."""

    id: str
    version: int
    name: str
    what: str
    subject: str
    recipient: str
    mail_id: str
    since: str
    attempt: int
    reply: str


def doubts(session: Session, ctx: Context, words: Words) -> tuple[Doubt, ...]:
    """Every unconfirmed send, the oldest first."""
    rows = session.execute(
        select(Message, MessageBody, CustomerProfile.name, Channel.name)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Message.customer_id)
        .where(Message.state == MessageState.UNCONFIRMED)
        .order_by(Message.sending_since, Message.id)
    ).all()
    shops = shop_labels(session, words)
    return tuple(
        Doubt(
            id=message.id,
            version=message.version,
            name=name or "",
            what=f"{words(f'kind.{message.kind}')}　{shops.get(channel, channel)}",
            subject=body.subject if body else "",
            recipient=body.recipient if body else "",
            mail_id=message.mail_id or f"{message.id}.{message.generation}",
            since=_seconds(message.sending_since, ctx) if message.sending_since else "",
            attempt=message.attempts,
            reply=message.last_reply,
        )
        for message, body, name, channel in rows
    )


def _seconds(at: datetime, ctx: Context) -> str:
    # To the second: a server's log is searched by it.
    return at.astimezone(ctx.zone).strftime("%Y/%m/%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Pressed:
    """One kill switch that is pressed."""

    id: int
    what: str
    reason: str
    since: str


def pressed(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Pressed, ...]:
    """Every pressed kill switch."""
    names = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name))}
    shops = shop_labels(session, words)
    found = []
    for stop in review.active_stops(session):
        shop = shops.get(names.get(stop.channel_id or 0, ""), words("stops.whole"))
        kind = words(f"kind.{stop.kind}") if stop.kind else words("stops.everything")
        since = words("stops.since", when=formats.near(stop.at, now, ctx.zone), by=stop.by)
        found.append(Pressed(stop.id, f"{shop}　{kind}", stop.reason, since))
    return tuple(found)


def channel_options(session: Session, words: Words) -> tuple[Option, ...]:
    """Every channel by its id, for a form."""
    shops = shop_labels(session, words)
    rows = session.execute(select(Channel.id, Channel.name).order_by(Channel.name))
    return tuple(Option(str(row.id), shops[row.name]) for row in rows)


def channel_of(session: Session, chosen: str) -> int | None:
    """Id of the channel that a form names; None where it names none.

    Raises NoSuchPlace for one that is not there: stopping something else would be worse.
    """
    if not chosen:
        return None
    known = session.scalars(select(Channel.id)).all()
    found = next((one for one in known if str(one) == chosen), None)
    if found is None:
        raise NoSuchPlace
    return found


def kind_options(words: Words) -> tuple[Option, ...]:
    """Every kind of mail, for a form."""
    return tuple(Option(kind, words(f"kind.{kind}")) for kind in MailKind)


@dataclass(frozen=True, slots=True)
class Broken:
    """One record that could not become an order."""

    id: int
    number: str
    where: str
    reason: str
    field: str
    value: str
    received: str
    payload: tuple[tuple[str, str], ...]


def broken(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Broken, ...]:
    """Every open case, the newest first."""
    rows = session.execute(
        select(Quarantine, Channel.name, RawRecord.payload)
        .outerjoin(Channel, Channel.id == Quarantine.channel_id)
        .outerjoin(RawRecord, RawRecord.id == Quarantine.raw_id)
        .where(Quarantine.state == QuarantineState.OPEN)
        .order_by(Quarantine.id.desc())
        .limit(PAGE)
    ).all()
    shops = shop_labels(session, words)
    return tuple(
        _broken(row, raw, shops.get(channel or "", channel or ""), ctx, words, now)
        for row, channel, raw in rows
    )


def _broken(
    row: Quarantine,
    raw: dict[str, Any] | None,
    shop: str,
    ctx: Context,
    words: Words,
    now: datetime,
) -> Broken:
    reason = row.reason_ja if words.locale == "ja" and row.reason_ja else row.reason
    fields = _fields(row.payload or raw or {})
    return Broken(
        id=row.id,
        number=row.external_id or words("quarantine.unknown_number"),
        where="　".join(part for part in (shop, row.position) if part),
        reason=reason,
        field=row.field_name,
        value=dict(fields).get(row.field_name, ""),
        received=formats.near(row.created_at, now, ctx.zone),
        payload=fields,
    )


def _fields(payload: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The record's own columns: the first row of a file's record, else the record itself."""
    rows = payload.get("rows")
    record = rows[0] if isinstance(rows, list) and rows else payload
    return tuple((str(key), str(value)) for key, value in record.items() if value not in ("", None))
