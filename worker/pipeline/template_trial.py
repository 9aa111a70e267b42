"""A mail to oneself: a text tried in a real mailbox, by the way every mail leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.render_shop import shop_facts
from worker.pipeline.review_approval import bind_approval
from worker.pipeline.review_words import Refused
from worker.pipeline.template_lint import TEST_MARKERS
from worker.pipeline.template_mailboxes import TEST_STEP, own_mailboxes
from worker.pipeline.template_names import TextName
from worker.pipeline.template_preview import Shown
from worker.pipeline.template_samples import channel_for
from worker.rules.keys import address_hash
from worker.rules.states import Actor, MailKind, MessageState, ReviewMode
from worker.store.channels import Channel
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.ulids import new_ulid

HOURLY = 30
"""Mails to oneself within an hour; more is no trying any more."""


def send_test(
    session: Session, ctx: Context, name: TextName, shown: Shown, *, to: str, by: str, now: datetime
) -> Message:
    """Queue a finished mail for one of the shop's own mailboxes; dispatch hands it over.

    Captured like everything where nothing may leave. Its subject begins with a marker that no
    text may use. Raises Refused for another address, an unfinished mail, or too many of them.
    """
    if to not in own_mailboxes(ctx):
        raise Refused("not_own_mailbox")
    if shown.mail is None:
        raise Refused("not_whole")
    _raise_where_many(session, now)
    channel = _channel(session, name)
    message = _message(ctx, channel, name, to, now)
    session.add(message)
    session.flush()
    marker = TEST_MARKERS[name.locale == "en"]
    body = MessageBody(
        message_id=message.id,
        sender=_sender(ctx, channel),
        recipient=to,
        subject=f"{marker}{'' if name.locale == 'ja' else ' '}{shown.mail.subject}",
        text=shown.mail.body_text,
        html=shown.mail.body_html,
    )
    session.add(body)
    bind_approval(message, body, by=by, now=now, undo_seconds=0)
    session.add(
        MessageEvent(
            message_id=message.id,
            at=now,
            move="test",
            to_state=message.state,
            actor=Actor.STAFF,
            by=by,
            reason={"code": "test", "text": str(name)},
        )
    )
    session.flush()
    return message


def _raise_where_many(session: Session, now: datetime) -> None:
    # Ids are made of the time: the newest ones stand together.
    since = new_ulid(now - timedelta(hours=1))[:10]
    count = session.scalar(
        select(func.count()).where(Message.id >= since, Message.step == TEST_STEP)
    )
    if (count or 0) >= HOURLY:
        raise Refused("many_tests", n=HOURLY)


def _channel(session: Session, name: TextName) -> Channel:
    channel = channel_for(session, "own") or channel_for(session, name.family)
    if channel is None:
        raise Refused("no_channel_yet")
    return channel


def _sender(ctx: Context, channel: Channel) -> str:
    """The own shop's sender, whoever's text it is: a marketplace's relay takes no mail to us."""
    address = parseaddr(ctx.documents.shop.contact.sender)[1]
    if not address:
        raise Refused("no_sender")
    shown = shop_facts(ctx, channel, channel.locale).shop_name or ctx.documents.shop.name
    plain = shown.replace("\\", "").replace('"', "")
    return f'"{plain}" <{address}>'


def _message(ctx: Context, channel: Channel, name: TextName, to: str, now: datetime) -> Message:
    return Message(
        id=new_ulid(now),
        kind=MailKind.PERSONAL,
        step=TEST_STEP,
        channel_id=channel.id,
        family="own",
        scope="",
        state=MessageState.APPROVED,
        mode=ReviewMode.REVIEW,
        locale=name.locale,
        why={"code": "test", "text": str(name)},
        text_key=str(name),
        release=ctx.documents.release,
        recipient_hash=address_hash(ctx.key, to),
        due_at=now,
        expires_at=now + timedelta(hours=1),
        created_at=now,
    )
