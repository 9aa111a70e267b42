"""送信履歴: a page of all messages, what is asked of it, and the file of the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.kit.defuse import write_table
from console import formats
from console.views.lists import channel_options, kind_options
from console.views.names import Badge, Option, badges, shop_labels
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.review_queue import order_numbers
from worker.rules.states import MailKind, MessageState
from worker.store import history_queries
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.history_queries import UnknownPlace, Wanted
from worker.store.messages import Message, MessageBody

PAGE = 50
FILE = 5000
"""A file holds at most so many messages; what is older is asked for by its dates."""
_LOOKS = {
    MessageState.SENT: "ok",
    MessageState.APPROVED: "ok",
    MessageState.HANDED_OFF: "ok",
    MessageState.FAILED: "bad",
    MessageState.BOUNCED: "bad",
    MessageState.COMPLAINED: "bad",
    MessageState.UNCONFIRMED: "bad",
    MessageState.ON_HOLD: "warn",
    MessageState.SENT_BACK: "warn",
    MessageState.RETRY_WAIT: "warn",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for; empty strings ask for nothing."""

    state: str = ""
    kind: str = ""
    channel: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    among: Literal["people", "words"] = "people"

    def query(self, **more: str) -> str:
        """Path and query of the same list."""
        asked = {name: getattr(self, name) for name in self.__dataclass_fields__} | more
        if not self.q or asked["among"] == "people":
            asked.pop("among")
        said = urlencode({name: value for name, value in asked.items() if value})
        return f"/messages?{said}" if said else "/messages"

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set."""
        return replace(self, among="people") != Chosen()

    def wanted(self, ctx: Context) -> Wanted:
        """The store's filter; days are the shop's own."""
        return Wanted(
            state=MessageState(self.state) if self.state else None,
            kind=MailKind(self.kind) if self.kind else None,
            channel_id=int(self.channel) if self.channel else None,
            since=_midnight(self.since, ctx),
            before=_midnight(self.until, ctx, days=1),
            words=self.q,
            among=self.among,
        )


def _midnight(day: str, ctx: Context, days: int = 0) -> datetime | None:
    if not day:
        return None
    return datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), ctx.zone)


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the list."""

    id: str
    when: str
    name: str
    badge: Badge | None
    kind: str
    shop: str
    orders: str
    subject: str
    state: str
    look: str
    captured: bool


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A page of messages, the newest first; ``looked_to`` says how far a long search came."""

    chosen: Chosen
    lines: tuple[Line, ...]
    states: tuple[Option, ...]
    kinds: tuple[Option, ...]
    channels: tuple[Option, ...]
    more: str
    looked_to: str


def history_view(
    session: Session, ctx: Context, words: Words, now: datetime, chosen: Chosen, after: str
) -> HistoryView:
    """Read one page. Raises NoSuchPlace."""
    try:
        found = history_queries.page(session, ctx.key, chosen.wanted(ctx), after=after, limit=PAGE)
    except UnknownPlace as error:
        raise NoSuchPlace from error
    shops, ranks = shop_labels(session, words), badges(ctx.documents.ladder, words.locale)
    numbers = order_numbers(session, found.ids)
    looked_to = found.looked_to
    return HistoryView(
        chosen=chosen,
        lines=tuple(
            _line(row, ctx, words, now, shops, ranks, numbers) for row in _rows(session, found.ids)
        ),
        states=tuple(
            Option(each, words(f"state.{each}"), None, each == chosen.state)
            for each in MessageState
        ),
        kinds=tuple(replace(o, chosen=o.value == chosen.kind) for o in kind_options(words)),
        channels=tuple(
            replace(o, chosen=o.value == chosen.channel) for o in channel_options(session, words)
        ),
        more=chosen.query(after=found.after) if found.after else "",
        looked_to=formats.day(looked_to.astimezone(ctx.zone).date(), words.locale)
        if looked_to
        else "",
    )


def _rows(session: Session, ids: Sequence[str]) -> list[Any]:
    rows = session.execute(
        select(Message, Channel.name, MessageBody, CustomerProfile.name)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Message.customer_id)
        .where(Message.id.in_(ids))
    ).all()
    by_id = {row[0].id: row for row in rows}
    return [by_id[each] for each in ids if each in by_id]


def _line(
    row: Any,
    ctx: Context,
    words: Words,
    now: datetime,
    shops: Mapping[str, str],
    ranks: Mapping[str, Badge],
    numbers: Mapping[str, Sequence[str]],
) -> Line:
    message, channel, body, name = row
    return Line(
        id=message.id,
        when=formats.near(message.sent_at or message.due_at, now, ctx.zone),
        name=name or "",
        badge=ranks.get(message.rank or ""),
        kind=words(f"kind_short.{message.kind}"),
        shop=shops.get(channel, message.family),
        orders=" ".join(numbers.get(message.id, ())),
        subject=body.subject if body else "",
        state=words(f"state.{message.state}"),
        look=_LOOKS.get(message.state, ""),
        captured=message.captured,
    )


COLUMNS = (
    *("id", "state", "kind", "channel", "customer", "recipient", "orders"),
    *("subject", "due", "sent", "approved_by", "again_of"),
)


def history_file(session: Session, ctx: Context, words: Words, chosen: Chosen) -> bytes:
    """The newest ``FILE`` messages of the filter as a CSV that Excel opens safely.

    The words of the mails stay here: who wrote to whom about what is what such a file is for.
    """
    rows = [_record(row, ctx, words, numbers) for row, numbers in _all(session, ctx, chosen)]
    header = [words(f"messages.column_{name}") for name in COLUMNS]
    return write_table(header, rows)


def _all(session: Session, ctx: Context, chosen: Chosen) -> Iterator[tuple[Any, Sequence[str]]]:
    after, given = "", 0
    while given < FILE:
        found = history_queries.page(
            session, ctx.key, chosen.wanted(ctx), after=after, limit=min(500, FILE - given)
        )
        numbers = order_numbers(session, found.ids)
        yield from ((row, numbers.get(row[0].id, ())) for row in _rows(session, found.ids))
        given, after = given + len(found.ids), found.after
        if not after:
            return


def _record(row: Any, ctx: Context, words: Words, numbers: Sequence[str]) -> list[object]:
    message, channel, body, name = row
    sent = message.sent_at
    return [
        message.id,
        words(f"state.{message.state}"),
        words(f"kind.{message.kind}"),
        channel,
        name or "",
        body.recipient if body else "",
        " ".join(numbers),
        body.subject if body else "",
        formats.moment(message.due_at, ctx.zone, words.locale),
        formats.moment(sent, ctx.zone, words.locale) if sent else "",
        message.approved_by,
        message.again_of or "",
    ]
