"""Four eyes: whoever wrote a text does not approve its first mails, whatever name they use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.documents import documents
from tests.factories import NOW
from tests.pipeline.approved import shop_context, written
from worker.pipeline import review, users
from worker.pipeline.context import Context
from worker.pipeline.review import Refused
from worker.pipeline.review_eyes import authors_of
from worker.releases import publish
from worker.rules.states import MessageState, Role
from worker.setup import first_shop
from worker.store.channels import Channel
from worker.store.messages import Message

TEXT = "templates/mail/ja/order_thanks/own/first"
BLOCK = "templates/mail/ja/_blocks/own/end.txt"
AUTHOR, OTHER = "中村", "森本"


@pytest.fixture
def strict() -> Context:
    """A shop with the switch on, where two first mails are read."""
    return shop_context(review=replace(documents().review, four_eyes=True, canary=2))


class Texts:
    """The shop's documents, published again and again."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.release, self.minutes = session, folder, "", 0
        (folder / "shop.toml").write_text(first_shop(), encoding="utf-8")

    def publish(self, by: str, authors: dict[str, str] | None = None, **texts: str) -> str:
        """Publish parts of the text, or of its block; each one a minute later."""
        names = {"subject": f"{TEXT}/subject.txt", "body": f"{TEXT}/body.txt", "block": BLOCK}
        changes = {names[name]: text for name, text in texts.items()}
        release = publish(
            self.session, self.folder, changes, by, "x", self._later(), authors=authors
        )
        self.release = f"release:{release.id}"
        return self.release

    def _later(self) -> datetime:
        self.minutes += 1
        return NOW - timedelta(days=1) + timedelta(minutes=self.minutes)


@pytest.fixture
def texts(session: Session, tmp_path: Path) -> Texts:
    """A text that the author published."""
    made = Texts(session, tmp_path)
    made.publish(AUTHOR, subject="件名", body='本文\n{% include "end" %}\n')
    return made


def mail(session: Session, channel: Channel, texts: Texts, **fields: Any) -> Message:
    return written(session, channel, release=texts.release, **fields)


def approve(session: Session, ctx: Context, message: Message, by: str) -> Message:
    return review.approve(session, ctx, message.id, by=by, now=NOW)


def refusal(session: Session, ctx: Context, message: Message, by: str) -> tuple[str, Any]:
    with pytest.raises(Refused) as no:
        approve(session, ctx, message, by)
    assert message.state is MessageState.IN_REVIEW
    return no.value.code, no.value.facts.get("n")


def test_the_author_waits_until_somebody_else_let_the_first_mails_go(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    first, second, third = (mail(session, channel, texts) for _ in range(3))
    assert refusal(session, strict, first, AUTHOR) == ("four_eyes", 2)
    approve(session, strict, first, OTHER)
    assert refusal(session, strict, second, AUTHOR) == ("four_eyes", 1)
    approve(session, strict, second, OTHER)
    assert approve(session, strict, third, AUTHOR).state is MessageState.APPROVED


def test_an_approval_that_was_taken_back_counts_for_nothing(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    first, second, third = (mail(session, channel, texts) for _ in range(3))
    approve(session, strict, first, OTHER)
    approve(session, strict, second, OTHER)
    review.undo(session, strict, second.id, by=OTHER, now=NOW)
    assert refusal(session, strict, third, AUTHOR) == ("four_eyes", 1)


def test_without_the_switch_the_author_approves(
    session: Session, channel: Channel, ctx: Context, texts: Texts
) -> None:
    message = mail(session, channel, texts)
    assert approve(session, ctx, message, AUTHOR).state is MessageState.APPROVED


def test_a_batch_of_the_author_leaves_these_mails_and_says_why(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    ids = [mail(session, channel, texts).id for _ in range(3)]
    done = review.approve_many(session, strict, ids=ids, expected=3, by=AUTHOR, now=NOW)
    assert (done.approved, {left.code for left in done.refused}) == ((), {"four_eyes"})
    assert "あなたが書いた" in done.refused[0].words
    others = review.approve_many(session, strict, ids=ids, expected=3, by=OTHER, now=NOW)
    assert len(others.approved) == 3


def test_another_name_is_the_same_person(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    user = users.add_user(session, AUTHOR, Role.APPROVER, by="管", now=NOW)
    users.rename(session, user.id, "中村 春", by=AUTHOR, now=NOW)
    assert refusal(session, strict, mail(session, channel, texts), "中村 春")[0] == "four_eyes"


def test_a_program_is_nobodys_second_pair_of_eyes(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    first, second = mail(session, channel, texts), mail(session, channel, texts)
    assert refusal(session, strict, first, "api:hub") == ("four_eyes", 2)
    approve(session, strict, first, OTHER)
    approve(session, strict, second, OTHER)
    approve(session, strict, mail(session, channel, texts), "api:hub")


def test_who_wrote_counts_and_not_who_published(
    session: Session, channel: Channel, strict: Context, texts: Texts
) -> None:
    texts.publish(OTHER, {f"{TEXT}/body.txt": AUTHOR}, body="別の本文\n")
    message = mail(session, channel, texts, text_version="v2")
    assert authors_of(session, message) == {AUTHOR}
    assert approve(session, strict, message, OTHER).state is MessageState.APPROVED


def test_who_changed_it_last_is_the_author_also_of_a_block_inside_it(
    session: Session, channel: Channel, texts: Texts
) -> None:
    assert authors_of(session, mail(session, channel, texts)) == {AUTHOR}
    texts.publish(OTHER, block="結び\n")
    assert authors_of(session, mail(session, channel, texts)) == {OTHER}
    texts.publish("見田", subject="新しい件名")
    assert authors_of(session, mail(session, channel, texts)) == {"見田"}


def test_a_text_that_is_a_file_has_no_author(
    session: Session, channel: Channel, strict: Context
) -> None:
    message = written(session, channel, release="files:abc")
    assert authors_of(session, message) == frozenset()
    assert approve(session, strict, message, AUTHOR).state is MessageState.APPROVED
