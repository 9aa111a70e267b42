"""Publishing drafts: first what it would do to waiting mails, then the release, then the mails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from worker.mail.check import try_in_child
from worker.mail.placeholders import values
from worker.mail.texts import (
    ChosenText,
    DocumentSource,
    TextBroken,
    TextMissing,
    choose_text,
    load_text,
)
from worker.pipeline.context import Context
from worker.pipeline.render import render_message
from worker.pipeline.review_approval import clear_approval
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import drafted_parts, drafts, name_of, open_writing
from worker.pipeline.template_lint import inspect
from worker.pipeline.template_names import Overlaid, TextName
from worker.pipeline.template_preview import chosen
from worker.pipeline.template_samples import facts_of, samples_for, shop_shown
from worker.releases import publish
from worker.rules.states import Actor, MailKind
from worker.store.drafts import DocumentDraft
from worker.store.messages import Message, MessageEvent
from worker.store.moves import apply_move
from worker.store.template_queries import RELEASED, TO_READ, Waiting, ids_of, waiting_on


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing does to mails that are written and still in the house."""

    rewritten: tuple[Waiting, ...] = ()
    by_hand: tuple[Waiting, ...] = ()
    """Words a clerk wrote: they stay."""
    approved: tuple[Waiting, ...] = ()
    """Approved as they stand: they stay, unless somebody pulls them back."""

    @property
    def numbers(self) -> tuple[int, int, int]:
        """How many mails each of them are."""
        rewritten, by_hand, approved = (
            sum(row.count for row in rows) for rows in (self.rewritten, self.by_hand, self.approved)
        )
        return rewritten, by_hand, approved


@dataclass(frozen=True, slots=True)
class Done:
    """A release, and the mails that are now to be written anew."""

    release_id: int
    rewrite: tuple[str, ...]
    pull_back: tuple[str, ...]


def drafts_named(session: Session, wanted: Mapping[int, int]) -> list[DocumentDraft]:
    """The drafts by id, each in the version that was read. Raises Refused."""
    if not wanted:
        raise Refused("nothing_drafted")
    found = [draft for draft in drafts(session) if draft.id in wanted]
    if len(found) != len(wanted) or any(wanted[draft.id] != draft.version for draft in found):
        raise Refused("draft_changed")
    return found


def with_drafts(ctx: Context, chosen_drafts: Sequence[DocumentDraft]) -> Context:
    """The context as it would be, were these published."""
    over = {path: text for draft in chosen_drafts for path, text in draft.parts.items()}
    return replace(ctx, texts=Overlaid(over, ctx.texts))


def effect_of(session: Session, ctx: Context, chosen_drafts: Sequence[DocumentDraft]) -> Effect:
    """Which waiting mails would be written from other words than they were."""
    names = [name_of(draft) for draft in chosen_drafts]
    mails = [name for name in names if not name.is_card]
    if not mails:
        return Effect()
    every = any(name.is_block for name in mails)
    kinds = list(MailKind) if every else [name.kind for name in mails]
    rows = waiting_on(
        session, kinds, {name.family for name in mails}, {name.locale for name in mails}
    )
    judge = _Judge(ctx.texts, with_drafts(ctx, chosen_drafts).texts)
    touched = [row for row in rows if judge.touches(row)]
    return Effect(
        rewritten=tuple(r for r in touched if r.state in TO_READ and not r.edited),
        by_hand=tuple(r for r in touched if r.state in TO_READ and r.edited),
        approved=tuple(r for r in touched if r.state in RELEASED),
    )


class _Judge:
    """Knows for each choice of words its text now and then; many mails share a choice."""

    def __init__(self, now: DocumentSource, then: DocumentSource) -> None:
        self._now, self._then = now, then
        self._known: dict[tuple[object, ...], tuple[str, str]] = {}

    def touches(self, row: Waiting) -> bool:
        """Whether the mail would say something else than today, and than it says."""
        key = (row.locale, row.kind, row.family, row.rank, row.occasions, row.text_key)
        if key not in self._known:
            self._known[key] = (_version(self._now, row), _version(self._then, row))
        now, then = self._known[key]
        return then not in (now, row.text_version, "")


def _version(source: DocumentSource, row: Waiting) -> str:
    """The version of the text the mail would be written from; empty where there is none."""
    try:
        if row.rank:
            text: ChosenText = choose_text(
                source, row.locale, row.kind, row.family, row.rank, row.occasions
            )
        else:
            text = load_text(source, row.locale, row.text_key.partition("/")[2])
    except (TextMissing, TextBroken):
        return ""
    return text.version_hash


def try_all(session: Session, ctx: Context, chosen_drafts: Sequence[DocumentDraft]) -> None:
    """Render each part in a child process under hard limits, outside of any writing transaction.

    Raises Refused for a text that runs too long or fails there.
    """
    then = with_drafts(ctx, chosen_drafts)
    for draft in chosen_drafts:
        name, parts = name_of(draft), drafted_parts(draft)
        facts = facts_of(name, samples_for(name)[0], shop_shown(session, then, name))
        known = values(facts, name.locale)
        try:
            text = chosen(then, name, parts)
        except TextBroken as broken:
            raise Refused("draft_unfit", name=str(name), n=1) from broken
        for source, html in _sources(text):
            if not try_in_child(source, known, html=html).ok:
                raise Refused("draft_unfit", name=str(name), n=1)


def _sources(text: ChosenText) -> Iterator[tuple[str, bool]]:
    yield text.subject, False
    yield text.body_text, False
    if text.body_html is not None:
        yield text.body_html, True


def publish_drafts(
    session: Session,
    ctx: Context,
    folder: Path,
    wanted: Mapping[int, int],
    *,
    note: str,
    by: str,
    now: datetime,
    expected: int,
    rewrite: bool = True,
    pull_back: bool = False,
) -> Done:
    """Put drafts (id to version) into force as one release; approved mails keep their words.

    ``expected`` is the number of mails to be written anew that was shown; nothing is published
    where it is another one now. The mails themselves are the caller's next steps, ``rewrite_mails``
    and ``pull_back_mails``, with the context of the new release. Raises Refused.
    """
    if not note.strip():
        raise Refused("note_required")
    chosen_drafts = drafts_named(session, wanted)
    then = with_drafts(ctx, chosen_drafts)
    for draft in chosen_drafts:
        _raise_where_unfit(session, ctx, then, draft, now)
    effect = effect_of(session, ctx, chosen_drafts)
    found = effect.numbers[0]
    if found != expected:
        raise Refused("count_differs", expected=expected, found=found)
    to_rewrite = ids_of(session, effect.rewritten) if rewrite else []
    to_pull_back = ids_of(session, effect.approved) if pull_back else []
    changes = {path: text for draft in chosen_drafts for path, text in draft.parts.items()}
    authors = {path: draft.author for draft in chosen_drafts for path in draft.parts}
    release = publish(session, folder, changes, by, note.strip(), now, authors=authors)
    for draft in chosen_drafts:
        session.delete(draft)
    session.flush()
    return Done(release.id, tuple(to_rewrite), tuple(to_pull_back))


def _raise_where_unfit(
    session: Session, ctx: Context, then: Context, draft: DocumentDraft, now: datetime
) -> None:
    name: TextName = name_of(draft)
    if open_writing(session, ctx, name).outdated:
        raise Refused("draft_outdated", name=str(name))
    errors = inspect(session, then, name, drafted_parts(draft), now).errors
    if errors:
        raise Refused("draft_unfit", name=str(name), n=errors)


def rewrite_mails(
    session: Session, ctx: Context, message_ids: Sequence[str], *, by: str, now: datetime
) -> int:
    """Write waiting mails from the new text; gives how many. What was approved stays untouched."""
    done = 0
    for message_id in message_ids:
        message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state not in TO_READ or message.edited:
            continue  # somebody was faster: it was approved, edited or cancelled meanwhile
        before = message.text_version
        render_message(session, ctx, message_id, now)
        if message.text_version != before:
            _tell(session, message, by, now)
            done += 1
    session.flush()
    return done


def pull_back_mails(
    session: Session, ctx: Context, message_ids: Sequence[str], *, by: str, now: datetime
) -> int:
    """Take approvals back and write those mails anew; whoever edited one keeps the words."""
    done = 0
    for message_id in message_ids:
        message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state not in RELEASED:
            continue
        apply_move(session, message, "lapse", Actor.SYSTEM, by, "text_published", now)
        clear_approval(message)
        message.next_attempt_at = None
        render_message(session, ctx, message_id, now)
        _tell(session, message, by, now)
        done += 1
    session.flush()
    return done


def _tell(session: Session, message: Message, by: str, now: datetime) -> None:
    """No move, but the clerk who read it before must see why it reads otherwise."""
    session.add(
        MessageEvent(
            message_id=message.id,
            at=now,
            move="rewrite",
            from_state=message.state,
            to_state=message.state,
            actor=Actor.STAFF,
            by=by,
            reason={"code": "text_published"},
        )
    )
