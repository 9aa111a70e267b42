"""The documents in force: files as files, and over them the newest published release."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.documents import (
    NAMES,
    DocumentsWrong,
    document_texts,
    documents_from,
    load_documents,
    missing_shop,
    sample_documents,
)
from worker.mail.texts import ROOT, FolderSource, shipped_root
from worker.pipeline.context import Context
from worker.rules.shop import Documents
from worker.settings import Settings
from worker.store.running import DocumentVersion, Release, ReleaseDocument


@dataclass(frozen=True)
class ReleasedTexts:
    """Mail texts of a release, laid over the shop's files, laid over the shipped ones."""

    name: str
    published: Mapping[str, str]
    files: FolderSource

    def read(self, path: str) -> str | None:
        """Give the text at a path like ``templates/mail/ja/…/body.txt``, or None."""
        found = self.published.get(path)
        return found if found is not None else self.files.read(path)

    def release(self) -> str:
        """``release:<id>``, or ``files:<hash>`` where nothing was published."""
        return self.name


def open_context(settings: Settings, session: Session) -> Context:
    """Build what the steps need. Raises DocumentsWrong with every problem found.

    Where neither a release nor the folder tells about the shop, the shipped sample shop stands in
    (``worker.documents.is_sample``), so that orders can be looked at before anything is set up.
    """
    release_id = session.scalar(select(func.max(Release.id)))
    published = released(session, release_id) if release_id else {}
    documents, texts = _read(
        settings.config_dir,
        _fingerprint(settings.config_dir),
        release_id,
        tuple(sorted(published.items())),
    )
    return Context(
        documents=documents,
        texts=texts,
        key=_key(settings),
        former_keys=settings.former_keys(),
    )


@lru_cache(maxsize=4)
def _key(settings: Settings) -> bytes:
    return settings.secret_key()


@lru_cache(maxsize=4)
def _read(
    folder: Path, fingerprint: str, release_id: int | None, published: tuple[tuple[str, str], ...]
) -> tuple[Documents, ReleasedTexts]:
    """Cached by what the files and the release hold, so that a change is seen at the next task."""
    texts = dict(published)
    name = f"release:{release_id}" if release_id else f"files:{fingerprint[:12]}"
    configs = {n: texts[f"config/{n}.toml"] for n in NAMES if f"config/{n}.toml" in texts}
    if configs and ("shop" in configs or (folder / "shop.toml").is_file()):
        documents = documents_from(
            {**document_texts(folder), **configs}, place=str(folder), release=name
        )
    elif (folder / "shop.toml").is_file():
        documents = load_documents(folder)
    else:
        documents = sample_documents(folder)
    return documents, ReleasedTexts(name, texts, FolderSource(folder, shipped_root()))


def _fingerprint(folder: Path) -> str:
    """Hash of names, sizes and times of the shop's files; cheap enough for every task."""
    lump = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            state = path.stat()
            lump.update(f"{path}\x00{state.st_size}\x00{state.st_mtime_ns}\x00".encode())
    return lump.hexdigest()


def released(session: Session, release_id: int) -> dict[str, str]:
    """Path to content of every document that a release holds."""
    rows = session.execute(
        select(ReleaseDocument.path, DocumentVersion.content)
        .join(DocumentVersion, DocumentVersion.id == ReleaseDocument.version_id)
        .where(ReleaseDocument.release_id == release_id)
    )
    return dict(rows.all())


def shop_files(folder: Path) -> dict[str, str]:
    """Path to content of the shop's document files, named as releases name them."""
    found = {f"config/{name}.toml": text for name, text in document_texts(folder).items()}
    for path in sorted((folder / ROOT).rglob("*")):
        if path.suffix in {".txt", ".html"}:
            found[f"{ROOT}/{path.relative_to(folder / ROOT).as_posix()}"] = path.read_text("utf-8")
    return found


def differences(session: Session, folder: Path) -> list[tuple[str, str | None, str | None]]:
    """``(path, in the file, in the release)`` of each document that differs between the two."""
    newest = session.scalar(select(func.max(Release.id)))
    published = released(session, newest) if newest else {}
    files = shop_files(folder)
    return [
        (path, files.get(path), published.get(path))
        for path in sorted({*files, *published})
        if files.get(path) != published.get(path)
    ]


def in_force(session: Session, folder: Path) -> dict[str, str]:
    """Path to content of every document of this shop: the newest release over its files."""
    newest = session.scalar(select(func.max(Release.id)))
    return {**shop_files(folder), **(released(session, newest) if newest else {})}


def publish(
    session: Session,
    folder: Path,
    changes: Mapping[str, str | None],
    by: str,
    note: str,
    now: datetime,
    *,
    authors: Mapping[str, str] | None = None,
) -> Release:
    """Publish changed documents with all that stand unchanged; None takes a document out.

    The first release takes the shop's files in, so that a release always tells the whole shop.
    ``authors`` names who wrote a document, where that is not who publishes it.
    Raises DocumentsWrong when together they cannot be used; texts of mails are the caller's.
    """
    newest = session.scalar(select(func.max(Release.id)))
    kept = _versions_in(session, newest) if newest else {}
    files = shop_files(folder)
    contents = {**files, **released(session, newest)} if newest else dict(files)
    contents.update({path: text for path, text in changes.items() if text is not None})
    for path in changes:
        if changes[path] is None:
            contents.pop(path, None)
            kept.pop(path, None)
    if any(path.startswith("config/") for path in contents):
        _usable(contents, folder)
    release = _open_release(session, by, note, now)
    for path, content in contents.items():
        version = kept.get(path)
        if version is None or path in changes:
            author = (authors or {}).get(path, by)
            version = _keep_version(session, path, content, author, note, now)
        _hold(session, release, path, version, _hash(files[path]) if path in files else "")
    session.flush()
    return release


def _versions_in(session: Session, release_id: int) -> dict[str, int]:
    rows = session.execute(
        select(ReleaseDocument.path, ReleaseDocument.version_id).where(
            ReleaseDocument.release_id == release_id
        )
    )
    return dict(rows.all())


def _usable(contents: Mapping[str, str], folder: Path) -> None:
    if "config/shop.toml" not in contents:
        raise DocumentsWrong([missing_shop(folder)])
    documents_from(
        {n: contents[f"config/{n}.toml"] for n in NAMES if f"config/{n}.toml" in contents},
        place=str(folder),
    )


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _open_release(session: Session, by: str, note: str, now: datetime) -> Release:
    release = Release(at=now, by=by, note=note)
    session.add(release)
    session.flush()
    return release


def _keep_version(
    session: Session, path: str, content: str, by: str, note: str, now: datetime
) -> int:
    version = DocumentVersion(
        path=path, content=content, sha256=_hash(content), author=by, note=note, at=now
    )
    session.add(version)
    session.flush()
    return version.id


def _hold(session: Session, release: Release, path: str, version_id: int, file_sha256: str) -> None:
    session.add(
        ReleaseDocument(
            release_id=release.id, path=path, version_id=version_id, file_sha256=file_sha256
        )
    )


def push(session: Session, folder: Path, by: str, note: str, now: datetime) -> Release:
    """Publish the files as a release. Raises DocumentsWrong when they cannot be used."""
    files = shop_files(folder)
    _usable(files, folder)
    release = _open_release(session, by, note, now)
    for path, content in files.items():
        version = _keep_version(session, path, content, by, note, now)
        _hold(session, release, path, version, _hash(content))
    return release


def pull(session: Session, folder: Path) -> list[str]:
    """Write the published documents to the files; gives the paths that changed."""
    newest = session.scalar(select(func.max(Release.id)))
    changed = []
    for path, content in (released(session, newest) if newest else {}).items():
        name = path.removeprefix("config/") if path.startswith("config/") else path
        target = folder / name
        if not target.is_file() or target.read_text("utf-8") != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
            changed.append(path)
    return changed
