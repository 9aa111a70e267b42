"""これまで: one person's story, the newest first, with what is waiting on top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from sqlalchemy.orm import Session

from console import formats
from console.views.names import badges, rank_label, scope_label, shop_labels
from console.views.packing import item_words
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.review_words import hold_words
from worker.rules.outcome_words import outcome_words
from worker.rules.rank_words import rank_words
from worker.rules.states import WAITING, MessageState, NoteState
from worker.store import card_queries as store
from worker.store.customers import ContactNote, Merge, RankHistory
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.rewards import Grant

GROUPS = ("order", "mail", "note", "rank")
SHOWN = 30
_MOST = 400
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story; ``at`` orders it, ``group`` is what the chips filter by."""

    at: datetime
    group: str
    dot: str
    icon: str
    head: str
    detail: str
    day: str = ""
    address: str = ""
    button: str = ""
    undo: int = 0
    """Id of the merge that can be undone here."""
    soon: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """Steps under one head."""

    head: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """``more``: how many older lines there are at least."""

    months: tuple[Month, ...]
    counts: dict[str, int]
    more: int
    group: str


@dataclass(frozen=True)
class Teller:
    """What every line needs."""

    session: Session
    ctx: Context
    words: Words
    now: datetime
    customer_id: int
    members: list[int]

    def money(self, amount: int, currency: str | None = None) -> str:
        """An amount in the order's currency, else the ledger's."""
        ledger = self.ctx.documents.shop.counting.currency
        return formats.money(amount, currency or ledger, self.words.locale)

    def day(self, at: datetime) -> date:
        """The shop's day."""
        return at.astimezone(self.ctx.zone).date()


def story(teller: Teller, notes: Sequence[ContactNote], group: str, *, whole: bool) -> Story:
    """Read the story; ``group`` empty is everything, ``whole`` shows all that was read."""
    steps = [*_orders(teller), *_mails(teller), *_notes(teller, notes), *_ranks(teller)]
    steps += [*_merges(teller), *_grants(teller)]
    counts = {name: sum(1 for step in steps if _counts(step, name)) for name in GROUPS}
    if group == "mail":
        steps += _unmailed(teller)
    wanted = [step for step in steps if not group or step.group == group]
    wanted.sort(key=lambda step: (step.soon, step.at), reverse=True)
    shown = wanted if whole else wanted[:SHOWN]
    return Story(tuple(_months(teller, shown)), counts, len(wanted) - len(shown), group)


def _counts(step: Step, group: str) -> bool:
    """An order is one, with its parcel and its reward; a note is one, with what it still asks."""
    if step.group != group:
        return False
    return step.dot == "o" if group == "order" else not (group == "note" and step.soon)


def _months(teller: Teller, steps: Sequence[Step]) -> Iterator[Month]:
    for head, found in groupby(steps, key=lambda step: _head(teller, step)):
        yield Month(head, tuple(replace(s, day=s.day or _short(teller, s)) for s in found))


def _head(teller: Teller, step: Step) -> str:
    words, day = teller.words, teller.day(step.at)
    if step.soon:
        return words("story.now")
    if day.year < teller.day(teller.now).year:
        return words("story.year", year=day.year)
    return words("story.month", year=day.year, month=day.month)


def _short(teller: Teller, step: Step) -> str:
    return formats.short_day(teller.day(step.at))


# --- orders ---------------------------------------------------------------------------------


def _orders(teller: Teller) -> Iterator[Step]:
    words = teller.words
    rows = store.orders_of(teller.session, teller.customer_id, _MOST)
    shops = shop_labels(teller.session, words)
    ids = [order.id for order, _standing, _channel in rows]
    items = store.item_lines(teller.session, ids)
    packed = store.packed_of(teller.session, ids)
    for order, standing, channel in rows:
        shop = shops.get(channel, channel)
        nth = standing.visit_number if standing else None
        number = formats.nth(nth, words.locale) if nth else ""
        parts = [_items(items.get(order.id, []), words), number, _life(order, words)]
        total = teller.money(order.total, order.currency) if order.total is not None else ""
        head = words("story.order", shop=shop, money=total).strip()
        yield Step(
            order.ordered_at,
            "order",
            "o",
            "shopping-cart",
            head,
            "　".join(part for part in parts if part),
        )
        if order.shipped_at is not None:
            inside = _separator(words).join(
                item_words(each.item, each.label, None, words) for each in packed.get(order.id, [])
            )
            detail = words("story.inside", what=inside) if inside else ""
            head = words("story.shipped", shop=shop, number=order.number)
            yield Step(order.shipped_at, "order", "", "package", head, detail)


def _items(lines: Sequence[tuple[str, int]], words: Words) -> str:
    named = _separator(words).join(
        words("story.item", name=name, n=quantity) for name, quantity in lines[:_NAMED]
    )
    rest = len(lines) - _NAMED
    return f"{named}{words('story.and_more', n=rest)}" if rest > 0 else named


def _separator(words: Words) -> str:
    return "、" if words.locale == "ja" else ", "


def _life(order: OrderRow, words: Words) -> str:
    if order.life == "cancelled":
        return words("story.cancelled")
    if order.fulfilment == "returned":
        return words("story.returned")
    return "" if order.counting else words("story.not_counting")


# --- mails ----------------------------------------------------------------------------------


def _mails(teller: Teller) -> Iterator[Step]:
    for message, subject, _channel in store.mails_of(teller.session, teller.members, _MOST):
        yield _mail(teller, message, subject or "")


def _mail(teller: Teller, message: Message, subject: str) -> Step:
    words = teller.words
    waits = message.state in WAITING
    held = message.state is MessageState.ON_HOLD
    number = f" {formats.nth(message.announced, words.locale)}" if message.announced else ""
    state = words(f"state.{message.state}")
    parts = [state if not waits else "", subject]
    if message.approved_by and not waits:
        parts.append(words("story.approved_by", who=message.approved_by))
    if held:
        parts = [hold_words(message.hold_reason, words.locale) or words("mail.held_fact")]
    icon = "player-pause" if held else "mail-off" if message.state == "bounced" else "mail"
    head = f"{words(f'kind.{message.kind}')}{number}" + (f" {state}" if waits else "")
    return Step(
        message.sent_at or message.due_at,
        "mail",
        "",
        icon,
        head,
        "　".join(part for part in parts if part),
        address=f"/messages/{message.id}",
        button=words("app.open"),
        soon=waits,
    )


def _unmailed(teller: Teller) -> Iterator[Step]:
    words = teller.words
    for row in store.unmailed_of(teller.session, teller.members, _MOST):
        yield _no_mail(row, words)


def _no_mail(row: Occasion, words: Words) -> Step:
    head = words("story.no_mail", kind=words(f"kind.{row.kind}"))
    said = outcome_words(row.reason, words.locale)
    return Step(row.changed_at, "mail", "", "mail-off", head, said)


# --- notes, ranks, merges, rewards ----------------------------------------------------------


def _notes(teller: Teller, notes: Sequence[ContactNote]) -> Iterator[Step]:
    words = teller.words
    for note in notes:
        via = words(f"via.{note.via}") if note.via else words("story.note")
        said = note.said or note.gift_received or note.ask_next
        icon = "phone" if note.via == "phone" else "notes"
        head = words("story.note_by", via=via, who=note.by)
        yield Step(note.at, "note", "n", icon, head, said)
        if note.state is NoteState.OPEN and note.ask_by is not None:
            yield _asking(teller, note, note.ask_by)


def _asking(teller: Teller, note: ContactNote, by: date) -> Step:
    words, today = teller.words, teller.day(teller.now)
    day = words("story.today") if by == today else formats.short_day(by)
    head = words("story.ask", what=note.ask_next or note.said)
    detail = words("story.ask_from", day=formats.short_day(teller.day(note.at)))
    if by < today:
        detail = f"{words('story.overdue', n=(today - by).days)}　{detail}"
    return Step(teller.now, "note", "n", "calendar-due", head, detail, day=day, soon=True)


def _ranks(teller: Teller) -> Iterator[Step]:
    words, ladder = teller.words, teller.ctx.documents.ladder
    found = badges(ladder, words.locale)
    order = [rung.id for rung in ladder.rungs]
    shops = shop_labels(teller.session, words)
    for row in store.rank_changes_of(teller.session, teller.customer_id, _MOST):
        if row.scope == store.OVERALL or row.from_rank is None or row.to_rank is None:
            continue
        up = _is_up(row, order)
        head = words(
            "story.rank_up" if up else "story.rank_down",
            before=rank_label(found, row.from_rank),
            after=rank_label(found, row.to_rank),
        )
        why = rank_words(row.to_rank, row.facts, ladder, words.locale) if row.facts else ""
        detail = f"{scope_label(row.scope, words, shops)}　{why}"
        icon = "arrow-up-right" if up else "arrow-down-right"
        yield Step(row.at, "rank", "r", icon, head, detail)


def _is_up(row: RankHistory, order: Sequence[str]) -> bool:
    if row.from_rank not in order or row.to_rank not in order:
        return True
    return order.index(row.to_rank) < order.index(row.from_rank)


def _merges(teller: Teller) -> Iterator[Step]:
    for row in store.merges_of(teller.session, teller.members, _MOST):
        yield _merge(teller.words, row)
        if row.undone_at is not None:
            who = teller.words("story.by", who=row.undone_by)
            yield Step(row.undone_at, "rank", "", "link", teller.words("story.unmerged"), who)


def _merge(words: Words, row: Merge) -> Step:
    key = f"candidate_reason.{row.reason}"
    why = words(key) if words.has(key) else row.reason
    who = words("actor.system") if row.by == "system" else row.by
    return Step(
        row.at,
        "rank",
        "",
        "link",
        words("story.merged"),
        words("story.merged_why", why=why, who=who),
        undo=row.id if row.undone_at is None else 0,
    )


def _grants(teller: Teller) -> Iterator[Step]:
    words = teller.words
    for row in store.grants_of_person(teller.session, teller.members):
        yield _grant(row, words)


def _grant(row: Grant, words: Words) -> Step:
    nth = formats.nth(row.milestone, words.locale)
    head = words("story.grant", nth=nth, state=words(f"grant.{row.state}"))
    return Step(row.changed_at, "order", "", "gift", head, "")
