"""What about a mail a person should look at, whatever its review mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from worker.rules.states import Flag, MailKind

INQUIRY_DAYS = 14
LATE_DELIVERY_DAYS = 10


@dataclass(frozen=True, slots=True)
class OrderSigns:
    """What is remarkable about one order of the mail."""

    number: str
    buyer_comment: bool = False
    hub_hold: bool = False
    hub_status: str = ""
    gift: bool = False
    delivery_date: date | None = None
    total: int | None = None
    unknown_status: bool = False
    no_rate: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """An open contact note; ``inquiry`` marks a question of the customer's own."""

    inquiry: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """Everything the flags rest on, frozen when the text is."""

    kind: MailKind
    now: datetime
    today: date
    orders: Sequence[OrderSigns] = ()
    notes: Sequence[Noted] = ()
    uncertain: bool = False
    visit_number: int | None = None
    announced: int | None = None
    """Highest number said to this person in the scope before."""
    says_number: bool = False
    identity_unsure: bool = False
    organisation: bool = False
    rank: str | None = None
    last_rank: str | None = None
    """Rank of the last mail that went to this person in the scope."""
    rank_order: Sequence[str] = ()
    """Rank ids from the top."""
    text_seen: int = 0
    """Mails of this text version and channel that a person has released before."""
    canary: int = 0
    nameless: bool = False
    text_fallback: bool = False
    median_total: int | None = None
    median_factor: Decimal = Decimal(0)
    odd_address: bool = False
    missed_milestone: int | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """One flag with the fact that raised it, as stored on the message."""

    flag: Flag
    fact: Any = None

    def stored(self) -> dict[str, Any]:
        """The JSON form."""
        return {"flag": self.flag.value, "fact": self.fact}


def flags_of(facts: MessageFacts) -> list[Raised]:
    """All flags of a mail, those about its orders first."""
    return [*_of_orders(facts), *_of_notes(facts), *_of_person(facts), *_of_text(facts)]


def _of_orders(facts: MessageFacts) -> Iterator[Raised]:
    for order in facts.orders:
        if order.buyer_comment:
            yield Raised(Flag.BUYER_COMMENT, order.number)
        if order.hub_hold:
            yield Raised(Flag.HUB_HOLD, order.hub_status or order.number)
        if order.gift:
            yield Raised(Flag.GIFT, order.number)
        if _is_late(order, facts.today):
            yield Raised(Flag.LATE_DELIVERY, str(order.delivery_date))
        if order.unknown_status:
            yield Raised(Flag.UNKNOWN_STATUS, order.number)
        if order.no_rate:
            yield Raised(Flag.SPENT_CURRENCY, order.number)
    yield from _unusual(facts)


def _is_late(order: OrderSigns, today: date) -> bool:
    far = today + timedelta(days=LATE_DELIVERY_DAYS)
    return order.delivery_date is not None and order.delivery_date > far


def _unusual(facts: MessageFacts) -> Iterator[Raised]:
    """Company purchase, resale, fraud: a first order far above what orders usually are."""
    if (facts.visit_number or 1) > 1 or not facts.median_total or not facts.median_factor:
        return
    limit = facts.median_factor * facts.median_total
    for order in facts.orders:
        if order.total is not None and order.total > limit:
            yield Raised(Flag.UNUSUAL_AMOUNT, {"total": order.total, "median": facts.median_total})


def _of_notes(facts: MessageFacts) -> Iterator[Raised]:
    since = facts.now - timedelta(days=INQUIRY_DAYS)
    recent = [note for note in facts.notes if note.inquiry and note.at >= since]
    if recent:
        yield Raised(Flag.OPEN_INQUIRY, len(recent))
    others = len(facts.notes) - len(recent)
    if others:
        yield Raised(Flag.OPEN_NOTE, others)


def _of_person(facts: MessageFacts) -> Iterator[Raised]:
    if facts.identity_unsure:
        yield Raised(Flag.IDENTITY_UNSURE)
    if facts.uncertain or _jumped(facts):
        yield Raised(
            Flag.NUMBER_UNCERTAIN, {"number": facts.visit_number, "announced": facts.announced}
        )
    if facts.organisation:
        yield Raised(Flag.ORGANISATION)
    if facts.nameless:
        yield Raised(Flag.FALLBACK_VALUE, "name")
    if facts.odd_address:
        yield Raised(Flag.ODD_ADDRESS)
    if facts.missed_milestone is not None:
        yield Raised(Flag.MILESTONE_MISSED, facts.missed_milestone)
    if _differs(facts):
        now, before = (facts.rank, facts.visit_number), (facts.last_rank, facts.announced)
        yield Raised(Flag.DIFFERS_FROM_LAST, {"before": list(before), "now": list(now)})


def _jumped(facts: MessageFacts) -> bool:
    if not facts.says_number or facts.visit_number is None or facts.announced is None:
        return False
    return facts.visit_number > facts.announced + 1


def _differs(facts: MessageFacts) -> bool:
    """The number stands still or falls, or the rank is lower than the last mail showed."""
    number, announced = facts.visit_number, facts.announced
    # The milestone mail repeats the number of its own thank-you, hence only thank-yous.
    thanks = facts.kind is MailKind.ORDER_THANKS
    if thanks and number is not None and announced is not None and number <= announced:
        return True
    ranks = list(facts.rank_order)
    if facts.rank not in ranks or facts.last_rank not in ranks:
        return False
    return ranks.index(facts.rank) > ranks.index(facts.last_rank)


def _of_text(facts: MessageFacts) -> Iterator[Raised]:
    if facts.text_seen < facts.canary:
        yield Raised(Flag.NEW_TEMPLATE, {"seen": facts.text_seen, "of": facts.canary})
    if facts.text_fallback:
        yield Raised(Flag.FALLBACK_VALUE, "text")
