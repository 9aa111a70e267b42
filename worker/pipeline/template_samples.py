"""The invented customers against whom a text is tried: the usual ones and the awkward ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.facts import CouponFacts, ParcelFacts, PersonName, ShopFacts, TextFacts
from worker.mail.samples import sample_facts, sample_shop
from worker.mail.texts import ANY_RANK
from worker.pipeline.context import Context
from worker.pipeline.render_shop import shop_facts
from worker.pipeline.template_names import TextName
from worker.rules.states import MailKind
from worker.store.channels import Channel

_KANJI_40 = "勅使河原小比類巻長宗我部五百旗頭東久世山之内伊集院武者小路西園寺花山院万里小路九"
_LATIN_40 = "Featherstonehaugh-Cholmondeley Alexandra"


@dataclass(frozen=True, slots=True)
class Sample:
    """One invented customer; ``ranks`` empty: anybody may be like this."""

    id: str
    visit: int | None = None
    ranks: tuple[str, ...] = ()


SAMPLES: tuple[Sample, ...] = (
    Sample("first", 1, ("first",)),
    Sample("repeat", 3, ("repeat",)),
    Sample("vip", 12, ("vip",)),
    Sample("fifth", 5, ("repeat", "vip")),
    Sample("tenth", 10, ("repeat", "vip")),
    Sample("nameless"),
    Sample("long_name"),
    Sample("several"),
    Sample("gift"),
)

_VISITS = {"first": 1, "repeat": 3, "vip": 12}
_OCCASION_VISITS = {"second": 2, "milestone": 5, "fifth": 5, "tenth": 10, "tenth_coupon": 10}
_UNSURE = frozenset({"uncertain", "unsaid", "unsaid_thanks"})
_WITH_COUPON = frozenset({MailKind.MILESTONE, MailKind.WIN_BACK, MailKind.BIRTHDAY})
_WITH_PARCEL = frozenset({MailKind.SHIPPING_NOTICE, MailKind.FOLLOW_UP, MailKind.REVIEW_REQUEST})


def samples_for(name: TextName) -> tuple[Sample, ...]:
    """The samples whose mails could be written from this text, the plainest first."""
    if name.is_block or name.is_card or name.rank == ANY_RANK:
        fitting = SAMPLES
    else:
        fitting = tuple(s for s in SAMPLES if not s.ranks or name.rank in s.ranks)
    if name.occasion == "second":
        return tuple(s for s in fitting if s.id not in ("first", "fifth", "tenth"))
    # A rung of the shop's own may fit none of the usual ones.
    return fitting or SAMPLES


def channel_for(session: Session, family: str) -> Channel | None:
    """The channel of the family whose shop a preview shows: the oldest."""
    return session.scalar(
        select(Channel).where(Channel.family == family).order_by(Channel.id).limit(1)
    )


def shop_shown(session: Session, ctx: Context, name: TextName) -> ShopFacts:
    """The shop's own particulars; where it has not told one yet, the invented shop's."""
    family = name.family if name.family in ("own", "rakuten", "yahoo") else "rakuten"
    invented = sample_shop(name.locale, family)
    channel = channel_for(session, name.family)
    if channel is None:
        channel = Channel(name=f"{name.family}:", kind="csv_file", family=name.family, title="")
    mine = shop_facts(ctx, channel, name.locale)
    told = {f.name: getattr(mine, f.name) or getattr(invented, f.name) for f in fields(ShopFacts)}
    return ShopFacts(**told)


def facts_of(name: TextName, sample: Sample, shop: ShopFacts) -> TextFacts:
    """Everything the text may say of this customer; what such a mail never knows is left out."""
    family = name.family if name.family in ("own", "rakuten", "yahoo") else "rakuten"
    orders = 2 if sample.id == "several" or name.occasion == "several" else 1
    facts = replace(sample_facts(name.locale, family, orders=orders), shop=shop)
    gift = sample.id == "gift" or name.occasion == "gift"
    facts = replace(
        facts,
        visit_number=_visit(name, sample),
        recipient=facts.recipient if gift else None,
        personal_line=facts.personal_line if sample.id in ("repeat", "vip") else None,
        question_line=facts.question_line if sample.id in ("repeat", "vip") else None,
        busy_period_line=None,
        customer=_customer(facts, name, sample),
    )
    if sample.id == "first":
        facts = replace(facts, previous_ordered_at=None)
    return _without_strangers(name, facts)


def _visit(name: TextName, sample: Sample) -> int | None:
    if name.occasion in _UNSURE:
        return None
    fixed = _OCCASION_VISITS.get(name.occasion)
    if fixed and sample.visit not in (5, 10):
        return fixed
    return sample.visit or _VISITS.get(name.rank, 3)


def _customer(facts: TextFacts, name: TextName, sample: Sample) -> PersonName:
    if sample.id == "nameless":
        return PersonName()
    if sample.id == "long_name":
        return PersonName(full_name=_KANJI_40 if name.locale == "ja" else _LATIN_40)
    return facts.customer


def _without_strangers(name: TextName, facts: TextFacts) -> TextFacts:
    """Take away what mails of this kind are never told: naming it would hold every one."""
    if name.is_block or name.is_card:
        return facts
    kind = name.mail_kind
    if kind not in _WITH_COUPON:
        facts = replace(facts, coupon=CouponFacts(), sample_name=None)
    if kind not in _WITH_PARCEL:
        facts = replace(facts, parcel=ParcelFacts())
    if kind is not MailKind.PERSONAL:
        facts = replace(facts, letter_subject=None, letter_body=None)
    return facts
