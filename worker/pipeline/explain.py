"""Explains in words: which visit an order is, why this rank, why this mail or why none (P12)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_words import hold_words
from worker.rules.outcome_words import outcome_words
from worker.rules.rank_words import missing_words, rank_words
from worker.rules.staff_words import (
    ACTORS,
    FLAGS,
    KINDS,
    MOVES,
    ORDER,
    STATES,
    TIES,
    grant_words,
    say,
)
from worker.rules.states import CandidateState, Certainty, MessageState
from worker.store.channels import Channel
from worker.store.customers import (
    Candidate,
    Customer,
    CustomerStanding,
    IdentityLink,
    Merge,
    OrderStanding,
)
from worker.store.messages import Message, MessageEvent, Occasion
from worker.store.orders import OrderRow
from worker.store.rewards import Grant

_CERTAINTY = {
    Certainty.PROVED: ("確か", "proved"),
    Certainty.PROVISIONAL: ("仮(まだ数えていません)", "provisional, it does not count yet"),
    Certainty.UNCERTAIN: ("不確か", "uncertain"),
}


def explain(session: Session, ctx: Context, what: str, locale: str) -> list[str]:
    """Explain an order number, a message id or a customer id; empty when there is none."""
    message = session.get(Message, what)
    if message is not None:
        return list(why_message(session, ctx, message, locale))
    orders = session.scalars(
        select(OrderRow)
        .where((OrderRow.number == what) | (OrderRow.external_id == what))
        .order_by(OrderRow.id)
    ).all()
    if orders:
        return [line for order in orders for line in why_order(session, ctx, order, locale)]
    if what.isdigit():
        customer = session.get(Customer, int(what))
        if customer is not None:
            return list(why_customer(session, ctx, customer, locale))
    return []


def _say(locale: str, japanese: str, english: str) -> str:
    return japanese if locale == "ja" else english


def why_order(session: Session, ctx: Context, order: OrderRow, locale: str) -> Iterator[str]:
    """Lines about one order: its state, number, rank, and what became of each reason to mail."""
    channel = session.get_one(Channel, order.channel_id)
    day = order.ordered_at.astimezone(ctx.zone).strftime("%Y/%m/%d %H:%M")
    yield _say(
        locale, f"受注 {order.number}({channel.name})", f"Order {order.number} ({channel.name})"
    )
    yield _say(locale, f"  注文日時 {day}", f"  ordered {day}")
    state = " / ".join(
        say(ORDER, word, locale) for word in (order.life, order.payment, order.fulfilment)
    )
    yield "  " + _say(
        locale,
        f"状態: {state}、" + ("回数に数えます" if order.counting else "回数に数えません"),
        f"state: {state}, " + ("counts" if order.counting else "does not count"),
    )
    standing = session.get(OrderStanding, order.id)
    if standing is not None:
        yield from (f"  {line}" for line in _standing(ctx, standing, locale))
    elif channel.family == "amazon":
        yield "  " + _say(
            locale, "Amazonの受注からは顧客も回数も作りません。",
            "Amazon orders make no customer and no number.",
        )  # fmt: skip
    yield from _occasions(session, locale, Occasion.order_id == order.id)


def _standing(ctx: Context, standing: OrderStanding, locale: str) -> Iterator[str]:
    overall = standing.ordinal_overall
    sure = _CERTAINTY[standing.certainty][0 if locale == "ja" else 1]
    if standing.visit_number is not None:
        yield _say(
            locale,
            f"購入回数: {standing.scope} で{standing.visit_number}回目({sure})"
            + (f"、全店で{overall}件目" if overall else ""),
            f"visit {standing.visit_number} in {standing.scope} ({sure})"
            + (f", order {overall} over all channels" if overall else ""),
        )
    else:
        yield _say(
            locale, "数えないため、回数はありません", "it does not count, so it has no number"
        )
    ladder = ctx.documents.ladder
    if standing.rank is not None:
        words = rank_words(standing.rank, standing.facts, ladder, locale)
        yield _say(locale, f"判定理由: {words}", f"why this rank: {words}")


def _occasions(session: Session, locale: str, condition: object) -> Iterator[str]:
    rows = session.scalars(select(Occasion).where(condition).order_by(Occasion.id)).all()  # type: ignore[arg-type]
    if not rows:
        yield "  " + _say(
            locale,
            "メールの予定なし: この店舗では、送信開始日より前の受注にはメールを作りません。",
            "no mail: orders from before this channel's start make none.",
        )
    for row in rows:
        name = say(KINDS, row.kind, locale) + (f" {row.step}" if row.step else "")
        yield f"  {name}: {outcome_words(row.reason, locale)}"
        if row.message_id:
            message = session.get_one(Message, row.message_id)
            yield f"    → {row.message_id} {say(STATES, message.state, locale)}"


def why_message(session: Session, ctx: Context, message: Message, locale: str) -> Iterator[str]:
    """Lines about one message: its state, its reasons, its flags and every move it made."""
    state, kind = say(STATES, message.state, locale), say(KINDS, message.kind, locale)
    yield _say(locale, f"メール {message.id}({kind})", f"Message {message.id} ({kind})")
    yield _say(locale, f"  状態: {state}", f"  state: {state}")
    yield _say(locale, f"  文面: {message.text_key or '-'}", f"  text: {message.text_key or '-'}")
    flagged = {str(flag["flag"]) for flag in message.flags}
    if message.state == MessageState.ON_HOLD and message.hold_reason not in {"", *flagged}:
        reason = hold_words(message.hold_reason, locale)
        yield _say(locale, f"  保留の理由: {reason}", f"  held because: {reason}")
    for flag in message.flags:
        told = _flag(flag, locale)
        yield _say(locale, f"  見るところ: {told}", f"  needs a look: {told}")
    yield from _occasions(session, locale, Occasion.message_id == message.id)
    events = session.scalars(
        select(MessageEvent).where(MessageEvent.message_id == message.id).order_by(MessageEvent.id)
    )
    for event in events:
        at = event.at.astimezone(ctx.zone).strftime("%Y/%m/%d %H:%M:%S")
        who = event.by or say(ACTORS, event.actor, locale)
        move = say(MOVES, event.move, locale)
        state = say(STATES, event.to_state, locale)
        moved = move if move == state else f"{move} → {state}"
        yield _say(locale, f"  {at} {moved}({who})", f"  {at} {moved} ({who})")


def _flag(flag: dict[str, object], locale: str) -> str:
    """The desk's word for a flag, and the name of the value it is about."""
    fact = flag.get("fact")
    told = say(FLAGS, str(flag["flag"]), locale)
    return f"{told} ({fact})" if isinstance(fact, str) and fact else told


def why_customer(session: Session, ctx: Context, customer: Customer, locale: str) -> Iterator[str]:
    """Lines about one customer: ranks by scope, how the keys were tied, rewards."""
    yield _say(locale, f"顧客 {customer.id}", f"Customer {customer.id}")
    if customer.merged_into:
        yield _say(
            locale, f"  顧客 {customer.merged_into} に名寄せされています",
            f"  merged into customer {customer.merged_into}",
        )  # fmt: skip
    if customer.identity_unsure:
        yield "  " + _say(locale, "名寄せが未確定です", "it is not settled who this is")
    yield from _ranks(session, ctx, customer.id, locale)
    links = session.scalars(
        select(IdentityLink)
        .where(IdentityLink.customer_id == customer.id, IdentityLink.ended_at.is_(None))
        .order_by(IdentityLink.id)
    )
    for link in links:
        tie = say(TIES, link.reason, locale)
        yield _say(locale, f"  名寄せの根拠: {tie}", f"  tied by: {tie}")
    yield from _merges(session, customer.id, locale)
    for grant in session.scalars(select(Grant).where(Grant.customer_id == customer.id)):
        stands = grant_words(grant.state, grant.reason, locale)
        yield _say(
            locale,
            f"  特典: {grant.scope} {grant.milestone}回目 {stands}",
            f"  reward: {grant.scope} visit {grant.milestone}, {stands}",
        )


def _ranks(session: Session, ctx: Context, customer_id: int, locale: str) -> Iterator[str]:
    rows = session.scalars(
        select(CustomerStanding)
        .where(CustomerStanding.customer_id == customer_id)
        .order_by(CustomerStanding.scope)
    )
    ladder = ctx.documents.ladder
    for row in rows:
        scope = _say(locale, "全店", "all channels") if row.scope == "*" else row.scope
        words = rank_words(row.rank, row.facts, ladder, locale)
        missing = missing_words(row.rank, row.facts, ladder, locale)
        yield f"  {scope}: {words}" + (f" ({missing})" if missing else "")


def _merges(session: Session, customer_id: int, locale: str) -> Iterator[str]:
    rows = session.scalars(
        select(Merge).where((Merge.kept_id == customer_id) | (Merge.merged_id == customer_id))
    )
    for row in rows:
        undone = _say(locale, "、解除済み", ", undone") if row.undone_at else ""
        yield _say(
            locale,
            f"  名寄せ {row.id}: {row.kept_id} ← {row.merged_id} {row.reason}({row.by}{undone})",
            f"  merge {row.id}: {row.kept_id} ← {row.merged_id} {row.reason} ({row.by}{undone})",
        )
    candidates = session.scalars(
        select(Candidate).where(
            Candidate.state == CandidateState.OPEN,
            (Candidate.customer_a == customer_id) | (Candidate.customer_b == customer_id),
        )
    )
    for candidate in candidates:
        yield _say(
            locale,
            f"  名寄せ候補 {candidate.id}: {candidate.customer_a} と {candidate.customer_b} "
            f"({say(TIES, candidate.reason, locale)})",
            f"  candidate {candidate.id}: {candidate.customer_a} and {candidate.customer_b} "
            f"({say(TIES, candidate.reason, locale)})",
        )
