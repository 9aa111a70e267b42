"""Writes one mail as it would stand now, with recipient, permission and flags, storing nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from worker.mail.addresses import AddressClass, classify
from worker.mail.facts import CouponFacts
from worker.mail.lint import LintContext, Severity, is_advertisement, lint_content
from worker.mail.names import NAMELESS, is_organisation
from worker.mail.placeholders import values as all_values
from worker.mail.render import MissingValue, Rendered, TextRefused, render
from worker.mail.texts import ChosenText, TextBroken, TextMissing, choose_text
from worker.pipeline.context import Context
from worker.pipeline.plan_reach import Book, open_book
from worker.pipeline.plan_run import Run, open_run
from worker.pipeline.render_facts import (
    Telltale,
    announced_before,
    is_gift,
    number_of,
    rank_of,
    telltale,
    text_facts,
)
from worker.pipeline.render_shop import lint_context, sender_of
from worker.rules.flags import INQUIRY_DAYS, MessageFacts, Noted, OrderSigns, Raised, flags_of
from worker.rules.policy import Permission
from worker.rules.states import ADVERTISING_KINDS, CUSTOMER_KINDS, Flag, GrantState, MailKind
from worker.store.messages import Message
from worker.store.person_queries import addresses_in
from worker.store.text_queries import (
    Material,
    load_material,
    median_total,
    months_ago,
    text_seen,
)

_SAYS_NUMBER = frozenset({"visit_number", "visit_ordinal_text"})
_NUMBERED_TEXTS = (".second", ".fifth", ".tenth")


@dataclass
class Workshop:
    """What is read once for a batch of mails."""

    run: Run
    book: Book
    recipients: Mapping[str, str | None]
    seen: dict[tuple[int, str, str], int] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        """The shop's documents and texts."""
        return self.run.ctx

    @property
    def session(self) -> Session:
        """The transaction."""
        return self.run.session

    @cached_property
    def median(self) -> int | None:
        """The middle order of the last two years, only read where a first order is judged."""
        currency = self.ctx.documents.shop.counting.currency
        return median_total(self.session, currency, months_ago(self.run.now, 24))


@dataclass(frozen=True)
class Draft:
    """``problem`` set: the mail cannot be finished and holds for that."""

    material: Material
    tale: Telltale
    recipient: str
    sender: str
    reply_to: str
    permission: Permission
    text: ChosenText | None = None
    rendered: Rendered | None = None
    problem: Raised | None = None
    advertises: tuple[str, ...] = ()
    flags: list[Raised] = field(default_factory=list)

    @property
    def used(self) -> dict[str, str]:
        """The values the text speaks of."""
        return self.rendered.used if self.rendered else {}

    @property
    def text_key(self) -> str:
        """Locale and path of the text."""
        return f"{self.text.locale}/{self.text.key}" if self.text else ""

    @property
    def announced(self) -> int | None:
        """The number the text says aloud."""
        says = _SAYS_NUMBER & set(self.used) or self.text_key.endswith(_NUMBERED_TEXTS)
        return self.tale.number if says else None


def open_workshop(
    session: Session, ctx: Context, messages: list[Message], now: datetime
) -> tuple[Workshop, list[Material]]:
    """Read everything these mails need."""
    run = open_run(session, ctx, now)
    materials = load_material(session, messages)
    recipients = {m.message.id: _recipient(session, m) for m in materials}
    people = [m.message.customer_id for m in materials]
    book = open_book(run, people, recipients.values(), notes=False)
    return Workshop(run, book, recipients), materials


def _recipient(session: Session, material: Material) -> str | None:
    """The address this very channel gave: of the order, else of the person's newest order."""
    message = material.message
    if message.kind not in CUSTOMER_KINDS:
        for order in reversed(material.orders):
            contact = material.contacts.get(order.id)
            if order.channel_id == message.channel_id and contact is not None and contact.email:
                return contact.email
    if message.customer_id is None:
        return None
    masked = message.family != "own"
    found = addresses_in(session, message.channel_id, [message.customer_id], masked=masked)
    return found.get(message.customer_id)


# --- drafting -------------------------------------------------------------------------------


def draft(
    shop: Workshop, material: Material, now: datetime, coupon: CouponFacts, sample: str | None
) -> Draft:
    """Write the mail anew from what is known now."""
    tale = telltale(shop.ctx, material)
    text, rendered, problem = _write(shop, material, now, tale, coupon, sample)
    message = material.message
    hosts = _context(shop, material, ad=False).own_hosts
    advertises = is_advertisement(rendered, hosts) if rendered else ()
    advertising = bool(advertises) or message.kind in ADVERTISING_KINDS
    recipient = shop.recipients.get(message.id) or ""
    permission = permission_of(shop, material, advertising=advertising)
    sender, reply_to = sender_of(shop.ctx, material.channel)
    made = Draft(
        material, tale, recipient, sender, reply_to, permission, text, rendered, problem, advertises
    )
    if problem is None and rendered is not None:
        made = _inspected(shop, made, advertising=advertising)
    made.flags.extend(_flags(shop, made, now))
    return made


def permission_of(shop: Workshop, material: Material, *, advertising: bool) -> Permission:
    """Whether the mail may go, as far as it is known now."""
    message = material.message
    customer = material.customer
    return shop.book.permission(
        material.channel,
        message.kind,
        shop.recipients.get(message.id),
        message.customer_id,
        advertising=advertising,
        erased=customer is not None and customer.erased_at is not None,
    )


def _write(
    shop: Workshop,
    material: Material,
    now: datetime,
    tale: Telltale,
    coupon: CouponFacts,
    sample: str | None,
) -> tuple[ChosenText | None, Rendered | None, Raised | None]:
    message = material.message
    text: ChosenText | None = None
    try:
        text = choose_text(
            shop.ctx.texts,
            message.locale,
            message.kind,
            message.family,
            tale.rank,
            tale.occasions,
        )
        facts = text_facts(shop.ctx, material, shop.run.setting.days, now, tale, coupon, sample)
        return text, render(text, all_values(facts, message.locale)), None
    except (TextMissing, TextBroken) as error:
        return text, None, Raised(Flag.TEXT_MISSING, str(error))
    except MissingValue as error:
        return text, None, Raised(Flag.MISSING_VALUE, error.name)
    except TextRefused as error:
        return text, None, Raised(Flag.TEXT_REFUSED, str(error))


def _context(shop: Workshop, material: Material, *, ad: bool) -> LintContext:
    others = [c for c in shop.run.channels.values() if c.id != material.channel.id]
    message = material.message
    return lint_context(
        shop.ctx, material.channel, others, message.locale, kind=message.kind, ad=ad
    )


def _inspected(shop: Workshop, made: Draft, *, advertising: bool) -> Draft:
    """Read the finished mail as the marketplace and the law would (mail-rules, 4.9)."""
    assert made.rendered is not None
    context = _context(shop, made.material, ad=advertising)
    errors = [
        f"{finding.code}: {finding.detail}"
        for finding in lint_content(made.rendered, context)
        if finding.severity is Severity.ERROR
    ]
    policy = shop.ctx.documents.policy
    words = policy.forbidden_words.get(made.material.message.family, ())
    body = f"{made.rendered.subject}\n{made.rendered.body_text}"
    errors += [f"forbidden_word: {word}" for word in words if word in body and not errors]
    if errors:
        return replace(made, problem=Raised(Flag.TEXT_REFUSED, errors[:5]), flags=[])
    if made.advertises and made.permission.outcome is not None:
        kind = made.material.message.kind
        if kind not in ADVERTISING_KINDS:
            # The person may be mailed, these words may not: somebody must mend the text.
            told = [f"advertises: {word}" for word in made.advertises]
            return replace(made, problem=Raised(Flag.TEXT_REFUSED, told), flags=[])
    return made


# --- what an approval rests on --------------------------------------------------------------


def basis(made: Draft, written: datetime) -> dict[str, Any]:
    """What makes an approval lapse when it changes (P5)."""
    return {
        "values": made.used,
        "recipient": made.recipient,
        "verdict": made.permission.verdict.value,
        "refused": made.permission.code,
        "rank": made.tale.rank,
        "occasions": list(made.tale.occasions),
        "held": held_by(made.material, written),
    }


def held_by(material: Material, now: datetime) -> list[str]:
    """What came up that forbids letting the mail go unread, as it stands now."""
    since = now - timedelta(days=INQUIRY_DAYS)
    found = [f"{Flag.HUB_HOLD}:{o.number}" for o in material.orders if o.hub_hold]
    if any(note.inquiry and note.at >= since for note in material.notes):
        found.append(Flag.OPEN_INQUIRY.value)
    return found


def hash_of(found: Mapping[str, Any]) -> str:
    """The hash of a basis."""
    plain = json.dumps(found, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


# --- flags ----------------------------------------------------------------------------------


def _flags(shop: Workshop, made: Draft, now: datetime) -> list[Raised]:
    found = flags_of(_message_facts(shop, made, now))
    if made.problem is not None:
        found.insert(0, made.problem)
    if made.permission.holds is not None:
        found.append(Raised(made.permission.holds, made.material.channel.name))
    return found


def _message_facts(shop: Workshop, made: Draft, now: datetime) -> MessageFacts:
    material, documents = made.material, shop.ctx.documents
    message, number = material.message, number_of(material)
    first = (number or 1) == 1
    name = made.used.get("customer_name_honorific", "")
    return MessageFacts(
        kind=message.kind,
        now=now,
        today=shop.run.setting.days.day(now),
        orders=[_signs(material, order.id) for order in material.orders],
        notes=[Noted(note.inquiry, note.at) for note in material.notes],
        uncertain=made.tale.uncertain,
        visit_number=number,
        announced=announced_before(material),
        says_number=made.announced is not None,
        identity_unsure=material.customer is not None and material.customer.identity_unsure,
        organisation=_is_organisation(material),
        rank=rank_of(material),
        last_rank=_last_rank(material),
        rank_order=[rung.id for rung in documents.ladder.rungs],
        text_seen=_seen(shop, made) if made.text else documents.review.canary,
        canary=documents.review.canary,
        nameless=name in NAMELESS,
        median_total=shop.median if first and material.orders else None,
        median_factor=documents.shop.median_factor,
        odd_address=_is_odd(made.recipient),
        missed_milestone=_missed(material),
    )


def _seen(shop: Workshop, made: Draft) -> int:
    assert made.text is not None
    key = (made.material.channel.id, made.text_key, made.text.version_hash)
    if key not in shop.seen:
        shop.seen[key] = text_seen(shop.session, *key)
    return shop.seen[key]


def _signs(material: Material, order_id: int) -> OrderSigns:
    order = next(o for o in material.orders if o.id == order_id)
    contact = material.contacts.get(order_id)
    comment = (contact.buyer_comment or "") if contact else ""
    return OrderSigns(
        number=order.number,
        buyer_comment=bool(comment.strip()),
        hub_hold=order.hub_hold,
        hub_status=order.hub_status or "",
        gift=is_gift(order, contact),
        delivery_date=order.delivery_date,
        total=order.total,
        unknown_status="unknown_status" in order.warnings,
        no_rate="no_rate" in order.warnings,
    )


def _is_organisation(material: Material) -> bool:
    names = [c.name for c in material.contacts.values()]
    if material.message.kind in CUSTOMER_KINDS and material.profile is not None:
        names = [material.profile.name]
    return any(name and (is_organisation(name) or "様方" in name) for name in names)


def _last_rank(material: Material) -> str | None:
    said = [m for m in material.said if m.scope == material.message.scope and m.rank]
    return said[-1].rank if said else None


def _is_odd(recipient: str) -> bool:
    # An address no server takes is read by a person too: dispatch would only hold it later.
    odd = (AddressClass.RFC_VIOLATING, AddressClass.INVALID)
    return bool(recipient) and classify(recipient).kind in odd


def _missed(material: Material) -> int | None:
    if material.message.kind is not MailKind.ORDER_THANKS:
        return None
    open_grants = [g.milestone for g in material.grants if g.state is GrantState.TO_DECIDE]
    return min(open_grants, default=None)
