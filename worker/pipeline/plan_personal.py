"""A mail that a clerk writes to one customer: judged, rendered and read like every other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.personal_words import fault_of
from worker.pipeline.plan_reach import open_book
from worker.pipeline.plan_run import open_run
from worker.pipeline.render import render_message
from worker.rules.outcome_words import outcome_words
from worker.rules.states import Actor, MailKind, MessageState, Outcome, ReviewMode
from worker.store.channels import Channel
from worker.store.customers import Customer, OrderStanding
from worker.store.messages import Message, MessageBody, MessageEvent, Occasion
from worker.store.occasion_queries import take_turn
from worker.store.orders import OrderRow
from worker.store.person_queries import addresses_in
from worker.store.ulids import new_ulid

_REFUSED = {
    "nobody": ("この顧客は見つかりません。", "There is no such customer."),
    "no_channel": ("この店舗は見つかりません。", "There is no such channel."),
    "empty": ("件名と本文を入力してください。", "Subject and text are required."),
    "no_order": (
        "モールのお客様には、ご注文に関するメールだけを送れます。ご注文を選んでください。",
        "On a marketplace only mail about an order is allowed. Choose the order.",
    ),
    "order_of_another": (
        "この顧客の、この店舗での受注ではありません。",
        "This is no order of this customer in this shop.",
    ),
    "unknown_placeholder": (
        "「{what}」という差し込みはありません。右の一覧から選んでください。",
        "There is no placeholder “{what}”. Choose one from the list.",
    ),
    "not_a_letter": (
        "波かっこの書き方を確かめてください({what})。",
        "Check the braces ({what}).",
    ),
    "subject_lines": ("件名は1行で書いてください。", "The subject must be one line."),
}


class PersonalRefused(ValueError):
    """The mail may not be written; nothing was stored. ``code`` names why."""

    def __init__(self, code: str, reason: dict[str, object] | None = None) -> None:
        self.code = code
        self._reason = reason or {"code": code}
        super().__init__(f"{self.words('ja')} / {self.words('en')}")

    def words(self, locale: str) -> str:
        """The sentence in ``ja`` or ``en``."""
        if self.code in _REFUSED:
            return _REFUSED[self.code][locale == "en"].format(**self._reason)
        return outcome_words(self._reason, locale)


def write_personal(
    session: Session,
    ctx: Context,
    customer_id: int,
    channel_id: int,
    subject: str,
    text: str,
    by: str,
    now: datetime,
    order_id: int | None = None,
    key: str = "",
) -> str:
    """Make a mail of these words, placeholders allowed, and give its id; it waits to be read.

    Own shops may write about anything, marketplaces only about an order: ``order_id``, else the
    newest order there. ``key`` is the form's own: sent twice, it gives the mail of the first
    time. Raises PersonalRefused.
    """
    if key and (written := _written_already(session, customer_id, key)) is not None:
        return written
    _raise_where_no_letter(subject, text)
    channel = session.get(Channel, channel_id)
    customer = session.get(Customer, customer_id)
    if channel is None:
        raise PersonalRefused("no_channel")
    if customer is None or customer.merged_into is not None:
        raise PersonalRefused("nobody")
    order = _order(session, channel, customer_id, order_id)
    if order is None and order_id is not None:
        raise PersonalRefused("order_of_another")
    if order is None and channel.family != "own":
        raise PersonalRefused("no_order")
    _raise_where_forbidden(session, ctx, channel, customer, now)
    message = _message(session, ctx, channel, customer, order, now)
    _attach(session, message, channel, order, (subject, text), by, now, key=key)
    return render_message(session, ctx, message.id, now).id


def _written_already(session: Session, customer_id: int, key: str) -> str | None:
    """The mail that the same form made before; two presses at once wait for one another."""
    take_turn(session)
    return session.scalar(
        select(Occasion.message_id).where(
            Occasion.kind == MailKind.PERSONAL,
            Occasion.subject == _subject(key),
            Occasion.customer_id == customer_id,
        )
    )


def _subject(key: str) -> str:
    return f"personal:{key}"


def _raise_where_no_letter(subject: str, text: str) -> None:
    if not subject.strip() or not text.strip():
        raise PersonalRefused("empty")
    if (fault := fault_of(subject, text)) is not None:
        code, what = fault
        raise PersonalRefused(code, {"code": code, "what": what})


def _order(
    session: Session, channel: Channel, customer_id: int, order_id: int | None
) -> OrderRow | None:
    """The named order, else on a marketplace the newest; an own shop's mail needs none."""
    if order_id is None and channel.family == "own":
        return None
    wanted = select(OrderRow).where(
        OrderRow.channel_id == channel.id, OrderRow.customer_id == customer_id
    )
    if order_id is not None:
        wanted = wanted.where(OrderRow.id == order_id)
    return session.scalar(wanted.order_by(OrderRow.ordered_at.desc(), OrderRow.id.desc()).limit(1))


def _raise_where_forbidden(
    session: Session, ctx: Context, channel: Channel, customer: Customer, now: datetime
) -> None:
    masked = channel.family != "own"
    address = addresses_in(session, channel.id, [customer.id], masked=masked).get(customer.id)
    run = open_run(session, ctx, now)
    book = open_book(run, [customer.id], [address], notes=False)
    found = book.permission(
        channel,
        MailKind.PERSONAL,
        address,
        customer.id,
        erased=customer.erased_at is not None,
    )
    if found.outcome is not None:
        raise PersonalRefused(found.code, {"code": found.code, **found.facts})


def _message(
    session: Session,
    ctx: Context,
    channel: Channel,
    customer: Customer,
    order: OrderRow | None,
    now: datetime,
) -> Message:
    standing = session.get(OrderStanding, order.id) if order else None
    message = Message(
        id=new_ulid(now),
        kind=MailKind.PERSONAL,
        channel_id=channel.id,
        family=channel.family,
        scope=ctx.documents.shop.scope_of(channel.name, channel.family),
        customer_id=customer.id,
        locale=channel.locale or ctx.documents.shop.locale,
        state=MessageState.SCHEDULED,
        mode=ReviewMode.REVIEW,
        rank=standing.rank if standing else None,
        why={"code": "written_by_staff"},
        due_at=now,
        review_at=now,
        created_at=now,
    )
    session.add(message)
    session.flush()
    return message


def _attach(
    session: Session,
    message: Message,
    channel: Channel,
    order: OrderRow | None,
    words: tuple[str, str],
    by: str,
    now: datetime,
    *,
    key: str,
) -> None:
    letter = {"subject": words[0].strip(), "text": words[1].replace("\r\n", "\n").strip("\n")}
    session.add(MessageBody(message_id=message.id, plain={"letter": letter}))
    session.add(
        Occasion(
            kind=MailKind.PERSONAL,
            subject=_subject(key or message.id),
            channel_id=channel.id,
            order_id=order.id if order else None,
            customer_id=message.customer_id,
            outcome=Outcome.MESSAGE,
            reason={"code": "written_by_staff", "by": by},
            message_id=message.id,
            due_at=now,
            created_at=now,
            changed_at=now,
        )
    )
    session.add(
        MessageEvent(
            message_id=message.id,
            at=now,
            move="write",
            from_state=None,
            to_state=message.state,
            actor=Actor.STAFF,
            by=by,
            reason={"code": "written_by_staff"},
        )
    )
    session.flush()
