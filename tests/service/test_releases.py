"""The documents in force: the sample shop, then files, then the newest release."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.factories import NOW
from worker.documents import DocumentsWrong, is_sample, load_documents
from worker.releases import differences, pull, push
from worker.rules.states import RunMode
from worker.runtime import Runtime
from worker.sending import standing
from worker.settings import Settings
from worker.store.running import Instance


def shop_file(runtime: Runtime) -> Path:
    return runtime.settings.config_dir / "shop.toml"


def rename(runtime: Runtime, old: str, new: str) -> None:
    path = shop_file(runtime)
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))


def name_in_force(runtime: Runtime) -> str:
    return runtime.context().documents.shop.name


def test_without_a_shop_the_sample_stands_in_and_strict_reading_refuses(runtime: Runtime) -> None:
    shop_file(runtime).unlink()

    assert is_sample(runtime.context().documents)
    with pytest.raises(DocumentsWrong, match=r"shop\.toml: missing"):
        load_documents(runtime.settings.config_dir)


def test_a_wrong_document_is_refused_even_beside_the_sample_shop(runtime: Runtime) -> None:
    shop_file(runtime).unlink()
    (runtime.settings.config_dir / "review.toml").write_text("undo = 1\n", "utf-8")

    with pytest.raises(DocumentsWrong, match=r"review\.toml:1: undo"):
        runtime.context()


@pytest.mark.parametrize(("sample", "mode"), [(True, RunMode.CAPTURE), (False, RunMode.LIVE)])
def test_the_sample_shop_never_mails(runtime: Runtime, sample: bool, mode: RunMode) -> None:
    if sample:
        shop_file(runtime).unlink()
    live = Runtime(Settings(data=runtime.settings.data, transport="smtp", smtp_host="x.example"))

    assert standing(live, NOW).capture_only is sample

    with runtime.look() as session:
        assert session.get_one(Instance, 1).mode is mode
    live.dispose()


def test_a_changed_file_is_seen_at_the_next_task(runtime: Runtime) -> None:
    before = name_in_force(runtime)

    rename(runtime, before, "あおば茶舗")

    assert name_in_force(runtime) == "あおば茶舗"


def test_a_release_wins_over_the_files_until_they_are_pushed(runtime: Runtime) -> None:
    before = name_in_force(runtime)
    with runtime.transaction() as session:
        push(session, runtime.settings.config_dir, "hanako", "first", NOW)
    rename(runtime, before, "あおば茶舗")

    assert name_in_force(runtime) == before
    with runtime.look() as session:
        assert [path for path, _, _ in differences(session, runtime.settings.config_dir)] == [
            "config/shop.toml"
        ]
    with runtime.transaction() as session:
        push(session, runtime.settings.config_dir, "hanako", "new name", NOW)
    assert name_in_force(runtime) == "あおば茶舗"
    assert runtime.context().texts.release() == "release:2"


def test_published_documents_are_written_back(runtime: Runtime) -> None:
    before = name_in_force(runtime)
    with runtime.transaction() as session:
        push(session, runtime.settings.config_dir, "hanako", "first", NOW)
    rename(runtime, before, "あおば茶舗")

    with runtime.look() as session:
        assert pull(session, runtime.settings.config_dir) == ["config/shop.toml"]
        assert differences(session, runtime.settings.config_dir) == []
        assert pull(session, runtime.settings.config_dir) == []


def test_documents_that_cannot_be_used_are_not_published(runtime: Runtime) -> None:
    (runtime.settings.config_dir / "review.toml").write_text("undo = 1\n", "utf-8")

    with runtime.transaction() as session, pytest.raises(DocumentsWrong):
        push(session, runtime.settings.config_dir, "hanako", "broken", NOW)
