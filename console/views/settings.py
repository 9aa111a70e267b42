"""設定: a page over the shop documents, with the panel that says what publishing changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece, difference
from console.views import settings_pages as pages
from console.views.names import badges
from console.views.settings_form import FieldView, Form
from console.views.settings_panel import Panel, panel_view
from console.visit import Visit
from console.words import Words
from worker.pipeline import settings_tabs as tabs
from worker.pipeline.context import Context
from worker.pipeline.review_trust import trust_offers
from worker.pipeline.settings_drafts import StaleDraft, Working, read_working
from worker.pipeline.settings_edit import Typed
from worker.pipeline.settings_fields import FieldWrong
from worker.pipeline.settings_toml import value_at
from worker.rules.numbers import month_key, months_before
from worker.rules.proposing import Proposal, propose
from worker.rules.review_modes import ALWAYS_READ, rule_for
from worker.rules.states import MailKind, ReviewMode
from worker.store import draft_queries, settings_queries

_LEGAL = ("legal_name", "postal_address", "mail", "phone", "hours", "url", "returns_url")
_SPEAKER = ("shop_name", "staff_name", "staff_role", "staff_role_en", "sender", "reply_to")


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else saved first: the difference from their text to what was typed."""

    by: str
    when: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """The next step of trust for one text: ``act`` takes it."""

    label: str
    count: int
    act: str


@dataclass
class SettingsView:
    """One page of the settings; ``page`` holds what only this page shows."""

    tab: str
    version: str
    f: Mapping[str, FieldView]
    marks: Mapping[str, str]
    panel: Panel
    errors: tuple[str, ...]
    new_shop: bool
    stale: Stale | None = None
    page: dict[str, Any] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        """How many fields are to be mended."""
        return sum(bool(view.errors) for view in self.f.values())


def shop_of(session: Session) -> tabs.Shop:
    """The channels as the fields need them."""
    rows = settings_queries.channels_by_name(session)
    return tabs.Shop(tuple((row.name, row.family) for row in rows))


def settings_view(
    visit: Visit,
    session: Session,
    ctx: Context,
    tab: str,
    *,
    typed: Typed | None = None,
    errors: Mapping[str, Sequence[FieldWrong]] | None = None,
    stale: Stale | None = None,
    proposing: bool = False,
) -> SettingsView:
    """Read a page; ``typed`` and ``errors`` come back from a form that was refused."""
    working = read_working(session, visit.house.runtime.settings.config_dir)
    form = Form(working, shop_of(session), visit.words, typed, errors)
    fields = form.fields(tab)
    panel = panel_view(visit, session, ctx, working)
    view = SettingsView(
        tab=tab,
        version=version_words(session, visit.words, ctx),
        f=fields,
        marks={name: working.mark(name) for name in tabs.documents_of(tab)},
        panel=panel,
        errors=form.general_errors(fields),
        new_shop=working.new_shop,
        stale=stale,
    )
    view.page = dict(_page(visit, session, ctx, form, view, proposing=proposing))
    return view


def _page(
    visit: Visit, session: Session, ctx: Context, form: Form, view: SettingsView, *, proposing: bool
) -> Iterator[tuple[str, Any]]:
    fields = view.f
    if view.tab == "ranks":
        people = settings_queries.people_by_rank(session)
        yield "rungs", pages.rungs(form, fields, people, view.panel.then_people)
        yield "matrix", pages.matrix(form, fields)
        today = visit.now.astimezone(ctx.zone).date()
        yield "proposals", proposals(session, form.working, today) if proposing else None
    elif view.tab == "milestones":
        yield "plans", pages.milestone_plans(form, fields)
        yield "live", tabs.live_pools(form.working.data)
    elif view.tab == "mails":
        yield "rules", pages.mail_rules(form, fields)
    elif view.tab == "review":
        yield "rules", pages.review_rules(form, fields)
        yield "offers", tuple(_offers(visit, session, ctx))
    elif view.tab == "policy":
        yield "rows", pages.policy_rows(form, fields)
        yield "places", tuple(form.labels.place(family) for family in form.shop.families)
        yield "families", form.shop.families
    elif view.tab == "calendar":
        yield "busy", range(len(value_at(form.working.data, ("shop", "calendar", "busy"), [])))
    else:
        yield "legal", pages.contact_fields(fields, _LEGAL)
        yield "speaker", pages.contact_fields(fields, _SPEAKER)
        yield "channels", pages.channel_contacts(form, fields)


def version_words(session: Session, words: Words, ctx: Context) -> str:
    """Which version is in force, when and by whom; before the first, that files are."""
    release = draft_queries.newest_release(session)
    if release is None:
        return words("settings.no_version")
    when = formats.moment(release.at, ctx.zone, words.locale)
    return words("settings.version", number=release.id, when=when, by=release.by)


def stale_view(
    visit: Visit, ctx: Context, working: Working, refused: StaleDraft, texts: Mapping[str, str]
) -> Stale:
    """What the other has and the form has not, and the other way round."""
    pieces = [
        piece
        for name in refused.documents
        for piece in difference(*_changed_lines(working.text(name), texts.get(name, "")))
    ]
    when = formats.near(refused.at, visit.now, ctx.zone) if refused.at else ""
    return Stale(refused.by, when, tuple(pieces))


def _changed_lines(one: str, other: str) -> tuple[str, str]:
    """Only the lines that differ: a document is long, a change is short."""
    before, after = one.splitlines(), other.splitlines()
    left = "\n".join(line for line in before if line not in after)
    right = "\n".join(line for line in after if line not in before)
    return left, right


# --- proposals ----------------------------------------------------------------------------------


def proposals(session: Session, working: Working, today: date) -> list[Proposal]:
    """Thresholds for the top rank's first condition, from what was bought in its window."""
    months = value_at(working.data, ("ranks", "rungs", 0, "any_of", 0, "months"), 24) or 24
    since = _day_of(months_before(month_key(today), months))
    return propose(settings_queries.bought_since(session, since))


def _day_of(key: int) -> date:
    """The day of a month key (``rules.numbers``); a month without it ends before it."""
    months, day = divmod(key, 32)
    year, month = divmod(months, 12)
    for last in range(day, 0, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    return date(year, month + 1, 1)


# --- trust --------------------------------------------------------------------------------------


def _offers(visit: Visit, session: Session, ctx: Context) -> Iterator[Offer]:
    """One line for each text that has earned it and is still read throughout."""
    documents, words = ctx.documents, visit.words
    looks, seen = badges(documents.ladder, words.locale), set()
    top = documents.ladder.rungs[0].id
    for offer in trust_offers(session, ctx):
        kind, family, rank = _of_text(offer.text_key)
        if kind is None or kind in ALWAYS_READ or rank == top or (kind, family, rank) in seen:
            continue
        mode = rule_for(documents.review, kind, rank or None, family).mode
        if mode is not ReviewMode.REVIEW:
            continue
        seen.add((kind, family, rank))
        badge = looks[rank].label if rank in looks else words("settings.all_ranks")
        place = words(f"family.{family}") if words.has(f"family.{family}") else family
        label = words("settings.trust_line", kind=words(f"kind.{kind}"), rank=badge, place=place)
        yield Offer(label, offer.count, f"trust/{kind}/{rank}/{family}/sample/10")


def _of_text(key: str) -> tuple[MailKind | None, str, str]:
    """Kind, family and rank of ``ja/order_thanks/own/repeat.second``; any rank is empty."""
    parts = key.split("/")
    if len(parts) != 4 or parts[1] not in list(MailKind):
        return None, "", ""
    rank = parts[3].partition(".")[0]
    return MailKind(parts[1]), parts[2], "" if rank == "any" else rank
