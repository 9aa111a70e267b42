"""Publishing settings: what was counted comes to pass, nothing old is mailed, nothing is blind."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.documents import KEY
from tests.factories import make_channel, make_customer, make_order_row, tokyo
from tests.pipeline.planning import ROOT
from worker.documents import documents_from
from worker.mail.texts import FolderSource
from worker.pipeline.context import Context
from worker.pipeline.plan import plan
from worker.pipeline.rank import rank
from worker.pipeline.settings_drafts import (
    Working,
    keep,
    read_working,
)
from worker.pipeline.settings_publish import CannotPublish, publish_settings
from worker.pipeline.settings_toml import Sheet
from worker.pipeline.settings_whatif import checks, count, keep_count
from worker.releases import push
from worker.rules.states import WAITING, MailKind, MessageState, Outcome
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer, CustomerStanding
from worker.store.drafts import DocumentDraft, DraftCount
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderContact, OrderRow
from worker.store.running import DocumentVersion, Release

NOW = tokyo("2026-11-16 10:00")
OFF = "check/off/rakuten/order_thanks"


def context(session: Session, folder: Path) -> Context:
    """The documents in force now."""
    working = read_working(session, folder)
    documents = documents_from(working.published)
    return Context(documents=documents, texts=FolderSource(ROOT), key=KEY)


def draft(session: Session, folder: Path, *changes: tuple[str, tuple[Any, ...], Any]) -> Working:
    """Keep changes (document, path, value) as drafts."""
    working = read_working(session, folder)
    sheets = {name: Sheet(working.text(name)) for name, _path, _value in changes}
    for name, path, value in changes:
        sheets[name].put(path, value)
    keep(session, working, {n: sheet.text() for n, sheet in sheets.items()}, "中村", NOW)
    return read_working(session, folder)


def counted(session: Session, folder: Path) -> dict[str, Any]:
    working = read_working(session, folder)
    figures = count(session, context(session, folder), working, NOW)
    keep_count(session, working.key, figures, "中村", NOW)
    return figures


def published(
    session: Session, folder: Path, *ticked: str, note: str = "広げる", key: str = ""
) -> Context:
    publish_settings(
        session,
        context(session, folder),
        folder,
        key=key or read_working(session, folder).key,
        ticked=ticked,
        note=note,
        by="管",
        now=NOW,
    )
    return context(session, folder)


def advance(session: Session, ctx: Context, now: datetime = NOW) -> None:
    """Rank and plan until nothing is due."""
    rank(session, ctx, now)
    while plan(session, ctx, now).orders:
        continue
    session.flush()


def orders_of(
    session: Session, channel: Any, count: int, spend: int, last: datetime = NOW
) -> Customer:
    """A customer with so many orders, a month apart, the last of them just now."""
    customer = make_customer(session)
    customer.rank_due = True
    for number in range(count):
        at = last - timedelta(days=30 * (count - 1 - number), minutes=5)
        order = make_order_row(session, channel, customer, at, total=spend, created_at=at)
        order.plan_due = True
        contact = {"name": "山田 花子", "email": f"person{customer.id}@mail.example"}
        for key, value in contact.items():
            setattr(_contact(session, order), key, value)
    session.flush()
    return customer


def _contact(session: Session, order: OrderRow) -> Any:
    return session.get_one(OrderContact, order.id)


def ranks(session: Session) -> Counter[str]:
    rows = session.scalars(select(CustomerStanding.rank).where(CustomerStanding.scope == "*"))
    return Counter(rank for rank in rows if rank is not None)


def waiting(session: Session) -> list[Message]:
    session.expire_all()
    return list(session.scalars(select(Message).where(Message.state.in_(WAITING))))


@pytest.fixture
def shop(session: Session, config_dir: Path) -> Any:
    """Own and Rakuten shops whose kinds all plan from the first of November on."""
    late = NOW + timedelta(days=90)
    since = tokyo("2026-11-01")
    own = make_channel(session, "own:main", active_from=since, last_success_at=late)
    make_channel(session, "rakuten:main", active_from=since, last_success_at=late)
    return own


def test_a_ladder_is_counted_over_everybody_and_publishing_makes_it_so(
    session: Session, config_dir: Path, shop: Any
) -> None:
    regulars = [orders_of(session, shop, 3, 9_000) for _ in range(3)]
    orders_of(session, shop, 1, 50_000)
    orders_of(session, shop, 6, 8_000)
    advance(session, context(session, config_dir))
    before = ranks(session)
    draft(session, config_dir, ("ranks", ("rungs", 0, "any_of", 0, "orders"), 3),
          ("ranks", ("rungs", 0, "any_of", 0, "spend"), 25_000))  # fmt: skip

    figures = counted(session, config_dir)

    assert ranks(session) == before, "counting writes nothing"
    people = figures["people"]
    assert people["was"] == dict(before) == {"repeat": 3, "first": 1, "vip": 1}
    assert people["moves"] == [["repeat", "vip", 3]]
    assert {each[0] for each in people["examples"]} == {customer.id for customer in regulars}
    ctx = published(session, config_dir)
    advance(session, ctx)
    assert dict(ranks(session)) == people["then"] == {"vip": 4, "first": 1}


def test_mails_of_moved_people_are_counted_by_whether_a_person_wrote_on_them(
    session: Session, config_dir: Path, shop: Any
) -> None:
    people = [orders_of(session, shop, 3, 9_000) for _ in range(3)]
    advance(session, context(session, config_dir))
    mails = {message.customer_id: message for message in waiting(session)}
    mails[people[0].id].state = MessageState.IN_REVIEW
    mails[people[1].id].state = MessageState.IN_REVIEW
    mails[people[1].id].edited = True
    session.flush()
    draft(session, config_dir, ("ranks", ("rungs", 0, "any_of", 0, "orders"), 3),
          ("ranks", ("rungs", 0, "any_of", 0, "spend"), 25_000))  # fmt: skip

    told = counted(session, config_dir)["mails"]

    assert (told["rewritten"], told["kept"]) == (1, 1)
    assert (told["added"], told["ended"], told["held"]) == ({}, {}, {})
    assert told["waiting"] == {"order_thanks": 3}


def test_switching_a_kind_off_ends_its_waiting_mails_at_once_as_counted(
    session: Session, config_dir: Path, shop: Any
) -> None:
    for _ in range(2):
        orders_of(session, shop, 1, 3_000)
    advance(session, context(session, config_dir))
    assert len(waiting(session)) == 2
    draft(session, config_dir, ("mails", ("rules", 0, "enabled"), False))

    assert counted(session, config_dir)["mails"]["ended"] == {"order_thanks": 2}
    with pytest.raises(CannotPublish, match="checks"):
        published(session, config_dir)
    published(session, config_dir, "check/ended//")

    assert waiting(session) == []
    thanks = Occasion.kind == MailKind.ORDER_THANKS
    answers = session.execute(select(Occasion.outcome, Occasion.reason).where(thanks)).all()
    assert {(row[0], row[1]["code"]) for row in answers} == {(Outcome.NOT_WANTED, "no_rule_fits")}


def test_giving_a_kind_to_another_sender_ends_approved_mails_too(
    session: Session, config_dir: Path, shop: Any
) -> None:
    orders_of(session, shop, 1, 3_000)
    advance(session, context(session, config_dir))
    waiting(session)[0].state = MessageState.APPROVED
    draft(session, config_dir, ("senders", ("families", "own", "order_thanks"), "cart"))

    assert counted(session, config_dir)["mails"]["ended"] == {"order_thanks": 1}
    published(session, config_dir, "check/ended//")

    assert waiting(session) == []
    thanks = Occasion.kind == MailKind.ORDER_THANKS
    row = session.scalars(select(Occasion).where(thanks)).one()
    assert (row.outcome, row.reason["code"]) == (Outcome.OTHER_SENDER, "sender_cart")


def test_what_okaeri_takes_over_asks_for_the_tick_and_begins_now(
    session: Session, config_dir: Path, shop: Any
) -> None:
    rakuten = session.scalars(
        select(ChannelKind.channel_id).order_by(ChannelKind.channel_id.desc())
    ).first()
    assert rakuten is not None
    orders_of(session, session.get_one(Channel, rakuten), 1, 3_000, NOW - timedelta(hours=2))
    advance(session, context(session, config_dir))
    assert waiting(session) == []
    working = draft(
        session, config_dir, ("senders", ("families", "rakuten", "order_thanks"), "okaeri")
    )
    now_ctx = context(session, config_dir)

    figures = counted(session, config_dir)
    assert figures["opened"] == [("rakuten:main", "order_thanks", 1)]
    assert figures["mails"]["added"] == {}, "what was ordered before is the other sender's"
    (check,) = checks(now_ctx.documents, working.documents(), figures)
    assert (check.name, check.was) == (OFF, "hub")
    with pytest.raises(CannotPublish, match="checks"):
        published(session, config_dir)
    ctx = published(session, config_dir, OFF)

    advance(session, ctx)
    assert waiting(session) == []
    row = session.get_one(ChannelKind, (rakuten, MailKind.ORDER_THANKS))
    assert row.active_from == NOW
    assert session.get_one(ChannelKind, (rakuten, MailKind.FOLLOW_UP)).active_from < NOW


def test_a_rule_for_more_people_adds_what_planning_then_makes(
    session: Session, config_dir: Path, shop: Any
) -> None:
    for _ in range(2):
        orders_of(session, shop, 1, 3_000)
    draft(session, config_dir, ("mails", ("rules", 0, "ranks"), ["vip"]))
    counted(session, config_dir)
    ctx = published(session, config_dir)
    advance(session, ctx)
    assert waiting(session) == []
    draft(session, config_dir, ("mails", ("rules", 0, "ranks"), []))

    assert counted(session, config_dir)["mails"]["added"] == {"order_thanks": 2}
    advance(session, published(session, config_dir))
    assert [message.kind for message in waiting(session)] == [MailKind.ORDER_THANKS] * 2


def test_a_stricter_policy_tells_what_will_be_held(
    session: Session, config_dir: Path, shop: Any
) -> None:
    orders_of(session, shop, 1, 3_000)
    advance(session, context(session, config_dir))
    cell = ("cells", "own", "order_thanks", "verdict")
    draft(session, config_dir, ("policy", cell, "hold"))

    assert counted(session, config_dir)["mails"]["held"] == {"order_thanks": 1}


def test_less_reading_asks_for_a_tick_of_its_own(
    session: Session, config_dir: Path, shop: Any
) -> None:
    working = draft(session, config_dir, ("review", ("rules", 1, "mode"), "auto"))

    now = context(session, config_dir).documents
    found = [check.name for check in checks(now, working.documents(), None)]
    assert found == [
        "check/unread//order_thanks", "check/unread//shipping_notice", "check/unread//follow_up",
        "check/unread//review_request", "check/unread//birthday", "check/unread//rank_up",
    ]  # fmt: skip
    assert checks(working.documents(), now, None) == [], "more reading asks for nothing"


def test_nothing_is_published_that_was_not_counted_or_was_changed_since(
    session: Session, config_dir: Path, shop: Any
) -> None:
    with pytest.raises(CannotPublish, match="nothing"):
        published(session, config_dir)
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    with pytest.raises(CannotPublish, match="not_counted"):
        published(session, config_dir)
    counted(session, config_dir)
    old = read_working(session, config_dir).key
    draft(session, config_dir, ("review", ("canary",), 5))
    with pytest.raises(CannotPublish, match="changed"):
        published(session, config_dir, key=old)
    counted(session, config_dir)
    assert len(session.scalars(select(DraftCount)).all()) == 1, "only the last count is kept"
    with pytest.raises(CannotPublish, match="note"):
        published(session, config_dir, note=" ")
    assert session.scalars(select(Release)).all() == []


def test_a_release_holds_all_documents_and_only_the_changed_one_has_a_new_author(
    session: Session, config_dir: Path, shop: Any
) -> None:
    push(session, config_dir, "山田", "はじめ", NOW)
    draft(session, config_dir, ("review", ("undo_seconds",), 60))
    counted(session, config_dir)
    ctx = published(session, config_dir)

    assert ctx.documents.review.undo_seconds == 60
    assert session.scalars(select(DocumentDraft)).all() == []
    written = session.scalars(select(DocumentVersion).where(DocumentVersion.author == "管")).all()
    assert [(row.path, row.note) for row in written] == [("config/review.toml", "広げる")]
