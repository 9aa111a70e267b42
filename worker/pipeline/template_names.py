"""Which texts there are: the name of one, its parts, and who its mails are for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.mail.kinds import KINDS
from worker.mail.texts import ANY_RANK, ROOT, DocumentSource
from worker.pipeline.review_words import Refused
from worker.rules.states import ADVERTISING_KINDS, MailKind

LOCALES = ("ja", "en")
FAMILIES = ("own", "rakuten", "yahoo", "aupay", "qoo10", "amazon")
BLOCKS = "_blocks"
CARD = "card"
FRAME = frozenset({"head", "letter", "end"})
"""Blocks that hold the HTML together and say nothing."""

PARTS = ("subject", "text", "html")
_FILES = {"subject": "subject.txt", "text": "body.txt", "html": "body.html"}
_NAME = re.compile(r"(ja|en)/(\w{1,24})/([a-z0-9]{1,16})/([a-z0-9_]{1,40})(?:\.([a-z0-9_]{1,24}))?")


@dataclass(frozen=True, slots=True)
class TextName:
    """One text: ``ja/order_thanks/own/vip.several``; of a block, ``rank`` is the block's name."""

    locale: str
    kind: str
    family: str
    rank: str
    occasion: str = ""

    def __str__(self) -> str:
        return f"{self.locale}/{self.key}"

    @property
    def key(self) -> str:
        """``kind/family/rank[.occasion]``, as the choice of texts names it."""
        rank = f"{self.rank}.{self.occasion}" if self.occasion else self.rank
        return f"{self.kind}/{self.family}/{rank}"

    @property
    def document(self) -> str:
        """What a draft of it is called."""
        return f"{ROOT}/{self}"

    @property
    def is_block(self) -> bool:
        """A passage that several texts include."""
        return self.kind == BLOCKS

    @property
    def is_card(self) -> bool:
        """The words of a card that lies in the parcel."""
        return self.kind == CARD

    @property
    def mail_kind(self) -> MailKind | None:
        """The kind of its mails; None for blocks and cards."""
        return None if self.is_block or self.is_card else MailKind(self.kind)

    @property
    def advertises(self) -> bool:
        """Whether its mails are advertisements whatever they say."""
        return self.mail_kind in ADVERTISING_KINDS

    @property
    def paths(self) -> dict[str, str]:
        """Part to path, of the parts such a text may have."""
        if self.is_block:
            where = f"{ROOT}/{self.locale}/{BLOCKS}/{self.family}/{self.rank}"
            found = {"text": f"{where}.txt", "html": f"{where}.html"}
        else:
            found = {part: f"{self.document}/{file}" for part, file in _FILES.items()}
        if self.family != "own" or self.is_card:
            del found["html"]
        if self.is_card:
            del found["subject"]
        return found


def text_name(written: str) -> TextName:
    """Read a name from an address. Raises Refused for what cannot be a text."""
    found = _NAME.fullmatch(written)
    name = TextName(*(part or "" for part in found.groups())) if found else None
    if name is None or not _exists(name):
        raise Refused("text_unknown")
    return name


def _exists(name: TextName) -> bool:
    if name.family not in FAMILIES:
        return False
    if name.is_block:
        return not name.occasion and name.rank not in FRAME
    if name.is_card:
        return name.rank == ANY_RANK
    if name.kind not in list(MailKind):
        return False
    return not name.occasion or name.occasion in KINDS[MailKind(name.kind)].occasions


def of_text_key(text_key: str) -> TextName | None:
    """The text a message was written from; None where it names none."""
    found = _NAME.fullmatch(text_key)
    return TextName(*(part or "" for part in found.groups())) if found else None


def parts_in(source: DocumentSource, name: TextName) -> dict[str, str]:
    """The parts as they stand in a source, blocks not put in; empty where there is no text."""
    found = {part: source.read(path) for part, path in name.paths.items()}
    return {part: text for part, text in found.items() if text is not None}


@dataclass(frozen=True)
class Overlaid:
    """Texts in writing, laid over the ones in force."""

    over: Mapping[str, str | None]
    under: DocumentSource

    def read(self, path: str) -> str | None:
        """Give the text at a path; one that is written as None is not there."""
        return self.over[path] if path in self.over else self.under.read(path)

    def release(self) -> str:
        """No message is ever made from it."""
        return "draft"


def overlaid(source: DocumentSource, name: TextName, parts: Mapping[str, str]) -> Overlaid:
    """The source with this text's parts as written; a part left out is not there."""
    return Overlaid({path: parts.get(part) for part, path in name.paths.items()}, source)
