"""Explains in words: which visit an order is, why this rank, why this mail or why none (P12)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.outcome_words import outcome_words
from worker.rules.rank_words import missing_words, rank_words
from worker.rules.states import Certainty, MessageState
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
_STATES = {
    MessageState.SCHEDULED: ("下書き", "scheduled"),
    MessageState.IN_REVIEW: ("確認待ち", "waiting for review"),
    MessageState.ON_HOLD: ("保留", "on hold"),
    MessageState.APPROVED: ("承認済み", "approved"),
    MessageState.SENDING: ("送信中", "being sent"),
    MessageState.SENT: ("送信済み", "sent"),
    MessageState.BOUNCED: ("不達", "bounced"),
    MessageState.COMPLAINED: ("苦情", "complained of"),
    MessageState.SENT_BACK: ("差し戻し", "sent back"),
    MessageState.RETRY_WAIT: ("再送待ち", "waiting for a retry"),
    MessageState.FAILED: ("送信失敗", "failed"),
    MessageState.UNCONFIRMED: ("送信結果が不明", "unconfirmed"),
    MessageState.CANCELLED: ("取消", "cancelled"),
    MessageState.EXPIRED: ("時機を過ぎたため中止", "expired"),
    MessageState.SUPPRESSED: ("配信停止中のため対象外", "suppressed"),
    MessageState.HANDOFF: ("モール配信の準備", "to be run in the marketplace's own tool"),
    MessageState.HANDED_OFF: ("モールで配信済み", "run in the marketplace's own tool"),
}


def explain(session: Session, ctx: Context, what: str, locale: str) -> list[str]:
    """Explain an order number, a message id or a customer id; empty when there is none."""
    message = session.get(Message, what)
    if message is not None:
        return list(why_message(session, message, locale))
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
    yield "  " + _say(
        locale,
        f"状態: {order.life} / {order.payment} / {order.fulfilment}、"
        + ("数えます" if order.counting else "数えません"),
        f"state: {order.life} / {order.payment} / {order.fulfilment}, "
        + ("counts" if order.counting else "does not count"),
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
    sure = _CERTAINTY[standing.certainty][0 if locale == "ja" else 1]
    if standing.visit_number is not None:
        yield _say(
            locale,
            f"{standing.scope} で {standing.visit_number}回目({sure})、"
            f"全店で {standing.ordinal_overall or '-'}件目",
            f"visit {standing.visit_number} in {standing.scope} ({sure}), "
            f"order {standing.ordinal_overall or '-'} over all channels",
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
        name = f"{row.kind}{' ' + row.step if row.step else ''}"
        yield f"  {name}: {outcome_words(row.reason, locale)}"
        if row.message_id:
            message = session.get_one(Message, row.message_id)
            state = _STATES[message.state][0 if locale == "ja" else 1]
            yield f"    → {row.message_id} {state}"


def why_message(session: Session, message: Message, locale: str) -> Iterator[str]:
    """Lines about one message: its state, its reasons, its flags and every move it made."""
    state = _STATES[message.state][0 if locale == "ja" else 1]
    yield _say(
        locale, f"メール {message.id}({message.kind})", f"Message {message.id} ({message.kind})"
    )
    yield _say(locale, f"  状態: {state}", f"  state: {state}")
    yield _say(locale, f"  文面: {message.text_key or '-'}", f"  text: {message.text_key or '-'}")
    for flag in message.flags:
        yield _say(locale, f"  見るところ: {_flag(flag)}", f"  needs a look: {_flag(flag)}")
    yield from _occasions(session, locale, Occasion.message_id == message.id)
    events = session.scalars(
        select(MessageEvent).where(MessageEvent.message_id == message.id).order_by(MessageEvent.id)
    )
    for event in events:
        who = event.by or event.actor.value
        reason = event.reason.get("code", "")
        moved = f"{event.move} → {event.to_state} ({who}) {reason}".rstrip()
        yield f"  {event.at:%Y-%m-%d %H:%M:%SZ} {moved}"


def _flag(flag: dict[str, object]) -> str:
    fact = flag.get("fact")
    return f"{flag['flag']} {fact}" if fact else str(flag["flag"])


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
        yield _say(
            locale, f"  名寄せ: {link.reason}({link.by})", f"  tied by {link.reason} ({link.by})"
        )
    yield from _merges(session, customer.id, locale)
    for grant in session.scalars(select(Grant).where(Grant.customer_id == customer.id)):
        yield _say(
            locale,
            f"  特典: {grant.scope} {grant.milestone}回目 {grant.state}",
            f"  reward: {grant.scope} visit {grant.milestone} {grant.state}",
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
            (Candidate.customer_a == customer_id) | (Candidate.customer_b == customer_id)
        )
    )
    for candidate in candidates:
        yield _say(
            locale,
            f"  名寄せ候補 {candidate.id}: {candidate.customer_a} と {candidate.customer_b} "
            f"{candidate.reason} {candidate.state}",
            f"  candidate {candidate.id}: {candidate.customer_a} and {candidate.customer_b} "
            f"{candidate.reason} {candidate.state}",
        )
