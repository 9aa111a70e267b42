"""今日, the boards: regulars by their own rhythm, and people who ordered for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, badges, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.rules.milestones import is_milestone, plan_of
from worker.rules.regulars import Rhythm, rhythm_of
from worker.rules.states import MailKind, MessageState
from worker.store import board_queries as board
from worker.store.card_queries import item_lines
from worker.store.messages import Message, Occasion

SHOWN = 6
FREQUENT = 80
"""So many people of each rank are looked at, those with most visits."""
NEW_DAYS = 3
_READY = (MessageState.APPROVED, MessageState.SENDING, MessageState.RETRY_WAIT)
_GONE = (MessageState.SENT, MessageState.BOUNCED, MessageState.COMPLAINED)


@dataclass(frozen=True, slots=True)
class Regular:
    """One line of the board of regulars; ``flag`` says that the next thing has come due."""

    id: int
    name: str
    badge: Badge | None
    visits: str
    gap: str
    since: str
    over: str
    then: str
    flag: str


@dataclass(frozen=True, slots=True)
class Regulars:
    """The board; ``more`` people are due besides those shown."""

    lines: tuple[Regular, ...]
    number: int


@dataclass(frozen=True, slots=True)
class MailCell:
    """What became of one mail: words, how they look, and where they lead."""

    text: str
    look: str = ""
    address: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One line of the board of new customers."""

    id: int
    name: str
    shop: str
    item: str
    thanks: MailCell
    follow: MailCell


@dataclass(frozen=True, slots=True)
class Newcomers:
    """The board; ``number`` is of the last days."""

    lines: tuple[Newcomer, ...]
    number: str


@dataclass(frozen=True, slots=True)
class _Due:
    row: RowMapping
    rhythm: Rhythm | None
    asked: tuple[str, date | None]

    def presses(self, today: date) -> bool:
        """Whether something is to be asked by today."""
        return self.asked[1] is not None and self.asked[1] <= today


def regulars(session: Session, ctx: Context, words: Words, now: datetime) -> Regulars:
    """Who should order soon, is late, or is to be asked something today."""
    today = now.astimezone(ctx.zone).date()
    rungs = [rung.id for rung in ctx.documents.ladder.rungs[:-1]]
    rows = board.most_frequent(session, rungs, FREQUENT)
    found = _due(session, rows, today)
    order = {rung: place for place, rung in enumerate(rungs)}
    found.sort(
        key=lambda one: (
            not one.presses(today),
            order.get(one.row["rank"] or "", len(order)),
            -(one.rhythm.over if one.rhythm else 0),
            one.row["customer_id"],
        )
    )
    shown = found[:SHOWN]
    then = _next_things(session, ctx, words, [one.row["customer_id"] for one in shown])
    marks = badges(ctx.documents.ladder, words.locale)
    lines = tuple(
        _regular(one, words, marks, today, then.get(one.row["customer_id"], "")) for one in shown
    )
    return Regulars(lines, len(found))


def _due(session: Session, rows: list[RowMapping], today: date) -> list[_Due]:
    ids = [row["customer_id"] for row in rows]
    days, asked = board.visit_days(session, ids), board.next_questions(session, ids)
    found = []
    for row in rows:
        person = row["customer_id"]
        rhythm = rhythm_of(days[person], today) if person in days else None
        one = _Due(row, rhythm, asked.get(person, ("", None)))
        if one.presses(today) or (rhythm is not None and rhythm.due):
            found.append(one)
    return found


def _regular(
    one: _Due, words: Words, marks: dict[str, Badge], today: date, otherwise: str
) -> Regular:
    asked, by = one.asked
    flag = ""
    if by is not None and by <= today:
        flag = words("today.ask_today" if by == today else "today.ask_late")
    rhythm = one.rhythm
    return Regular(
        id=one.row["customer_id"],
        name=one.row["name"] or words("today.nobody"),
        badge=marks.get(one.row["rank"] or ""),
        visits=words("today.times", n=one.row["visits"]),
        gap=words("today.days", n=rhythm.gap) if rhythm else "",
        since=words("today.days", n=rhythm.since) if rhythm else "",
        over=words("today.over", n=rhythm.over) if rhythm and rhythm.over else "",
        then=asked or otherwise,
        flag=flag,
    )


def _next_things(session: Session, ctx: Context, words: Words, people: list[int]) -> dict[int, str]:
    """What comes next where nothing is to be asked: a win-back mail, else a milestone."""
    found: dict[int, str] = {}
    for person, scopes in board.scopes_of(session, people).items():
        for scope, visits in scopes:
            if is_milestone(plan_of(ctx.documents.milestones, scope), visits + 1):
                nth = formats.nth(visits + 1, words.locale)
                found.setdefault(person, words("today.next_milestone", nth=nth))
    for person, at in board.win_backs(session, people).items():
        day = formats.short_day(at.astimezone(ctx.zone).date())
        found[person] = words("today.next_win_back", day=day)
    return found


def newcomers(session: Session, ctx: Context, words: Words, now: datetime) -> Newcomers:
    """First orders of the last days, with where their mails stand."""
    first = now.astimezone(ctx.zone).date() - timedelta(days=NEW_DAYS - 1)
    since = datetime.combine(first, time(), ctx.zone)
    rows = board.first_orders(session, since, SHOWN)
    ids = [row.id for row in rows]
    shops, items = shop_labels(session, words), item_lines(session, ids)
    mails = board.mails_about(session, ids)
    lines = tuple(
        Newcomer(
            id=row.customer_id,
            name=row.name or words("today.nobody"),
            shop=shops.get(row.channel, row.channel),
            item=_items(items.get(row.id, []), words),
            thanks=_cell(mails.get((row.id, MailKind.ORDER_THANKS)), ctx, words, now),
            follow=_cell(mails.get((row.id, MailKind.FOLLOW_UP)), ctx, words, now),
        )
        for row in rows
    )
    number = board.count_first_orders(session, since)
    told = f"{number - 1}+" if number >= board.COUNTED else str(number)
    return Newcomers(lines, words("today.new_sub", days=NEW_DAYS, number=told))


def _items(lines: list[tuple[str, int]], words: Words) -> str:
    if not lines:
        return ""
    name, quantity = lines[0]
    rest = sum(number for _name, number in lines[1:]) + quantity - 1
    return words("today.item_more", name=name, n=rest) if rest else name


def _cell(
    found: tuple[Occasion, Message | None] | None, ctx: Context, words: Words, now: datetime
) -> MailCell:
    if found is None:
        return MailCell("")
    occasion, message = found
    if message is None:
        key = f"outcome_short.{occasion.outcome}"
        return MailCell(words(key), "muted")
    address = f"/messages/{message.id}"
    if message.state is MessageState.IN_REVIEW:
        flag = words(f"flag.{message.flags[0]['flag']}") if message.flags else ""
        return MailCell(words("state.in_review"), "", f"/queue?m={message.id}#mail", flag)
    if message.state is MessageState.SCHEDULED:
        return MailCell(formats.near(message.due_at, now, ctx.zone), "muted", address)
    if message.state in _READY:
        when = formats.near(message.due_at, now, ctx.zone)
        return MailCell(words("today.approved_for", when=when), "ok", address)
    look = "ok" if message.state in _GONE[:1] else "muted"
    return MailCell(words(f"state.{message.state}"), look, address)
