"""Texts in writing: saved for everybody to go on with, refused where somebody was faster."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.sandbox import SOURCE_LIMIT
from worker.mail.texts import ROOT
from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.template_names import PARTS, Overlaid, TextName, parts_in, text_name
from worker.store.drafts import DocumentDraft


class StaleDraft(ValueError):
    """Somebody changed the text meanwhile; nothing was saved. ``theirs`` is what stands now."""

    def __init__(
        self, name: TextName, theirs: Mapping[str, str], by: str, at: datetime | None
    ) -> None:
        super().__init__(f"{name}: 他の人が先に変更しました。/ changed by somebody else meanwhile")
        self.name, self.theirs, self.by, self.at = name, theirs, by, at


@dataclass(frozen=True, slots=True)
class Writing:
    """A text as it is open on somebody's desk."""

    name: TextName
    parts: dict[str, str]
    """As drafted, else as in force; empty: this field has no text of its own yet."""
    in_force: dict[str, str]
    draft: DocumentDraft | None
    version: int
    """Of the draft; 0 without one."""
    stamp: str
    """Of what is in force: a save that knows another one is refused."""

    @property
    def outdated(self) -> bool:
        """Whether another text came into force after the draft was begun."""
        return self.draft is not None and dict(self.draft.based_on) != _sums(
            self.name, self.in_force
        )


def drafts(session: Session) -> list[DocumentDraft]:
    """Every text in writing, the newest first."""
    return list(
        session.scalars(
            select(DocumentDraft)
            .where(DocumentDraft.name.startswith(f"{ROOT}/", autoescape=True))
            .order_by(DocumentDraft.at.desc(), DocumentDraft.id.desc())
        )
    )


def draft_of(session: Session, name: TextName) -> DocumentDraft | None:
    """The text in writing, if somebody began one."""
    return session.scalar(select(DocumentDraft).where(DocumentDraft.name == name.document))


def name_of(draft: DocumentDraft) -> TextName:
    """Which text a draft is of."""
    return text_name(draft.name.removeprefix(f"{ROOT}/"))


def drafted_parts(draft: DocumentDraft) -> dict[str, str]:
    """The parts of a draft by their short names."""
    paths = name_of(draft).paths
    return {part: draft.parts[path] for part, path in paths.items() if path in draft.parts}


def all_drafted(session: Session, ctx: Context) -> Overlaid:
    """The texts as they would be, were every draft published."""
    over = {path: text for draft in drafts(session) for path, text in draft.parts.items()}
    return Overlaid(over, ctx.texts)


def open_writing(session: Session, ctx: Context, name: TextName) -> Writing:
    """Open a text to write on."""
    in_force = parts_in(ctx.texts, name)
    draft = draft_of(session, name)
    parts = drafted_parts(draft) if draft else dict(in_force)
    stamp = _stamp(_sums(name, in_force))
    return Writing(name, parts, in_force, draft, draft.version if draft else 0, stamp)


def save_draft(
    session: Session,
    ctx: Context,
    name: TextName,
    parts: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    version: int,
    stamp: str,
    note: str = "",
) -> DocumentDraft:
    """Keep the text for everybody to go on with; nothing is published by it.

    ``version`` and ``stamp`` are those of the Writing that was opened. Raises StaleDraft where
    somebody saved or published meanwhile, Refused for an empty or overlong part.
    """
    present = open_writing(session, ctx, name)
    _raise_where_stale(present, version, stamp)
    written = _clean(name, parts)
    if present.draft is None:
        if written == present.in_force:
            raise Refused("text_unchanged")
        draft = DocumentDraft(name=name.document, version=1)
        session.add(draft)
    else:
        draft = present.draft
    draft.parts = {name.paths[part]: text for part, text in written.items()}
    draft.based_on = _sums(name, present.in_force)
    draft.note, draft.author, draft.at = note.strip(), by, now
    session.flush()
    return draft


def drop_draft(session: Session, name: TextName, *, version: int) -> None:
    """Forget what was in writing. Raises Refused where it is not there or changed meanwhile."""
    draft = draft_of(session, name)
    if draft is None or draft.version != version:
        raise Refused("draft_changed")
    session.delete(draft)
    session.flush()


def _raise_where_stale(present: Writing, version: int, stamp: str) -> None:
    draft = present.draft
    if version == present.version and stamp == present.stamp:
        return
    if draft is not None and version != present.version:
        raise StaleDraft(present.name, present.parts, draft.author, draft.at)
    raise StaleDraft(present.name, present.in_force, "", None)


def _clean(name: TextName, parts: Mapping[str, str]) -> dict[str, str]:
    """Line ends made one, one line break at the end of a part, as files have it."""
    found = {}
    for part in PARTS:
        text = parts.get(part)
        if text is None or part not in name.paths:
            continue
        plain = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        if len(plain.encode()) > SOURCE_LIMIT:
            raise Refused("text_too_long")
        if plain.strip():
            found[part] = f"{plain}\n"
    missing = {"text", "subject"} & set(name.paths) - set(found)
    if missing:
        raise Refused("text_empty")
    return found


def _sums(name: TextName, parts: Mapping[str, str]) -> dict[str, str]:
    return {
        name.paths[part]: hashlib.sha256(text.encode()).hexdigest() for part, text in parts.items()
    }


def _stamp(sums: Mapping[str, str]) -> str:
    lump = "\x00".join(f"{path}\x00{digest}" for path, digest in sorted(sums.items()))
    return hashlib.sha256(lump.encode()).hexdigest()[:16]
