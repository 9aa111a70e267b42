"""The first configuration: a few answers become documents that load."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.documents import load_documents
from worker.rules.states import MailKind, Sender
from worker.setup import Answers, write_documents

ANSWERS = Answers(
    name='茶舗 "みどり"',
    legal_name="みどり茶舗株式会社",
    postal_address="東京都千代田区1-1",
    mail="info@shop.jp",
    phone="03-0000-0000",
    sender="order@shop.jp",
    staff_name="森",
    url="https://shop.jp/",
    thanks={"own": "okaeri", "rakuten": "hub", "yahoo": "mall"},
)


def test_the_answers_become_documents_that_load(tmp_path: Path) -> None:
    write_documents(tmp_path, ANSWERS)

    documents = load_documents(tmp_path)
    assert documents.shop.name == '茶舗 "みどり"'
    assert documents.shop.contact.legal_name == "みどり茶舗株式会社"
    assert documents.shop.contact.sender == "order@shop.jp"
    assert documents.senders.who("yahoo:x", "yahoo", MailKind.ORDER_THANKS) is Sender.MALL


def test_nothing_of_the_sample_shop_is_left(tmp_path: Path) -> None:
    write_documents(tmp_path, Answers(name="店"))

    text = (tmp_path / "shop.toml").read_text(encoding="utf-8")
    assert "midori" not in text
    assert "森本" not in text


def test_comments_of_the_shipped_documents_stay(tmp_path: Path) -> None:
    write_documents(tmp_path, ANSWERS)

    assert "# From; empty: nothing can be sent" in (tmp_path / "shop.toml").read_text("utf-8")


def test_documents_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    write_documents(tmp_path, ANSWERS)

    with pytest.raises(FileExistsError, match="--force"):
        write_documents(tmp_path, Answers(name="別の店"))
    assert load_documents(tmp_path).shop.name == '茶舗 "みどり"'
    write_documents(tmp_path, Answers(name="別の店"), force=True)
    assert load_documents(tmp_path).shop.name == "別の店"


def test_an_unknown_sender_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'me' sends for own"):
        write_documents(tmp_path, Answers(name="店", thanks={"own": "me"}))
    assert list(tmp_path.iterdir()) == []


def test_only_open_questions_are_asked() -> None:
    asked: list[str] = []

    def prompt(text: str, default: str = "", err: bool = True) -> str:
        asked.append(text)
        return default or "答え"

    answered = ANSWERS.ask(prompt)

    assert [text.split(" / ")[0] for text in asked] == ["時間帯"]
    assert answered.name == ANSWERS.name


def test_what_every_mail_prints_is_told_as_missing() -> None:
    assert Answers(name="店", mail="a@shop.jp", phone="03", url="https://shop.jp/").missing == (
        "staff_name",
        "legal_name",
        "postal_address",
        "sender",
    )
