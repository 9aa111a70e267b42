"""The settings in the hand: documents in force, the drafts over them, and how a draft is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from worker.documents import NAMES, documents_from, shipped_text
from worker.pipeline.context import Context
from worker.pipeline.settings_toml import Sheet
from worker.releases import in_force
from worker.rules.shop import Documents
from worker.setup import first_shop
from worker.store import draft_queries as store
from worker.store.drafts import DocumentDraft

EMPTY_POLICY = "# Only what this shop makes stricter than the policy that ships with the program.\n"


class StaleDraft(Exception):
    """Somebody else wrote on the same document meanwhile; nothing was saved."""

    def __init__(self, documents: tuple[str, ...], by: str, at: datetime | None) -> None:
        super().__init__(", ".join(documents))
        self.documents, self.by, self.at = documents, by, at


@dataclass(frozen=True)
class Draft:
    """One document in writing; ``moved``: what it was written over is no longer in force."""

    text: str
    author: str
    at: datetime
    moved: bool


@dataclass(frozen=True)
class Working:
    """All settings by the documents' short names."""

    published: Mapping[str, str]
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    new_shop: bool = False
    """Neither a release nor a file tells about the shop yet."""

    def text(self, name: str) -> str:
        """The text in the hand: the draft, else what is in force."""
        draft = self.drafts.get(name)
        return draft.text if draft else self.published[name]

    @cached_property
    def data(self) -> dict[str, dict[str, Any]]:
        """The values in the hand by document."""
        return {name: Sheet(self.text(name)).data() for name in NAMES}

    @cached_property
    def published_data(self) -> dict[str, dict[str, Any]]:
        """The values in force by document."""
        return {name: Sheet(self.published[name]).data() for name in NAMES}

    @cached_property
    def key(self) -> str:
        """Names exactly these drafts over exactly these documents; empty without drafts."""
        if not self.drafts:
            return ""
        lump = [f"{name}\0{self.published[name]}\0{self.text(name)}" for name in NAMES]
        return hashlib.sha256("\0".join(lump).encode()).hexdigest()

    def mark(self, name: str) -> str:
        """Which text of a document a form was made from."""
        return digest(self.text(name))[:16]

    def documents(self, **texts: str) -> Documents:
        """The documents as they would be; ``texts`` stand for the drafts of theirs.

        Raises DocumentsWrong.
        """
        return documents_from({**{name: self.text(name) for name in NAMES}, **texts})

    def context(self, ctx: Context) -> Context:
        """A context in which the drafts are in force. Raises DocumentsWrong."""
        return replace(ctx, documents=self.documents())


def digest(text: str) -> str:
    """SHA-256 of a text, as the releases keep it."""
    return hashlib.sha256(text.encode()).hexdigest()


def path_of(name: str) -> str:
    """The path of a document as releases name it."""
    return f"config/{name}.toml"


def read_working(session: Session, folder: Path) -> Working:
    """Read the settings of the shop. Raises DocumentsWrong for files that cannot be read."""
    found = in_force(session, folder)
    published = {name: found.get(path_of(name)) or _without_file(name) for name in NAMES}
    drafts = {}
    for row in store.drafts_of(session, [path_of(name) for name in NAMES]):
        name = row.name.removeprefix("config/").removesuffix(".toml")
        moved = row.based_on.get(row.name) != digest(published[name])
        drafts[name] = Draft(str(row.parts[row.name]), row.author, row.at, moved)
    return Working(published, drafts, new_shop=path_of("shop") not in found)


def _without_file(name: str) -> str:
    if name == "policy":
        return EMPTY_POLICY
    return first_shop() if name == "shop" else shipped_text(name)


def check_marks(working: Working, marks: Mapping[str, str]) -> None:
    """Refuse a form that was made from texts that are no longer in the hand. Raises StaleDraft."""
    stale = tuple(name for name, mark in marks.items() if working.mark(name) != mark)
    if stale:
        draft = next((working.drafts[name] for name in stale if name in working.drafts), None)
        raise StaleDraft(stale, draft.author if draft else "", draft.at if draft else None)


def keep(
    session: Session, working: Working, texts: Mapping[str, str], by: str, now: datetime
) -> list[str]:
    """Keep texts as drafts; one that equals what is in force is none. Gives the changed names.

    The caller has checked that they can be used (``Working.documents``).
    """
    changed = [name for name, text in texts.items() if text != working.text(name)]
    for name in changed:
        path, published = path_of(name), working.published[name]
        row = store.draft_named(session, path)
        if texts[name] == published:
            if row is not None:
                session.delete(row)
            continue
        if row is None:
            row = DocumentDraft(name=path, parts={}, based_on={path: digest(published)})
            session.add(row)
        row.parts = {path: texts[name]}
        row.author, row.at = by, now
    session.flush()
    return changed


def rebase(session: Session, working: Working, names: Iterable[str], now: datetime) -> None:
    """Lay drafts over what is in force now: who does so has seen the difference."""
    for name in names:
        row = store.draft_named(session, path_of(name))
        if row is not None:
            row.based_on = {path_of(name): digest(working.published[name])}
            row.at = now
    session.flush()


def discard(session: Session, names: Iterable[str] = NAMES) -> list[str]:
    """Throw drafts away; gives the names that had one."""
    gone = []
    for name in names:
        row = store.draft_named(session, path_of(name))
        if row is not None:
            session.delete(row)
            gone.append(name)
    store.forget_counts(session)
    session.flush()
    return gone
