"""Publishes the drafts of settings as one release, and sets right what rests on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.channel_names import activate
from worker.pipeline.context import Context
from worker.pipeline.plan_run import open_run
from worker.pipeline.review_approval import clear_approval
from worker.pipeline.settings_drafts import Working, discard, keep, path_of, read_working
from worker.pipeline.settings_mails import LOOK_BACK, Opening, people_to_judge
from worker.pipeline.settings_whatif import checks, closings, openings
from worker.releases import publish, push
from worker.rules.states import Actor, Outcome
from worker.store import draft_queries
from worker.store import settings_queries as store
from worker.store.channels import Channel
from worker.store.messages import Message, Occasion
from worker.store.moves import apply_move
from worker.store.running import DocumentVersion

BEFORE = "公開前の設定ファイル / the files as they stood"
"""The note of the version that a shop's own files become."""
_ANSWERS = {"policy_forbids": Outcome.FORBIDDEN, "no_rule_fits": Outcome.NOT_WANTED}
"""What becomes of an occasion by the code of why; every other code names another sender."""


class CannotPublish(Exception):
    """Why not: ``code`` is ``nothing``, ``note``, ``changed``, ``moved``, ``not_counted`` or
    ``checks``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PublishedSettings:
    """What publishing did besides the release."""

    release_id: int
    documents: tuple[str, ...]
    ended: int
    """Waiting mails of kinds that Okaeri ceases to send; the rest follows at the next planning."""


def publish_settings(
    session: Session,
    ctx: Context,
    folder: Path,
    *,
    key: str,
    ticked: Collection[str],
    note: str,
    by: str,
    now: datetime,
) -> PublishedSettings:
    """Publish the drafts that ``key`` names. Raises CannotPublish and DocumentsWrong.

    What Okaeri begins to send with it begins now (P8); everything that was counted is put on the
    work lists, so that what was promised comes to pass by ranking and planning themselves.
    """
    working = read_working(session, folder)
    _may(session, ctx, working, key, ticked, note)
    then_ctx = working.context(ctx)
    opened = openings(session, ctx.documents, then_ctx.documents)
    closed = closings(session, ctx.documents, then_ctx.documents)
    changes = {path_of(name): draft.text for name, draft in working.drafts.items()}
    if draft_queries.newest_release(session) is None and not working.new_shop:
        # So that the first change has something to be compared with, and to go back to.
        push(session, folder, by, BEFORE, now)
    release = publish(session, folder, changes, by, note, now)
    names = discard(session, tuple(working.drafts))
    _begin(session, opened, by, now)
    ended = sum(_recall(session, which, code, by, now) for which, code in closed)
    _look_again(session, then_ctx, now)
    return PublishedSettings(release.id, tuple(names), ended)


def _may(
    session: Session,
    ctx: Context,
    working: Working,
    key: str,
    ticked: Collection[str],
    note: str,
) -> None:
    if not working.drafts:
        raise CannotPublish("nothing")
    if key != working.key:
        raise CannotPublish("changed")
    if any(draft.moved for draft in working.drafts.values()):
        raise CannotPublish("moved")
    count = draft_queries.count_for(session, key)
    if count is None:
        raise CannotPublish("not_counted")
    wanted = checks(ctx.documents, working.documents(), count.figures)
    if not {check.name for check in wanted} <= set(ticked):
        raise CannotPublish("checks")
    if not note.strip():
        raise CannotPublish("note")


def _begin(session: Session, opened: list[Opening], by: str, now: datetime) -> None:
    for channel_id, kind in opened:
        activate(session, session.get_one(Channel, channel_id), now, by, (kind,))


def _recall(session: Session, which: Opening, code: str, by: str, now: datetime) -> int:
    """End what waits of a kind that Okaeri ceases to send: at once, lest a last one leave."""
    channel_id, kind = which
    messages = store.waiting_of(session, kind, channel_id)
    for message in messages:
        clear_approval(message)
        apply_move(session, message, "cancel", Actor.STAFF, by, {"code": code}, now)
        _answer(session, message, code, now)
    return len(messages)


def _answer(session: Session, message: Message, code: str, now: datetime) -> None:
    outcome = _ANSWERS.get(code, Outcome.OTHER_SENDER)
    told = {"code": code, "rank": message.rank, "number": message.visit_number}
    rows = session.scalars(select(Occasion).where(Occasion.message_id == message.id))
    for row in rows:
        row.outcome, row.reason, row.changed_at = outcome, told, now


def _look_again(session: Session, then_ctx: Context, now: datetime) -> None:
    for orders in store.orders_that_may_turn(session, now - LOOK_BACK):
        store.mark_to_plan(session, orders, ())
    people = people_to_judge(session, open_run(session, then_ctx, now), now)
    store.mark_to_plan(session, (), people)


def restore(session: Session, folder: Path, version_id: int, by: str, now: datetime) -> str:
    """Lay an earlier version over the document as a draft; gives the document's short name.

    It is counted and published like any other change. Raises LookupError for a version that is
    not one of settings, DocumentsWrong where it no longer fits the others.
    """
    version = session.get(DocumentVersion, version_id)
    working = read_working(session, folder)
    names = {path_of(name): name for name in working.published}
    if version is None or version.path not in names:
        raise LookupError(version_id)
    name = names[version.path]
    working.documents(**{name: version.content})
    keep(session, working, {name: version.content}, by, now)
    return name
