"""Chooses the text of a mail: most specific first, never across the border of a family."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from worker.mail.kinds import ordered_occasions
from worker.rules.states import MailKind

ROOT = "templates/mail"
ANY_RANK = "any"
FILES = ("subject.txt", "body.txt", "body.html")
"""The parts of a text; the last one only for own shops."""

_INCLUDE = re.compile(r'^[ \t]*\{% include "([^"]*)" %\}[ \t]*$', re.MULTILINE)
_SLUG = re.compile(r"[a-z0-9_]+")
_DEPTH = 5


class DocumentSource(Protocol):
    """Where shop documents come from: files, or a release made at the desk."""

    def read(self, path: str) -> str | None:
        """Return the document's text, None where there is none. Paths use forward slashes."""
        ...

    def release(self) -> str:
        """Name what the texts came from; stored with each message."""
        ...


class FolderSource:
    """Documents as files under one or more roots; the first root that has a file wins.

    Each file is read once: a service started anew takes up what changed.
    """

    def __init__(self, *roots: Path) -> None:
        self._roots = roots
        self._texts: dict[str, str | None] = {}

    def read(self, path: str) -> str | None:
        """Return a file's text, None where no root has it. Raises ValueError for ``..``."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def release(self) -> str:
        """Files carry no release."""
        return "files"

    def _read(self, path: str) -> str | None:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts:
            raise ValueError(f"{path!r} leads out of the documents folder")
        for root in self._roots:
            file = root.joinpath(*parts)
            if file.is_file():
                return file.read_text(encoding="utf-8")
        return None


def shipped_root() -> Path:
    """The folder that holds the shipped ``templates``: the package's data, else the checkout."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_data"
    return packed if packed.is_dir() else package.parent


class TextMissing(LookupError):
    """No text of this family: the message holds. A mall never borrows an own shop's text."""

    def __init__(self, kind: str, family: str, rank: str, locale: str) -> None:
        super().__init__(f"no text for {kind} of family {family}, rank {rank}, in {locale}")
        self.kind, self.family, self.rank, self.locale = kind, family, rank, locale


class TextBroken(ValueError):
    """A text that cannot be put together: a file or a block of it is missing or loops."""


@dataclass(frozen=True, slots=True)
class ChosenText:
    """A text with its blocks put in, ready to be rendered.

    ``key`` is ``kind/family/rank[.occasion]``. ``fallback_used`` is True where the occasion
    asked for first has no text of its own.
    """

    key: str
    locale: str
    subject: str
    body_text: str
    body_html: str | None
    version_hash: str
    fallback_used: bool = False


def choose_text(
    source: DocumentSource,
    locale: str,
    kind: MailKind | str,
    family: str,
    rank: str,
    occasions: Sequence[str] = (),
) -> ChosenText:
    """Take the most specific text there is.

    Raises TextMissing where the family has none, TextBroken where a part of it is missing.
    """
    known = ordered_occasions(MailKind(kind), occasions)
    for name, occasion in _candidates(rank, known):
        key = f"{kind}/{family}/{name}"
        if source.read(f"{ROOT}/{locale}/{key}/body.txt") is not None:
            return load_text(source, locale, key, fallback_used=occasion != _first(known))
    raise TextMissing(str(kind), family, rank, locale)


def load_text(
    source: DocumentSource, locale: str, key: str, *, fallback_used: bool = False
) -> ChosenText:
    """Put one text together by its key ``kind/family/rank[.occasion]``. Raises TextBroken."""
    family = key.split("/")[1]
    folder = f"{ROOT}/{locale}/{key}"
    subject, body_text, body_html = (
        _expanded(source, locale, family, f"{folder}/{file}", suffix)
        for file, suffix in zip(FILES, ("txt", "txt", "html"), strict=True)
    )
    if subject is None or body_text is None:
        raise TextBroken(f"{folder} needs subject.txt and body.txt")
    digest = hashlib.sha256("\0".join((subject, body_text, body_html or "")).encode())
    return ChosenText(
        key=key,
        locale=locale,
        subject=subject.strip("\n"),
        body_text=body_text,
        body_html=body_html,
        version_hash=digest.hexdigest(),
        fallback_used=fallback_used,
    )


def load_card(source: DocumentSource, locale: str, family: str, occasion: str | None) -> ChosenText:
    """Take the text of a parcel card (``fifth``, ``tenth`` or the general one).

    Raises TextMissing where the family has no such card.
    """
    for name in filter(None, (f"{ANY_RANK}.{occasion}" if occasion else None, ANY_RANK)):
        key = f"card/{family}/{name}"
        body = _expanded(source, locale, family, f"{ROOT}/{locale}/{key}/body.txt", "txt")
        if body is not None:
            digest = hashlib.sha256(body.encode()).hexdigest()
            return ChosenText(key, locale, "", body, None, digest)
    raise TextMissing("card", family, occasion or ANY_RANK, locale)


def included_blocks(content: str) -> list[str]:
    """Names of the blocks that a document includes by itself."""
    return _INCLUDE.findall(content)


def _first(occasions: Sequence[str]) -> str | None:
    return occasions[0] if occasions else None


def _candidates(rank: str, occasions: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    ranks = tuple(dict.fromkeys((rank, ANY_RANK)))
    for occasion in occasions:
        yield from ((f"{name}.{occasion}", occasion) for name in ranks)
    yield from ((name, None) for name in ranks)


def _expanded(
    source: DocumentSource, locale: str, family: str, path: str, suffix: str, depth: int = 0
) -> str | None:
    text = source.read(path)
    if text is None:
        return None
    if depth > _DEPTH:
        raise TextBroken(f"{path} includes blocks that include one another")

    def block(match: re.Match[str]) -> str:
        name = match.group(1)
        # A slug cannot climb out of the family's own folder.
        if not _SLUG.fullmatch(name):
            raise TextBroken(f"{path} includes {name!r}, which is not the name of a block")
        where = f"{ROOT}/{locale}/_blocks/{family}/{name}.{suffix}"
        found = _expanded(source, locale, family, where, suffix, depth + 1)
        if found is None:
            raise TextBroken(f"{path} includes {name!r}, but {where} does not exist")
        return found.rstrip("\n")

    return _INCLUDE.sub(block, text)
