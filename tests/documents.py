"""Shop documents and contexts for tests that need some, built in plain sight."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from worker.pipeline.context import Context
from worker.rules.shop import (
    Condition,
    Contact,
    Documents,
    Ladder,
    Mails,
    Milestones,
    Policy,
    Review,
    Rung,
    Senders,
    Shop,
)

KEY = b"a key for tests, thirty-two byte"


def shop(**changes: Any) -> Shop:
    """A small shop in Tokyo; ``changes`` replace fields of Shop."""
    contact = Contact(
        shop_name="ひなた商店",
        staff_name="佐藤",
        mail="shop@hinata.example",
        phone="03-0000-0000",
        legal_name="株式会社ひなた",
        postal_address="東京都千代田区1-1",
        sender="shop@hinata.example",
    )
    return replace(Shop(name="ひなた商店", contact=contact), **changes)


def ladder() -> Ladder:
    """The default ladder of three rungs."""
    vip = Rung(
        id="vip",
        label="VIP",
        label_en="VIP",
        min_visit=2,
        any_of=(
            Condition(orders=5, spend=30_000, months=24),
            Condition(orders=3, spend=100_000, months=12),
        ),
    )
    repeat = Rung(id="repeat", label="リピーター", label_en="Repeat", min_visit=2)
    return Ladder(rungs=(vip, repeat, Rung(id="first", label="新規", label_en="First-time")))


def documents(**changes: Any) -> Documents:
    """Documents with the default ladder and no mail rules; ``changes`` replace whole documents."""
    plain = Documents(
        shop=shop(),
        ladder=ladder(),
        milestones=Milestones(),
        mails=Mails(rules=()),
        senders=Senders(families={}),
        review=Review(),
        policy=Policy(version="test", cells={}),
        release="files:test",
    )
    return replace(plain, **changes)


@dataclass(frozen=True)
class Texts:
    """Mail texts held in memory."""

    files: dict[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        """Give the text, or None."""
        return self.files.get(path)

    def release(self) -> str:
        """Name the release."""
        return "files:test"


def context(using: Documents | None = None, texts: dict[str, str] | None = None) -> Context:
    """A Context of these documents and texts, with the key of tests."""
    return Context(documents=using or documents(), texts=Texts(texts or {}), key=KEY)
