"""Approved messages and a shop that may send them, for tests of review and dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from tests.documents import KEY, context, documents
from tests.factories import NOW, make_customer, make_message
from worker.mail.transport import Accepted, OnAccepted, Prepared
from worker.pipeline.context import Context
from worker.pipeline.review_approval import bind_approval
from worker.pipeline.review_verdict import Recheck, Rechecked
from worker.rules.keys import address_hash
from worker.rules.shop import Policy, PolicyCell
from worker.rules.states import Actor, MailKind, MessageState, Verdict
from worker.store.channels import Channel
from worker.store.messages import Message, MessageBody, MessageEvent

SENDER = "ひなた商店 <shop@hinata.example>"
APPROVED_AT = NOW - timedelta(hours=1)


def policy() -> Policy:
    """Own shops may send everything, advertising with consent; Rakuten needs its relay."""
    own = {kind: PolicyCell(verdict=Verdict.ALLOW, as_ad=Verdict.CONSENT) for kind in MailKind}
    relay = {kind: PolicyCell(verdict=Verdict.RELAY, as_ad=Verdict.FORBID) for kind in MailKind}
    return Policy(version="test", cells={"own": own, "rakuten": relay})


def shop_context(**changes: Any) -> Context:
    """A context whose policy allows own-shop mails; ``changes`` replace documents."""
    return context(documents(**({"policy": policy()} | changes)))


def written(session: Session, channel: Channel, **fields: Any) -> Message:
    """A message in review with complete words to a customer of its own."""
    customer = make_customer(session)
    address = fields.pop("recipient", f"to{customer.id}@mail.example")
    body = {
        "sender": SENDER,
        "reply_to": "shop@hinata.example",
        "recipient": address,
        "subject": "ご注文ありがとうございます",
        "text": "山田様\nありがとうございます。\n",
        "plain": {
            "subject": "ご注文ありがとうございます",
            "text": "山田様\nありがとうございます。\n",
        },
    } | fields.pop("body", {})
    values: dict[str, Any] = {
        "state": MessageState.IN_REVIEW,
        "recipient_hash": address_hash(KEY, address),
        "expires_at": NOW + timedelta(days=2),
        "text_key": "ja/order_thanks/own/first",
        "text_version": "v1",
    } | fields
    return make_message(session, channel, customer, body=body, **values)


def approved(session: Session, channel: Channel, **fields: Any) -> Message:
    """A message that somebody approved an hour ago, with the event that tells of it."""
    message = written(session, channel, **fields)
    body = session.get_one(MessageBody, message.id)
    bind_approval(message, body, by="clerk", now=APPROVED_AT, undo_seconds=300)
    message.state = MessageState.APPROVED
    session.add(
        MessageEvent(
            message_id=message.id,
            at=APPROVED_AT,
            move="approve",
            from_state=MessageState.IN_REVIEW,
            to_state=MessageState.APPROVED,
            actor=Actor.STAFF,
            by="clerk",
        )
    )
    session.flush()
    return message


@dataclass(frozen=True)
class Facts:
    """What a fresh look found."""

    verdict: Verdict = Verdict.ALLOW
    changed: Sequence[Any] = ()
    code: str = ""


def unchanged(_session: Session, _ctx: Context, _message_id: str, _now: datetime) -> Rechecked:
    """Nothing of what was rendered has changed."""
    return Facts()


def changed(*names: str) -> Recheck:
    """A look that finds these values changed."""

    def look(_session: Session, _ctx: Context, _message_id: str, _now: datetime) -> Rechecked:
        return Facts(changed=names)

    return look


@dataclass
class Wire:
    """A way out that keeps what it was given; ``answers`` are raised first, one per mail."""

    name: str = "wire"
    mails: list[Prepared] = field(default_factory=list)
    answers: list[Exception] = field(default_factory=list)

    def send(self, mail: Prepared, on_accepted: OnAccepted | None = None) -> Accepted:
        """Take the mail, or raise the next answer."""
        if self.answers:
            raise self.answers.pop(0)
        self.mails.append(mail)
        taken = Accepted("250 taken")
        if on_accepted is not None:
            on_accepted(taken)
        return taken

    def close(self) -> None:
        """Nothing is open."""
