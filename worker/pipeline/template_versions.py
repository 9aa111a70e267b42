"""What was published when, what it changed, and the way back to an earlier wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from worker.mail.texts import ROOT, FolderSource, shipped_root
from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import draft_of, open_writing, save_draft
from worker.pipeline.template_names import TextName, of_text_key, parts_in
from worker.store.drafts import DocumentDraft
from worker.store.template_queries import (
    Published,
    contents,
    published,
    releases_of,
    versions_in,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A text before and after one release."""

    release: Published
    before: Mapping[str, str]
    after: Mapping[str, str]


def history(session: Session, name: TextName) -> list[Step]:
    """Every release that changed this text, the newest first."""
    paths = list(name.paths.values())
    changing = releases_of(session, paths)
    known = {r.id: r for r in published(session, limit=1000)} if changing else {}
    parts = {release: _parts_at(session, name, release) for release in changing}
    steps = []
    for place, release in enumerate(changing):
        older = changing[place + 1] if place + 1 < len(changing) else None
        before = parts[older] if older else _filed(name)
        if before != parts[release] and release in known:
            steps.append(Step(known[release], before, parts[release]))
    return steps


def _parts_at(session: Session, name: TextName, release_id: int) -> dict[str, str]:
    """The text as it stood under a release; what the release does not hold stood as a file."""
    held = versions_in(session, release_id, _under(name))
    texts = contents(session, set(held.values()))
    found = dict(_filed(name))
    for part, path in name.paths.items():
        if path in held:
            found[part] = texts[held[path]]
    return found


def _under(name: TextName) -> str:
    return f"{ROOT}/{name}." if name.is_block else f"{ROOT}/{name}/"


def _filed(name: TextName) -> dict[str, str]:
    return parts_in(FolderSource(shipped_root()), name)


@dataclass(frozen=True, slots=True)
class Brought:
    """A release with the texts it changed."""

    release: Published
    texts: tuple[TextName, ...]
    others: int
    """How many documents of other kinds it changed."""


def releases(session: Session, *, before: int | None = None, limit: int = 20) -> list[Brought]:
    """Releases, the newest first, each with what it changed against the one before it."""
    rows = published(session, before=before, limit=limit + 1)
    held = {row.id: versions_in(session, row.id, "") for row in rows}
    found = []
    for place, row in enumerate(rows[:limit]):
        older = held[rows[place + 1].id] if place + 1 < len(rows) else {}
        changed = {path for path, version in held[row.id].items() if older.get(path) != version}
        texts = {_text_of(path) for path in changed if path.startswith(f"{ROOT}/")} - {None}
        # The first release takes the shop's settings in as they stand: it changes none of them.
        others = sum(not path.startswith(f"{ROOT}/") for path in changed) if older else 0
        named = tuple(sorted((t for t in texts if t is not None), key=str))
        found.append(Brought(row, named, others))
    return found


def _text_of(path: str) -> TextName | None:
    inner = path.removeprefix(f"{ROOT}/")
    return of_text_key(
        inner.rpartition(".")[0] if "/_blocks/" in path else inner.rpartition("/")[0]
    )


def restore(
    session: Session,
    ctx: Context,
    name: TextName,
    release_id: int | None,
    *,
    note: str,
    by: str,
    now: datetime,
) -> DocumentDraft:
    """Draft the wording of an earlier release, None for the shipped one: a new version, to publish.

    Raises Refused where somebody is writing on this text, or where it says the same already.
    """
    if draft_of(session, name) is not None:
        raise Refused("draft_exists")
    parts = _filed(name) if release_id is None else _parts_at(session, name, release_id)
    if not parts:
        raise Refused("version_unknown")
    present = open_writing(session, ctx, name)
    return save_draft(
        session,
        ctx,
        name,
        parts,
        by=by,
        now=now,
        version=present.version,
        stamp=present.stamp,
        note=note,
    )
