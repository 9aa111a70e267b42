"""Drafts of settings: nobody writes blindly over another, and every version can come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.pipeline.test_settings_publish import NOW, counted, draft, published, shop
from worker.documents import shipped_text
from worker.pipeline.settings_drafts import (
    StaleDraft,
    check_marks,
    discard,
    read_working,
    rebase,
)
from worker.pipeline.settings_publish import CannotPublish, restore
from worker.pipeline.settings_toml import Sheet
from worker.releases import publish, push
from worker.store.running import DocumentVersion, Release

__all__ = ["shop"]


def test_a_draft_over_what_is_no_longer_in_force_waits_for_a_person(
    session: Session, config_dir: Path, shop: Any
) -> None:
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    other = shipped_text("review").replace("canary = 3", "canary = 9")
    publish(session, config_dir, {"config/review.toml": other}, "山田", "x", NOW)
    counted(session, config_dir)
    with pytest.raises(CannotPublish, match="moved"):
        published(session, config_dir)

    rebase(session, read_working(session, config_dir), ["review"], NOW)
    counted(session, config_dir)
    assert published(session, config_dir).documents.review.canary == 3


def test_a_form_made_from_an_older_text_is_refused_with_who_wrote(
    session: Session, config_dir: Path
) -> None:
    mark = read_working(session, config_dir).mark("review")
    working = draft(session, config_dir, ("review", ("undo_seconds",), 60))

    with pytest.raises(StaleDraft) as refused:
        check_marks(working, {"review": mark})
    assert (refused.value.documents, refused.value.by) == (("review",), "中村")
    check_marks(working, {"review": working.mark("review")})


def test_a_draft_that_equals_what_is_in_force_is_none_and_drafts_can_be_thrown_away(
    session: Session, config_dir: Path
) -> None:
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    working = draft(session, config_dir, ("review", ("undo_seconds",), 300))
    assert (dict(working.drafts), working.key) == ({}, "")
    draft(session, config_dir, ("review", ("undo_seconds",), 60))

    assert discard(session) == ["review"]
    assert dict(read_working(session, config_dir).drafts) == {}


def test_an_earlier_version_comes_back_as_a_draft(session: Session, config_dir: Path) -> None:
    push(session, config_dir, "山田", "はじめ", NOW)
    first = session.scalars(
        select(DocumentVersion).where(DocumentVersion.path == "config/review.toml")
    ).one()
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    counted(session, config_dir)
    published(session, config_dir)

    assert restore(session, config_dir, first.id, "管", NOW) == "review"
    assert read_working(session, config_dir).text("review") == first.content
    with pytest.raises(LookupError):
        restore(session, config_dir, 99_999, "管", NOW)


def test_before_there_is_a_shop_the_form_is_empty_and_nobody_elses(
    session: Session, config_dir: Path
) -> None:
    (config_dir / "shop.toml").unlink()
    (config_dir / "policy.toml").unlink()

    working = read_working(session, config_dir)

    assert working.new_shop
    assert working.data["shop"]["contact"]["sender"] == ""
    assert working.data["policy"] == {}


def test_the_first_publishing_keeps_the_files_as_a_version_to_go_back_to(
    session: Session, config_dir: Path, shop: Any
) -> None:
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    counted(session, config_dir)
    published(session, config_dir)

    rows = session.scalars(
        select(DocumentVersion)
        .where(DocumentVersion.path == "config/review.toml")
        .order_by(DocumentVersion.id)
    ).all()
    assert [Sheet(row.content).get(("undo_seconds",)) for row in rows] == [300, 60]
    assert len(session.scalars(select(Release)).all()) == 2
