"""The card of one customer: ten fields, standing per scope, notes, what may be sent, the story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.customers import birthday_words
from console.views.names import Badge, Option, badges, scope_label, shop_labels
from console.views.rights import Rights, rights
from console.views.timeline import Story, Teller, story
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.rules.rank_words import missing_words, rank_words
from worker.rules.states import NoteState, Via
from worker.rules.timing import usual_gap
from worker.store import card_queries as store
from worker.store.customers import ContactNote, Customer, CustomerProfile, ProfileEntry
from worker.store.note_queries import notes_of
from worker.store.standing_queries import groups

_NOTES = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One of the ten; ``small`` stands behind it."""

    key: str
    value: str
    small: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """Count, spend and rank within one scope, and its pin."""

    scope: str
    label: str
    count: str
    spend: str
    badge: Badge | None
    reason: str
    pinned: str


@dataclass(frozen=True, slots=True)
class Note:
    """One contact note."""

    id: int
    version: int
    is_open: bool
    meta: tuple[str, ...]
    said: str
    gift: str
    ask: str
    inquiry: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class NoteForm:
    """What the fixed form of a note holds."""

    id: int
    customer_id: int
    name: str
    version: int
    said: str
    gift: str
    ask: str
    ask_by: str
    inquiry: bool
    vias: tuple[Option, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class LedgerCard:
    """Everything the page prints."""

    id: int
    name: str
    kana: str
    badge: Badge | None
    numbers: tuple[str, ...]
    unsure: bool
    open_notes: int
    done_notes: int
    fields: tuple[Field, ...]
    scopes: tuple[ScopeLine, ...]
    missing: str
    rights: Rights
    story: Story
    notes: tuple[Note, ...]
    hidden_notes: int
    personal_line: str
    question_line: str
    ranks: tuple[Option, ...]
    pin_scopes: tuple[Option, ...] = field(default=())


def kept_of(session: Session, customer_id: int) -> int | None:
    """Whoever this customer was merged into; None where there is none."""
    found = session.get(Customer, customer_id)
    while found is not None and found.merged_into is not None:
        found = session.get(Customer, found.merged_into)
    return found.id if found else None


def ledger_card(
    session: Session,
    ctx: Context,
    customer_id: int,
    words: Words,
    now: datetime,
    *,
    group: str = "",
    whole: bool = False,
) -> LedgerCard:
    """Read the card of a customer that is not merged away."""
    members = list(groups(session, [customer_id]))
    profile = session.get(CustomerProfile, customer_id)
    notes = notes_of(session, members)
    scopes = _scopes(session, ctx, customer_id, words)
    ranks = badges(ctx.documents.ladder, words.locale)
    teller = Teller(session, ctx, words, now, customer_id, members)
    is_open = [note for note in notes if note.state is NoteState.OPEN]
    shown = notes if whole else notes[: max(_NOTES, len(is_open))]
    overall = store.standings_of(session, customer_id).get(store.OVERALL)
    return LedgerCard(
        id=customer_id,
        name=(profile.name if profile else None) or "",
        kana=(profile.kana if profile else None) or "",
        badge=ranks.get((overall.rank if overall else None) or ""),
        numbers=_numbers(scopes, overall.count if overall else 0, words),
        unsure=session.get_one(Customer, customer_id).identity_unsure,
        open_notes=len(is_open),
        done_notes=len(notes) - len(is_open),
        fields=_fields(session, ctx, customer_id, words, now),
        scopes=scopes,
        missing=_missing(
            ctx, scopes, overall.rank if overall else None, session, customer_id, words
        ),
        rights=rights(session, ctx, customer_id, members, profile, words),
        story=story(teller, notes, group, whole=whole),
        notes=tuple(_note(note, ctx, words, now) for note in shown),
        hidden_notes=len(notes) - len(shown),
        personal_line=(profile.personal_line if profile else None) or "",
        question_line=(profile.question_line if profile else None) or "",
        ranks=tuple(Option(each.rank, each.label) for each in ranks.values()),
        pin_scopes=tuple(Option(each.scope, each.label) for each in scopes),
    )


def _numbers(scopes: Sequence[ScopeLine], count: int, words: Words) -> tuple[str, ...]:
    found = [f"{one.label} {one.count}" for one in scopes[:2]]
    if len(scopes) > 1:
        found.append(words("customer.overall", times=words("card.times", n=count)))
    return tuple(found)


def _fields(
    session: Session, ctx: Context, customer_id: int, words: Words, now: datetime
) -> tuple[Field, ...]:
    card = review.customer_card(session, ctx, customer_id, store.OVERALL, now=now)
    assert card is not None
    entered = _entered(session, customer_id, ctx, words)
    currency, locale = ctx.documents.shop.counting.currency, words.locale
    last, since = card.last_order_at, card.days_since_last_order
    postal = f"〒{card.postal_code}\n" if card.postal_code else ""
    gap = usual_gap(store.order_days(session, customer_id))
    rhythm = words("customer.rhythm", n=round(gap)) if gap else ""
    counted = card.order_count > 0
    return (
        Field("name", card.name or "", entered.get("name", ""), True),
        Field("address", f"{postal}{card.address or ''}".strip(), entered.get("address", "")),
        Field("phone", card.phone or "", entered.get("phone", ""), True),
        Field("email", card.email or "", entered.get("email", "")),
        Field("birthday", birthday_words(card.birthday, words), entered.get("birthday", "")),
        Field("spend", formats.money(card.lifetime_spend, currency, locale), "", True),
        Field("count", words("card.times", n=card.order_count), "", True),
        Field("average", formats.money(card.average_order, currency, locale) if counted else ""),
        Field("last", formats.day(last.astimezone(ctx.zone).date(), locale) if last else ""),
        Field("since", words("customers.days", n=since) if since is not None else "", rhythm),
    )


def _entered(session: Session, customer_id: int, ctx: Context, words: Words) -> dict[str, str]:
    """Who entered what by hand, where the entry is what is shown."""
    rows = session.scalars(select(ProfileEntry).where(ProfileEntry.customer_id == customer_id))
    profile = session.get(CustomerProfile, customer_id)
    found = {}
    for row in rows:
        shown = getattr(profile, row.field, None)
        shown = shown.isoformat() if isinstance(shown, date) else shown
        if shown and shown == row.value:
            day = formats.short_day(row.at.astimezone(ctx.zone).date())
            found[row.field] = words("customer.entered", who=row.by, day=day)
    return found


def _scopes(
    session: Session, ctx: Context, customer_id: int, words: Words
) -> tuple[ScopeLine, ...]:
    ladder, locale = ctx.documents.ladder, words.locale
    ranks, shops = badges(ladder, locale), shop_labels(session, words)
    pins = store.pins_of(session, customer_id)
    currency = ctx.documents.shop.counting.currency
    found = []
    for scope, row in store.standings_of(session, customer_id).items():
        if scope == store.OVERALL:
            continue
        pin, facts = pins.get(scope), row.facts
        until = formats.day(pin.until, locale) if pin and pin.until else ""
        found.append(
            ScopeLine(
                scope,
                scope_label(scope, words, shops),
                words("card.times", n=row.count),
                formats.money(row.net_spend, currency, locale),
                ranks.get(row.rank or ""),
                rank_words(row.rank, facts, ladder, locale) if "orders" in facts else "",
                words("customer.pinned", until=until or words("customer.for_good")) if pin else "",
            )
        )
    return tuple(found)


def _missing(
    ctx: Context,
    scopes: Sequence[ScopeLine],
    rank: str | None,
    session: Session,
    customer_id: int,
    words: Words,
) -> str:
    """What is missing to the next rank, in the scope with the most visits."""
    if not scopes:
        return ""
    row = store.standings_of(session, customer_id)[scopes[0].scope]
    if "orders" not in row.facts:
        return ""
    return missing_words(row.rank or rank, row.facts, ctx.documents.ladder, words.locale)


# --- notes ----------------------------------------------------------------------------------


def _note(note: ContactNote, ctx: Context, words: Words, now: datetime) -> Note:
    today = now.astimezone(ctx.zone).date()
    day = note.at.astimezone(ctx.zone).date()
    via = words(f"via.{note.via}") if note.via else ""
    is_open = note.state is NoteState.OPEN
    meta = [f"{formats.short_day(day) if day.year == today.year else day.strftime('%Y/%m/%d')}"]
    meta += [part for part in (note.by, via) if part]
    if note.ask_by:
        meta.insert(0, words("customer.due", day=_due(note.ask_by, today, words)))
    finished = note.done_at.astimezone(ctx.zone).date() if note.done_at else None
    if not is_open and finished and (finished, note.done_by) != (day, note.by):
        done = formats.short_day(finished)
        meta.append(words("customer.done_by", day=done, who=note.done_by))
    return Note(
        note.id,
        note.version,
        is_open,
        tuple(meta),
        note.said,
        note.gift_received,
        note.ask_next,
        note.inquiry,
        bool(is_open and note.ask_by and note.ask_by <= today),
    )


def _due(day: date, today: date, words: Words) -> str:
    return words("story.today") if day == today else formats.short_day(day)


def note_form(session: Session, note: ContactNote, words: Words) -> NoteForm:
    """The fixed form of a note."""
    profile = session.get(CustomerProfile, note.customer_id)
    return NoteForm(
        id=note.id,
        customer_id=note.customer_id,
        name=(profile.name if profile else None) or "",
        version=note.version,
        said=note.said,
        gift=note.gift_received,
        ask=note.ask_next,
        ask_by=note.ask_by.isoformat() if note.ask_by else "",
        inquiry=note.inquiry,
        vias=tuple(Option(v, words(f"via.{v}"), None, v == note.via) for v in Via),
        is_open=note.state is NoteState.OPEN,
    )
