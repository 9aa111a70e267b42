"""The words on a parcel's card: chosen by milestone and reward, or held with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from worker.mail.facts import CouponFacts, PersonName, TextFacts
from worker.mail.placeholders import BY_NAME, canonical, values
from worker.mail.render import MissingValue, TextRefused, names_used, render
from worker.mail.texts import TextBroken, TextMissing, load_card
from worker.pipeline.context import Context
from worker.pipeline.coupons_live import Worth
from worker.pipeline.render_shop import shop_facts
from worker.rules.milestones import card_occasion
from worker.rules.staff_words import CARD_HOLDS, say
from worker.store.channels import Channel
from worker.store.orders import OrderContact
from worker.store.rewards import CouponCode, CouponPool


@dataclass(frozen=True, slots=True)
class Card:
    """One card: whose, for which visit, with which coupon and beside which sample."""

    channel: Channel
    contact: OrderContact | None
    milestone: int
    pool: CouponPool | None
    code: CouponCode | None
    sample: str
    now: datetime
    worth: Worth | None = None
    """Of a code that was made live: as its shop was asked for it; None: as the pool says."""


def write_card(ctx: Context, card: Card, clear_code: str, locale: str) -> tuple[str, str]:
    """The card's text, and why it is held; one of them is empty.

    A missing value, a family without card texts and a text that may not be printed hold the card
    (P10): nothing is printed with a gap. ``locale`` is that of the reason.
    """
    occasion = card_occasion(
        card.milestone,
        coupon=bool(clear_code),
        sample=bool(card.sample),
        say_number=ctx.documents.shop.say_number,
    )
    language = card.channel.locale
    try:
        text = load_card(ctx.texts, language, card.channel.family, occasion)
        known = values(_facts(ctx, card, clear_code), language, names_used(text))
        # A card has no subject; the renderer wants one line.
        return render(replace(text, subject="card"), known).body_text, ""
    except MissingValue as error:
        declared = BY_NAME[canonical(error.name) or error.name]
        named = declared.label_en if locale == "en" else declared.label_ja
        return "", f"{say(CARD_HOLDS, 'missing_value', locale)}: {named}"
    except (TextMissing, TextBroken):
        return "", say(CARD_HOLDS, "no_text", locale)
    except TextRefused as error:
        return "", f"{say(CARD_HOLDS, 'refused', locale)}: {error}"


def _facts(ctx: Context, card: Card, clear_code: str) -> TextFacts:
    contact = card.contact
    person = PersonName()
    if contact is not None:
        person = PersonName(
            family_name=contact.family_name,
            given_name=contact.given_name,
            full_name=contact.name,
        )
    return TextFacts(
        now=card.now,
        zone=ctx.zone,
        shop=shop_facts(ctx, card.channel, card.channel.locale),
        customer=person,
        visit_number=card.milestone,
        coupon=_coupon(ctx, card, clear_code),
        sample_name=card.sample or None,
    )


def _coupon(ctx: Context, card: Card, clear_code: str) -> CouponFacts:
    if card.pool is None or not clear_code:
        return CouponFacts()
    own = card.channel.family == "own"
    worth = card.worth or Worth(card.pool.value, None, card.pool.minimum)
    ends = [at for at in (card.pool.expires_at, card.code.expires_at if card.code else None) if at]
    return CouponFacts(
        code=clear_code if own else None,
        mall_code=None if own else clear_code,
        amount=worth.amount,
        percent=worth.percent,
        currency=ctx.documents.shop.counting.currency,
        min_spend=worth.minimum,
        targets=card.pool.targets or None,
        expires_at=min(ends, default=None),
    )
