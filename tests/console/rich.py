"""One customer with a long story, for the card: orders, mails, notes, ranks, a merge, errands."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from tests.console.sample import KEY, NOW
from worker.rules.finding import keys_of_profile
from worker.rules.keys import address_hash
from worker.rules.states import (
    Certainty,
    ConsentAction,
    GrantState,
    MailKind,
    MessageState,
    NoteState,
)
from worker.store.customers import (
    Consent,
    ContactNote,
    Customer,
    CustomerProfile,
    CustomerStanding,
    Merge,
    OrderStanding,
    RankHistory,
)
from worker.store.messages import Message, MessageBody
from worker.store.orders import OrderContact, OrderLine, OrderRow
from worker.store.rewards import Grant, StaffTask

PERSON = 12
"""藤原 千鶴 of the sample."""

_ORDERS = (
    (22, 1, 14580, "玉露「みどり雫」100g", 12),
    (41, 2, 5940, "ほうじ茶ティーバッグ", 3),
    (166, 1, 8640, "煎茶「朝みどり」100g", 10),
    (360, 1, 6480, "煎茶「朝みどり」100g", 9),
    (400, 2, 5190, "ほうじ茶ティーバッグ", 2),
    (620, 1, 3240, "はじめての三煎セット", 1),
)
_VIP = {"orders": 9, "visits": 9, "spend": 86480, "windows": {"24m": [9, 86480]}}


def enrich(session: Session) -> None:
    """Add the story to the sample's store."""
    profile = session.get_one(CustomerProfile, PERSON)
    profile.birthday = date(1958, 4, 17)
    profile.personal_line = "先日はお写真までお送りいただき、ありがとうございました。"
    for row in session.query(CustomerProfile):
        values = {"name": row.name, "kana": row.kana, "phone": row.phone}
        for name, value in keys_of_profile(values, member=row.customer_id % 3 > 0).items():
            setattr(row, name, value)
    _orders(session)
    _standings(session)
    _mails(session)
    _notes(session)
    _rest(session)
    session.flush()


def _orders(session: Session) -> None:
    for days, channel, total, item, number in _ORDERS:
        at = NOW - timedelta(days=days)
        order = OrderRow(
            channel_id=channel,
            external_id=f"R-{days}",
            number=f"N-{at:%Y%m%d}-031",
            ordered_at=at,
            ordered_on=at.date(),
            life="open",
            payment="paid",
            fulfilment="shipped",
            payment_kind="card",
            currency="JPY",
            total=total,
            counting=True,
            visit_counting=True,
            spend=total,
            content_hash="0" * 64,
            customer_id=PERSON,
            created_at=at,
            changed_at=at,
            shipped_at=at + timedelta(days=2),
            identify_due=False,
            plan_due=False,
        )
        session.add(order)
        session.flush()
        session.add(OrderLine(order_id=order.id, position=0, name=item, quantity=2, amount=total))
        session.add(OrderContact(order_id=order.id, email="customer11@mail.example"))
        session.add(
            OrderStanding(
                order_id=order.id,
                customer_id=PERSON,
                scope="own" if channel == 1 else "rakuten:main",
                ordinal=number,
                visit_number=number,
                ordinal_overall=number,
                certainty=Certainty.PROVED,
                rank="repeat",
            )
        )


def _standings(session: Session) -> None:
    own = session.get_one(CustomerStanding, (PERSON, "own"))
    own.net_spend, own.facts = 112320, _VIP
    session.add(
        CustomerStanding(
            customer_id=PERSON,
            scope="rakuten:main",
            rank="repeat",
            count=3,
            visits=3,
            net_spend=16320,
            last_order_at=NOW - timedelta(days=41),
            certainty=Certainty.PROVED,
        )
    )
    whole = session.get_one(CustomerStanding, (PERSON, "*"))
    whole.count, whole.visits, whole.net_spend = 15, 15, 128640
    whole.last_order_at = NOW - timedelta(days=22)


def _mails(session: Session) -> None:
    for place, (days, kind, state) in enumerate(
        (
            (22, MailKind.ORDER_THANKS, MessageState.SENT),
            (-1, MailKind.FOLLOW_UP, MessageState.ON_HOLD),
        )
    ):
        at = NOW - timedelta(days=days)
        message = Message(
            id=f"01KAZRICH{place:017}",
            kind=kind,
            channel_id=1,
            family="own",
            scope="own",
            customer_id=PERSON,
            state=state,
            announced=12 if state is MessageState.SENT else None,
            due_at=at,
            created_at=at,
            sent_at=at if state is MessageState.SENT else None,
            approved_by="森本" if state is MessageState.SENT else "",
            hold_reason="note_open" if state is MessageState.ON_HOLD else "",
        )
        session.add(message)
        session.flush()
        subject = "ご注文ありがとうございます" if not place else "お茶はいかがでしたか"
        session.add(
            MessageBody(
                message_id=message.id,
                subject=subject,
                text="本文\n",
                recipient="customer11@mail.example",
            )
        )


def _notes(session: Session) -> None:
    session.add(
        ContactNote(
            customer_id=PERSON,
            said="お母さまの米寿のお祝いに玉露を。包みは紫の風呂敷がよい。",
            gift_received="お祝いの席の写真",
            ask_next="お母さまのお口に合ったか",
            ask_by=date(2026, 11, 24),
            via="phone",
            state=NoteState.OPEN,
            by="中村",
            at=NOW - timedelta(days=27),
        )
    )
    session.add(
        ContactNote(
            customer_id=PERSON,
            said="お試し袋のほうじ茶がおいしかったとのこと。次は大袋で。",
            state=NoteState.DONE,
            by="森本",
            at=NOW - timedelta(days=157),
            done_at=NOW - timedelta(days=157),
            done_by="森本",
        )
    )


def _rest(session: Session) -> None:
    merged = Customer(merged_into=PERSON, created_at=NOW, rank_due=False, plan_due=False)
    session.add(merged)
    session.flush()
    session.add(
        Merge(
            kept_id=PERSON,
            merged_id=merged.id,
            reason="phone_name",
            by="中村",
            at=NOW - timedelta(days=369),
        )
    )
    session.add(
        RankHistory(
            customer_id=PERSON,
            scope="own",
            at=NOW - timedelta(days=358),
            from_rank="repeat",
            to_rank="vip",
            cause="order",
            facts=_VIP,
        )
    )
    session.add(
        Grant(
            customer_id=PERSON,
            scope="own",
            milestone=10,
            state=GrantState.EARNED,
            changed_at=NOW - timedelta(days=164),
        )
    )
    session.add(
        Grant(
            customer_id=11,
            scope="own",
            milestone=5,
            state=GrantState.TO_DECIDE,
            reason={"code": "missed"},
            changed_at=NOW,
        )
    )
    session.add(
        Consent(
            customer_id=PERSON,
            channel_id=1,
            address_hash=address_hash(KEY, "customer11@mail.example"),
            action=ConsentAction.IMPORTED,
            method="platform_flag",
            occurred_at=NOW - timedelta(days=620),
            recorded_at=NOW,
        )
    )
    tasks = (
        ("ask_address", "customer:3:x", {"customer": 3, "message": "m"}),
        ("void_coupon", "coupon:1", {"pool": "10th", "last4": "7K2A", "why": "returned"}),
    )
    for kind, subject, detail in tasks:
        session.add(StaffTask(kind=kind, subject=subject, detail=detail, created_at=NOW))
