"""A shop whose texts are written at the desk, for tests of drafts, publishing and versions."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.folders import ROOT
from tests.pipeline import planning as p
from worker.mail.texts import FolderSource
from worker.pipeline.context import Context
from worker.pipeline.template_drafts import open_writing, save_draft
from worker.pipeline.template_names import TextName, text_name
from worker.pipeline.template_publish import Done, effect_of, publish_drafts
from worker.releases import ReleasedTexts, released
from worker.store.drafts import DocumentDraft
from worker.store.template_queries import newest_published

NOW = p.MONDAY + timedelta(hours=2)
VIP = text_name("ja/order_thanks/own/vip")
FIRST = text_name("ja/order_thanks/own/first")


@dataclass
class Press:
    """Where texts are written and published; ``ctx`` is always of the newest release."""

    session: Session
    folder: Path

    @property
    def ctx(self) -> Context:
        """The documents in force now."""
        plain = p.ctx()
        found = newest_published(self.session)
        if found is None:
            return plain
        release = found.id
        texts = ReleasedTexts(
            f"release:{release}", released(self.session, release), FolderSource(self.folder, ROOT)
        )
        named = replace(plain.documents, release=f"release:{release}")
        return replace(plain, documents=named, texts=texts)

    def write(
        self, name: TextName = VIP, changes: Mapping[str, str] | None = None, by: str = "mori"
    ) -> DocumentDraft:
        """Draft a text with these parts changed."""
        writing = open_writing(self.session, self.ctx, name)
        return save_draft(
            self.session,
            self.ctx,
            name,
            {**writing.parts, **(changes or {"text": changed(self.ctx, name)})},
            by=by,
            now=NOW,
            version=writing.version,
            stamp=writing.stamp,
        )

    def publish(self, *drafts: DocumentDraft, note: str = "ひとこと", **how: bool) -> Done:
        """Publish drafts with the number that is shown."""
        number = effect_of(self.session, self.ctx, drafts).numbers[0]
        return publish_drafts(
            self.session,
            self.ctx,
            self.folder,
            {draft.id: draft.version for draft in drafts},
            note=note,
            by="mori",
            now=NOW,
            expected=number,
            **how,
        )


def changed(ctx: Context, name: TextName, words: str = "時候のひとことを足しました。") -> str:
    """The text in force with a line more behind its first paragraph."""
    text = ctx.texts.read(name.paths["text"]) or ""
    first, _, rest = text.partition("\n\n")
    return f"{first}\n\n{words}\n{rest}"


@pytest.fixture
def press(session: Session, tmp_path: Path) -> Press:
    """A shop with its own folder of documents."""
    folder = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    return Press(session, folder)
