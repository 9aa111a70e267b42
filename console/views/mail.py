"""The reading pane: what to look at in a mail, what was checked, why it is, what may be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.customer import Card, card
from console.views.life import Event, life_of
from console.views.looks import Look, looks
from console.views.mail_orders import OrderCard, order_cards
from console.views.names import Badge, badges, scope_label, shop_labels
from console.views.paper import VIEWS, Paper, Tab, has_lapsed, paper, tabs
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import MessageDetail
from worker.rules.outcome_words import outcome_words
from worker.rules.states import REVIEWABLE, Certainty, Flag, MessageState
from worker.store.message_queries import TO_SEND, suppressed
from worker.store.messages import Message, Occasion


@dataclass(frozen=True, slots=True)
class Seen:
    """The words on this page: an approval of others is refused with the difference."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class MailView:
    """Everything the pane prints."""

    id: str
    version: int
    customer_id: int | None
    name: str
    kind: str
    shop: str
    state: str
    state_label: str
    badge: Badge | None
    number: str
    facts: tuple[str, ...]
    lapsed: str
    held: str
    sent_back: str
    looks: tuple[Look, ...]
    tabs: tuple[Tab, ...]
    view: str
    paper: Paper | None
    events: tuple[Event, ...]
    checks: tuple[str, ...]
    text_key: str
    edited: bool
    why: tuple[str, ...]
    card: Card
    moves: frozenset[str]
    editable: bool
    lines: bool
    """Whether a clerk may still add a personal line."""
    seen: Seen | None
    orders: tuple[OrderCard, ...]
    again: bool
    captured: bool


def mail_view(
    session: Session, ctx: Context, message_id: str, words: Words, now: datetime, view: str = ""
) -> MailView:
    """Read one mail for the pane; ``view`` is the tab, the best one where it is empty.

    Raises Refused where there is no such mail.
    """
    detail = review.detail(session, ctx, message_id, now=now)
    message = detail.message
    ranks = badges(ctx.documents.ladder, words.locale)
    shops = shop_labels(session, words)
    lapsed = has_lapsed(detail)
    view = view if view in VIEWS else ("lapsed" if lapsed else "mail")
    person = card(session, ctx, detail, words)
    return MailView(
        id=message.id,
        customer_id=message.customer_id,
        version=message.version,
        name=person.name or _addressee(detail, words),
        kind=words(f"kind.{message.kind}"),
        shop=shops.get(detail.channel, message.family),
        state=message.state,
        state_label=words(f"state.{message.state}"),
        badge=ranks.get(message.rank or ""),
        number=_number(detail, words, shops),
        facts=_facts(message, ctx, words, now),
        lapsed=_lapsed_by(detail, words) if lapsed else "",
        held=_held(message, words),
        sent_back=_sent_back(detail),
        looks=looks(detail, words, ranks),
        tabs=tabs(session, detail, words, view),
        view=view,
        paper=paper(session, detail, view),
        events=tuple(life_of(row, ctx, words) for row in reversed(detail.events)),
        checks=_checks(session, detail, words),
        text_key=message.text_key,
        edited=message.edited,
        why=_why(session, ctx, detail, words, shops),
        card=person,
        moves=frozenset(detail.moves),
        editable=detail.body is not None and message.state in REVIEWABLE | set(TO_SEND),
        lines=message.customer_id is not None and message.state in REVIEWABLE,
        seen=Seen(detail.body.subject, detail.body.text) if detail.body else None,
        orders=order_cards(detail, ctx, words),
        again=message.state in (MessageState.SENT, MessageState.BOUNCED, MessageState.FAILED),
        captured=message.captured,
    )


def _addressee(detail: MessageDetail, words: Words) -> str:
    recipient = detail.body.recipient if detail.body else ""
    return recipient or words(f"kind.{detail.message.kind}")


def _number(detail: MessageDetail, words: Words, shops: Mapping[str, str]) -> str:
    message = detail.message
    if message.visit_number is None:
        return ""
    said = words(
        "mail.now_number",
        scope=scope_label(message.scope, words, shops),
        nth=formats.nth(message.visit_number, words.locale),
    )
    certainty = detail.orders[-1].certainty if detail.orders else None
    if certainty in (Certainty.PROVISIONAL, Certainty.UNCERTAIN):
        return said + words(f"mail.{certainty}")
    return said


def _facts(message: Message, ctx: Context, words: Words, now: datetime) -> tuple[str, ...]:
    kind = words(f"kind.{message.kind}")
    if message.state not in REVIEWABLE:
        at = formats.moment(message.sent_at or message.due_at, ctx.zone, words.locale)
        return (kind, words(f"state.{message.state}"), at)
    undo = timedelta(seconds=ctx.documents.review.undo_seconds)
    later = message.due_at > now + undo
    due = formats.near(message.due_at, now, ctx.zone)
    facts = [kind, words("mail.send_at", when=due) if later else words("mail.send_soon")]
    if message.expires_at is not None:
        when = formats.near(message.expires_at, now, ctx.zone)
        facts.append(words("mail.useless_after", when=when))
    return tuple(facts)


def _lapsed_by(detail: MessageDetail, words: Words) -> str:
    who = str(detail.body.approved.get("by", "")) if detail.body else ""
    return words("mail.lapsed_fact", who=who or words("actor.staff"))


def _held(message: Message, words: Words) -> str:
    if message.state is not MessageState.ON_HOLD:
        return ""
    for key in (f"hold.{message.hold_reason}", f"flag_do.{message.hold_reason}"):
        if words.has(key):
            return words(key)
    return message.hold_reason or words("mail.held_fact")


def _sent_back(detail: MessageDetail) -> str:
    if detail.message.state is not MessageState.SENT_BACK:
        return ""
    reasons = [event for event in detail.events if event.move == "send_back"]
    return f"{reasons[-1].reason.get('words', '')} ({reasons[-1].by})" if reasons else ""


def _checks(session: Session, detail: MessageDetail, words: Words) -> tuple[str, ...]:
    """What was proved by rule; whatever failed is a flag, never a line here."""
    message, body = detail.message, detail.body
    if body is None or message.state not in REVIEWABLE:
        return ()
    flags = {stored.get("flag") for stored in message.flags}
    found = []
    if body.values and Flag.MISSING_VALUE not in flags:
        found.append(words("mail.check_values", n=len(body.values)))
    if body.text.count("様") == 1:
        found.append(words("mail.check_sama"))
    if Flag.TEXT_REFUSED not in flags:
        found.append(words("mail.check_words"))
    stopped = session.scalar(select(Message.id).where(Message.id == message.id, suppressed()))
    if body.recipient and stopped is None:
        found.append(words("mail.check_recipient"))
    if message.again_of is None:
        found.append(words("mail.check_once"))
    return tuple(found)


def _why(
    session: Session, ctx: Context, detail: MessageDetail, words: Words, shops: Mapping[str, str]
) -> tuple[str, ...]:
    message = detail.message
    found = [
        words(
            "why.order",
            when=formats.moment(order.ordered_at, ctx.zone, words.locale),
            number=order.number,
        )
        for order in detail.orders
    ]
    reasons = session.scalars(
        select(Occasion.reason).where(Occasion.message_id == message.id).order_by(Occasion.id)
    )
    found += dict.fromkeys(outcome_words(reason, words.locale) for reason in reasons if reason)
    if message.announced is not None:
        scope = scope_label(message.scope, words, shops)
        nth = formats.nth(message.announced, words.locale)
        found.append(words("why.number", scope=scope, nth=nth))
    elif message.visit_number is not None:
        found.append(words("why.no_number"))
    if message.again_of:
        found.append(words("why.again", id=message.again_of))
    return tuple(found)
