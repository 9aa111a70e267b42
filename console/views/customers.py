"""顧客: the list with the ten fields of the ledger, its filters and a user's saved views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, Option, badges, scope_label, shop_labels
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline.context import Context
from worker.rules.finding import KANA_ROWS
from worker.store import list_queries
from worker.store.channels import Channel
from worker.store.list_queries import OVERALL, Sort, UnknownCursor, Wanted
from worker.store.reach_queries import people_with_open_notes
from worker.store.running import SavedView
from worker.store.search_queries import LIMIT, find_customers

PAGE = 50
PAGE_NAME = "customers"
SORTS: tuple[Sort, ...] = ("last", "visits", "spend", "kana")
SILENT_DAYS = (90, 180, 365, 730)
BUCKETS = ("guest", "member")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filter as the address tells it; empty fields ask for nothing."""

    q: str = ""
    scope: str = ""
    rank: str = ""
    row: str = ""
    bucket: str = ""
    noted: bool = False
    silent: int = 0
    sort: str = ""

    def query(self, **changed: Any) -> str:
        """The address behind the page's own, with some fields changed."""
        one = replace(self, **changed)
        fields = {name: getattr(one, name) for name in one.__slots__}
        return urlencode({name: int(v) if v is True else v for name, v in fields.items() if v})

    @property
    def narrows(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.query(sort="", q=""))


@dataclass(frozen=True, slots=True)
class Line:
    """One customer: the ten fields, the rank and the visit number."""

    id: int
    name: str
    kana: str
    badge: Badge | None
    nth: str
    address: str
    phone: str
    email: str
    birthday: str
    spend: str
    count: str
    average: str
    last: str
    since: str
    guest: bool
    noted: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved view; ``here`` where it is what is shown."""

    id: int
    name: str
    query: str
    here: bool


@dataclass(frozen=True, slots=True)
class CustomersView:
    """Everything the page prints."""

    chosen: Chosen
    lines: tuple[Line, ...]
    after: str
    cut: bool
    """A search found more than is shown."""
    ranks: tuple[Option, ...]
    scopes: tuple[Option, ...]
    rows: tuple[Option, ...]
    silents: tuple[Option, ...]
    buckets: tuple[Option, ...]
    sorts: tuple[Option, ...]
    saved: tuple[Saved, ...]
    nobody: bool
    """The ledger itself is empty."""


def customers_view(
    session: Session,
    ctx: Context,
    chosen: Chosen,
    words: Words,
    now: datetime,
    *,
    user_id: int,
    after: str = "",
) -> CustomersView:
    """A page of the list, or what a search found. Raises NoSuchPlace for an unknown cursor."""
    rows, following, cut = _rows(session, ctx, chosen, now, after)
    ranks = badges(ctx.documents.ladder, words.locale)
    return CustomersView(
        chosen=chosen,
        lines=lines(session, ctx, rows, words, now),
        after=following,
        cut=cut,
        ranks=tuple(Option(b.rank, b.label, None, b.rank == chosen.rank) for b in ranks.values()),
        scopes=_scopes(session, ctx, chosen, words),
        rows=tuple(Option(row, words(f"kana.{row}"), None, row == chosen.row) for row in KANA_ROWS),
        silents=tuple(
            Option(str(days), words("customers.silent", n=days), None, days == chosen.silent)
            for days in SILENT_DAYS
        ),
        buckets=tuple(
            Option(name, words(f"customers.{name}"), None, name == chosen.bucket)
            for name in BUCKETS
        ),
        sorts=tuple(
            Option(name, words(f"customers.by_{name}"), None, name == (chosen.sort or SORTS[0]))
            for name in SORTS
        ),
        saved=_saved(session, user_id, chosen),
        nobody=not rows and not chosen.query() and not after,
    )


def _rows(
    session: Session, ctx: Context, chosen: Chosen, now: datetime, after: str
) -> tuple[Sequence[Any], str, bool]:
    if chosen.q:
        ids = find_customers(session, ctx.key, chosen.q)
        return list_queries.lines_of(session, ids), "", len(ids) >= LIMIT
    try:
        page = list_queries.page(session, wanted_of(chosen, now), after=after, limit=PAGE)
    except UnknownCursor as error:
        raise NoSuchPlace from error
    return page.lines, page.after, False


def wanted_of(chosen: Chosen, now: datetime) -> Wanted:
    """What the store is asked for; the kana index is read in its own order."""
    sort: Any = chosen.sort or ("kana" if chosen.row else SORTS[0])
    bucket: Any = chosen.bucket
    return Wanted(
        scope=chosen.scope or OVERALL,
        rank=chosen.rank,
        row=chosen.row,
        bucket=bucket,
        noted=chosen.noted,
        silent_since=now - timedelta(days=chosen.silent) if chosen.silent else None,
        sort=sort,
    )


def lines(
    session: Session, ctx: Context, rows: Sequence[Any], words: Words, now: datetime
) -> tuple[Line, ...]:
    """Rows of the store in words."""
    ranks = badges(ctx.documents.ladder, words.locale)
    noted = people_with_open_notes(session, [row["customer_id"] for row in rows])
    today = now.astimezone(ctx.zone).date()
    return tuple(_line(row, ctx, words, ranks, noted, today) for row in rows)


def _line(
    row: Any, ctx: Context, words: Words, ranks: dict[str, Badge], noted: set[int], today: date
) -> Line:
    currency, locale = ctx.documents.shop.counting.currency, words.locale
    count, spend = row["count"] or 0, row["net_spend"] or 0
    last = row["last_order_at"].astimezone(ctx.zone).date() if row["last_order_at"] else None
    return Line(
        id=row["customer_id"],
        name=row["name"] or "",
        kana=row["kana"] or "",
        badge=ranks.get(row["rank"] or ""),
        nth=formats.nth(row["visits"], locale) if row["visits"] else "",
        address=row["address"] or "",
        phone=row["phone"] or "",
        email=row["email"] or "",
        birthday=birthday_words(row["birthday"], words),
        spend=formats.money(spend, currency, locale),
        count=words("card.times", n=count),
        average=formats.money(spend // count, currency, locale) if count else "",
        last=_day(last) if last else "",
        since=words("customers.days", n=(today - last).days) if last else "",
        guest=row["is_member"] is False,
        noted=row["customer_id"] in noted,
    )


def _day(day: date) -> str:
    return f"{day.year}/{day.month:02}/{day.day:02}"


def birthday_words(day: date | None, words: Words) -> str:
    """Month and day; nobody needs the year at a glance."""
    return words("customers.birthday", month=day.month, day=day.day) if day else ""


def _scopes(session: Session, ctx: Context, chosen: Chosen, words: Words) -> tuple[Option, ...]:
    shops = shop_labels(session, words)
    found = sorted(
        {
            ctx.documents.shop.scope_of(row.name, row.family)
            for row in session.execute(select(Channel.name, Channel.family))
            if row.family != "amazon"
        }
    )
    return tuple(
        Option(scope, scope_label(scope, words, shops), None, scope == chosen.scope)
        for scope in found
    )


# --- saved views ----------------------------------------------------------------------------


def _saved(session: Session, user_id: int, chosen: Chosen) -> tuple[Saved, ...]:
    rows = session.scalars(
        select(SavedView)
        .where(SavedView.user_id == user_id, SavedView.page == PAGE_NAME)
        .order_by(SavedView.name)
    )
    here = chosen.query()
    return tuple(Saved(row.id, row.name, row.query, row.query == here) for row in rows)


def chosen_from(values: dict[str, str]) -> Chosen:
    """A filter of what an address or a saved view says; the unknown asks for nothing."""

    def known(name: str, allowed: Sequence[str]) -> str:
        return values.get(name, "") if values.get(name, "") in allowed else ""

    silent = values.get("silent", "")
    return Chosen(
        q=values.get("q", "").strip()[:80],
        scope=values.get("scope", "")[:80],
        rank=values.get("rank", "")[:40],
        row=known("row", tuple(KANA_ROWS)),
        bucket=known("bucket", BUCKETS),
        noted=values.get("noted", "") == "1",
        silent=int(silent) if silent in map(str, SILENT_DAYS) else 0,
        sort=known("sort", SORTS),
    )


def clean_query(query: str) -> str:
    """What a page may keep of an address: only fields it knows itself."""
    return chosen_from(dict(parse_qsl(query))).query()
