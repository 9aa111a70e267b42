"""履歴: every published version of the settings, its difference, and a document as a whole text."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece, difference
from console.visit import NoSuchPlace, Visit
from worker.documents import NAMES
from worker.pipeline.context import Context
from worker.pipeline.settings_drafts import path_of
from worker.store import draft_queries as store
from worker.store.running import DocumentVersion

PAGE = 30
_PATHS = tuple(path_of(name) for name in NAMES)


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of one document."""

    id: int
    release: int
    document: str
    when: str
    by: str
    note: str
    current: bool


@dataclass(frozen=True, slots=True)
class History:
    """A page of versions; ``before`` leads to the older ones, 0 where there are none."""

    lines: tuple[VersionLine, ...]
    before: int


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version with what it changed against the one before it."""

    line: VersionLine
    first: bool
    pieces: tuple[Piece, ...]


def history_view(visit: Visit, session: Session, ctx: Context, before: int) -> History:
    """The newest versions first, by the id of the one before which to go on."""
    found = store.versions_of(session, _PATHS, before=before, limit=PAGE + 1)
    lines = tuple(_line(visit, session, ctx, each) for each in found[:PAGE])
    return History(lines, found[PAGE - 1].id if len(found) > PAGE else 0)


def _line(visit: Visit, session: Session, ctx: Context, each: store.Published) -> VersionLine:
    name = each.path.removeprefix("config/").removesuffix(".toml")
    return VersionLine(
        id=each.id,
        release=each.release_id,
        document=visit.words(f"settings_document.{name}"),
        when=formats.moment(each.at, ctx.zone, visit.locale),
        by=each.author,
        note=each.note,
        current=store.version_in_force(session, each.path) == each.id,
    )


def version_view(visit: Visit, session: Session, ctx: Context, version_id: int) -> VersionView:
    """One version. Raises NoSuchPlace for one that is not of settings."""
    found = store.versions_of(session, _PATHS, before=version_id + 1, limit=1)
    if not found or found[0].id != version_id:
        raise NoSuchPlace
    version = session.get_one(DocumentVersion, version_id)
    earlier = store.version_before(session, version)
    before = earlier.content if earlier else version.content
    return VersionView(
        _line(visit, session, ctx, found[0]),
        first=earlier is None,
        pieces=_near(difference(before, version.content)) if earlier else (Piece(version.content),),
    )


def _near(pieces: tuple[Piece, ...], lines: int = 3) -> tuple[Piece, ...]:
    """Leave out what stands far from every change."""
    kept = []
    for place, piece in enumerate(pieces):
        rows = piece.text.splitlines(keepends=True)
        if piece.mark or len(rows) <= 2 * lines + 1:
            kept.append(piece)
            continue
        head = rows[:lines] if place else []
        tail = rows[-lines:] if place < len(pieces) - 1 else []
        kept.append(Piece("".join(head) + "⋯\n" + "".join(tail), piece.mark))
    return tuple(kept)
