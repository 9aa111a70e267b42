"""モール配信の準備: what staff run in the marketplace's own tool, and what they ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.looks import flag_label
from console.views.names import shop_labels
from console.words import Words
from worker.rules.states import MessageState
from worker.store.channels import Channel
from worker.store.messages import Handoff, Message, MessageBody

PAGE = 50


@dataclass(frozen=True, slots=True)
class Campaign:
    """One mailing; ``conditions`` are what to tick in the marketplace's screen, in words."""

    id: str
    version: int
    what: str
    subject: str
    text: str
    trouble: tuple[str, ...]
    conditions: tuple[str, ...]
    expected: int
    done: str


def campaigns(session: Session, words: Words, *, done: bool) -> tuple[Campaign, ...]:
    """Mailings to run, or those that were run, the newest first."""
    state = MessageState.HANDED_OFF if done else MessageState.HANDOFF
    rows = session.execute(
        select(Message, Handoff, MessageBody, Channel.name)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(Handoff, Handoff.message_id == Message.id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .where(Message.state == state)
        .order_by(Message.due_at.desc(), Message.id)
        .limit(PAGE)
    ).all()
    shops = shop_labels(session, words)
    return tuple(
        Campaign(
            id=message.id,
            version=message.version,
            what=f"{words(f'kind.{message.kind}')}　{shops.get(channel, channel)}",
            subject=body.subject if body else "",
            text=body.text if body else "",
            trouble=tuple(flag_label(str(flag.get("flag", "")), words) for flag in message.flags),
            conditions=tuple(_conditions(handoff, words, shops)),
            expected=handoff.expected if handoff else 0,
            done=_done(handoff, words),
        )
        for message, handoff, body, channel in rows
    )


def _conditions(handoff: Handoff | None, words: Words, shops: Mapping[str, str]) -> Iterator[str]:
    """Each condition as a sentence; one without words as it is stored."""
    if handoff is None:
        return
    for key, value in handoff.conditions.items():
        said = shops.get(str(value), str(value))
        if words.has(f"handoffs.when_{key}"):
            yield words(f"handoffs.when_{key}", what=said)
        else:
            yield f"{key}: {said}"


def _done(handoff: Handoff | None, words: Words) -> str:
    if handoff is None or handoff.done_on is None:
        return ""
    day = formats.day(handoff.done_on, words.locale)
    return words("handoffs.past_row", day=day, n=handoff.done_count or 0, by=handoff.done_by)
