"""From what is stored to what a text may say: the facts of one mail, its words, its signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from worker.mail.facts import (
    CouponFacts,
    LineFacts,
    OrderFacts,
    ParcelFacts,
    PersonName,
    ShipPlan,
    TextFacts,
)
from worker.mail.kinds import milestone_occasion, win_back_occasion
from worker.mail.placeholders import values
from worker.mail.render import render_part
from worker.pipeline.context import Context
from worker.pipeline.render_shop import shop_facts, unsubscribe_at
from worker.rules import timing
from worker.rules.milestones import is_milestone, plan_of
from worker.rules.states import CUSTOMER_KINDS, Certainty, MailKind
from worker.rules.telling import Telling, Words, words_of
from worker.rules.timing import Days, Parcel
from worker.store.orders import OrderContact, OrderRow
from worker.store.text_queries import Material


@dataclass(frozen=True, slots=True)
class Telltale:
    """What decides which text is taken; part of what an approval rests on."""

    rank: str
    occasions: tuple[str, ...]
    number: int | None
    uncertain: bool


def number_of(material: Material) -> int | None:
    """The visit number of the mail: that of its newest order, else as planned."""
    numbers = [s.visit_number for s in material.standings.values() if s.visit_number is not None]
    if material.message.kind in CUSTOMER_KINDS or not numbers:
        return material.message.visit_number
    return max(numbers)


def rank_of(material: Material) -> str | None:
    """The rank at the newest order of the mail."""
    for order in reversed(material.orders):
        standing = material.standings.get(order.id)
        if standing is not None:
            return standing.rank
    return material.message.rank


def announced_before(material: Material) -> int | None:
    """The highest number said to the person in the scope by mails of other visits."""
    mine = material.message
    numbers = [
        m.announced
        for m in material.said
        if m.scope == mine.scope
        and m.announced is not None
        and (not mine.group_key or m.group_key != mine.group_key)
    ]
    return max(numbers, default=None)


def is_gift(order: OrderRow, contact: OrderContact | None) -> bool:
    """Marked as a gift, or sent to somebody of another name."""
    if order.gift:
        return True
    if contact is None or not contact.recipient_name or not contact.name:
        return False
    return _bare(contact.recipient_name) != _bare(contact.name)


def _bare(name: str) -> str:
    return "".join(name.split()).replace("様", "")


def certainties(material: Material) -> set[Certainty]:
    """How sure the numbers of the mail's orders are."""
    return {s.certainty for s in material.standings.values()}


def telltale(ctx: Context, material: Material) -> Telltale:
    """Which text, and whether it says a number aloud (P10)."""
    message = material.message
    if message.kind is MailKind.ORDER_THANKS:
        return _thanks(ctx, material)
    rank = _text_rank(ctx, rank_of(material))
    number = number_of(material)
    uncertain = Certainty.UNCERTAIN in certainties(material)
    if message.kind is MailKind.MILESTONE:
        occasion = milestone_occasion(number or 0)
        return Telltale(rank, (occasion,) if occasion else (), number, uncertain)
    if message.kind is MailKind.WIN_BACK:
        step = int(message.step) if message.step.isdigit() else 1
        return Telltale(rank, (win_back_occasion(step),), None, uncertain=False)
    if message.kind is MailKind.FOLLOW_UP:
        gift = _has_gift(material)
        rank = "any" if uncertain and number == 1 else rank
        return Telltale(rank, ("gift",) if gift else (), None, uncertain)
    return Telltale(rank, (), None, uncertain=False)


def _thanks(ctx: Context, material: Material) -> Telltale:
    telling = _telling(ctx, material)
    words: Words = words_of(telling)
    rank = rank_of(material)
    text_rank = _text_rank(ctx, rank)
    if telling.visit_number in (None, 1) and not words.first_allowed:
        # Perhaps not the first visit at all: words that are true for everybody.
        text_rank = "any"
    return Telltale(text_rank, words.occasions, words.number, words.uncertain)


def _telling(ctx: Context, material: Material) -> Telling:
    shop, message = ctx.documents.shop, material.message
    plans = ctx.documents.milestones
    number = number_of(material)
    sure = certainties(material)
    overall = [
        s.ordinal_overall for s in material.standings.values() if s.ordinal_overall is not None
    ]
    previous = previous_order(material)
    newest = material.orders[-1] if material.orders else None
    return Telling(
        orders=len(material.orders),
        after_thanks=_was_thanked(material),
        visit_number=number,
        lifetime_orders=min(overall, default=0),
        proved=bool(sure) and sure <= {Certainty.PROVED},
        provisional=Certainty.PROVISIONAL in sure and Certainty.UNCERTAIN not in sure,
        identity_sure=material.customer is not None and not material.customer.identity_unsure,
        say_number=shop.say_number,
        announced=announced_before(material),
        milestone=number is not None and is_milestone(plan_of(plans, message.scope), number),
        days_since_previous=(
            (newest.ordered_on - previous.ordered_on).days if newest and previous else None
        ),
        gift=_has_gift(material),
    )


def _was_thanked(material: Material) -> bool:
    mine = material.message
    return any(m.group_key == mine.group_key and m.id < mine.id for m in material.said)


def _has_gift(material: Material) -> bool:
    """A gift whose recipient can be named; without the name the plain words are the true ones."""
    return _recipient(material) is not None


def _text_rank(ctx: Context, rank: str | None) -> str:
    rung = next((r for r in ctx.documents.ladder.rungs if r.id == rank), None)
    return (rung.text or rung.id) if rung else "any"


def previous_order(material: Material) -> OrderRow | None:
    """The last counting order before the mail's first day."""
    if not material.orders:
        return None
    first = material.orders[0].ordered_on
    before = [o for o in material.past if o.ordered_on < first]
    return before[-1] if before else None


# --- the facts of a text --------------------------------------------------------------------


def text_facts(
    ctx: Context,
    material: Material,
    days: Days,
    now: datetime,
    tale: Telltale,
    coupon: CouponFacts,
    sample: str | None,
) -> TextFacts:
    """Everything a text may know. ``now`` is when it is written, also when it is checked later.

    Raises MissingValue or TextRefused for a clerk's letter that cannot be filled.
    """
    message, shop = material.message, ctx.documents.shop
    newest = material.orders[-1] if material.orders else None
    locale = message.locale
    about_person = message.kind in CUSTOMER_KINDS
    facts = TextFacts(
        now=now,
        zone=ctx.zone,
        shop=shop_facts(ctx, material.channel, locale),
        customer=_customer_name(material),
        recipient=_recipient(material),
        orders=tuple(_order_facts(o, material) for o in material.orders),
        ship_plan=_ship_plan(ctx, material, days, now),
        arrival_on=_arrival(ctx, material, newest, days),
        prepaid=_is_prepaid(material),
        parcel=ParcelFacts(
            carrier=newest.carrier if newest else None,
            tracking_number=newest.tracking_number if newest else None,
        ),
        visit_number=tale.number,
        previous_ordered_at=_ordered_at(previous_order(material)),
        first_ordered_at=_ordered_at(material.past[0] if material.past else None),
        last_item_name=_last_item(material, newest) if about_person else None,
        last_delivered_on=_arrival(ctx, material, newest, days) if about_person else None,
        coupon=coupon,
        sample_name=sample,
        personal_line=material.line("personal_line"),
        question_line=material.line("question_line"),
        care_block=_care(shop.care, material),
        busy_period_line=_busy(ctx, days.day(now), locale),
        season_line=shop.season_line or None,
        unsubscribe_url=unsubscribe_at(ctx, material.channel),
    )
    return _with_letter(facts, material)


def _with_letter(facts: TextFacts, material: Material) -> TextFacts:
    """Put a clerk's letter in, its own placeholders filled. Raises MissingValue, TextRefused."""
    letter = (material.body.plain or {}).get("letter") if material.body else None
    if not letter:
        return facts
    known = values(facts, material.message.locale)
    return replace(
        facts,
        letter_subject=render_part(letter["subject"], known, html=False),
        letter_body=render_part(letter["text"], known, html=False),
    )


def _ordered_at(order: OrderRow | None) -> datetime | None:
    return order.ordered_at if order else None


def _customer_name(material: Material) -> PersonName:
    contact = next(
        (material.contacts[o.id] for o in material.orders if o.id in material.contacts), None
    )
    if material.message.kind in CUSTOMER_KINDS or contact is None or not contact.name:
        source = material.profile or contact
    else:
        source = contact
    if source is None:
        return PersonName()
    return PersonName(
        family_name=source.family_name, given_name=source.given_name, full_name=source.name
    )


def _recipient(material: Material) -> PersonName | None:
    for order in material.orders:
        contact = material.contacts.get(order.id)
        if contact is not None and contact.recipient_name and is_gift(order, contact):
            return PersonName(full_name=contact.recipient_name)
    return None


def _order_facts(order: OrderRow, material: Material) -> OrderFacts:
    return OrderFacts(
        number=order.number,
        ordered_at=order.ordered_at,
        currency=order.currency,
        lines=tuple(
            LineFacts(name=line.name, quantity=line.quantity, amount=line.amount)
            for line in material.lines.get(order.id, ())
        ),
        subtotal=order.subtotal,
        shipping=order.shipping,
        fee=order.fee,
        discount=order.discount,
        points=order.points,
        total=order.total,
        payment_method=order.payment_method,
    )


def _ship_plan(ctx: Context, material: Material, days: Days, now: datetime) -> ShipPlan:
    """A designated day wins; else so many business days from today or the payment."""
    if not material.orders:
        return ShipPlan()
    designated = [o for o in material.orders if o.delivery_date is not None]
    if designated:
        last = max(designated, key=lambda o: o.delivery_date or date.min)
        return ShipPlan(designated_on=last.delivery_date, designated_band=last.delivery_band)
    newest = material.orders[-1]
    begin = max(newest.ordered_on, days.day(now))
    within = ctx.documents.shop.calendar.ship_within_business_days
    return ShipPlan(ship_by=timing.ship_by(begin, days, within))


def _arrival(ctx: Context, material: Material, order: OrderRow | None, days: Days) -> date | None:
    if order is None:
        return None
    calendar = ctx.documents.shop.calendar
    contact = material.contacts.get(order.id)
    address = (contact.recipient_address or contact.address) if contact else None
    parcel = Parcel(
        designated_on=order.delivery_date,
        delivered_at=order.delivered_at,
        shipped_at=order.shipped_at,
        far=timing.is_far(address, calendar.far_prefectures),
    )
    return timing.arrival_on(parcel, calendar.transit_days, calendar.transit_days_far, days)


def _is_prepaid(material: Material) -> bool:
    return any(
        o.payment_kind == "prepayment" and o.payment in ("paid", "refunded_part")
        for o in material.orders
    )


def _last_item(material: Material, order: OrderRow | None) -> str | None:
    lines = material.lines.get(order.id, []) if order else []
    return lines[0].name if lines else None


def _care(care: Mapping[str, str], material: Material) -> str | None:
    texts = [
        care[line.sku]
        for order in material.orders
        for line in material.lines.get(order.id, ())
        if line.sku is not None and line.sku in care
    ]
    return "\n\n".join(dict.fromkeys(texts)) or None


def _busy(ctx: Context, today: date, locale: str) -> str | None:
    for period in ctx.documents.shop.calendar.busy:
        if period.first <= today <= period.last:
            return (period.line_en or period.line) if locale == "en" else period.line
    return None
