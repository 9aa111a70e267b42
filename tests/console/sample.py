"""A tea shop's Tuesday morning: invented customers, orders and mails, straight into the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from worker.rules.keys import address_hash
from worker.rules.states import (
    Actor,
    CandidateState,
    Certainty,
    ImportState,
    MailKind,
    MessageState,
    NoteState,
    Outcome,
    QuarantineState,
    RunMode,
)
from worker.store.channels import Channel
from worker.store.customers import (
    Candidate,
    ContactNote,
    Customer,
    CustomerProfile,
    CustomerStanding,
    OrderStanding,
)
from worker.store.messages import Handoff, Message, MessageBody, MessageEvent, Occasion
from worker.store.orders import Import, OrderContact, OrderLine, OrderRow, Quarantine
from worker.store.rewards import PackingItem
from worker.store.running import Instance

NOW = datetime(2026, 11, 24, 0, 40, tzinfo=UTC)
"""9:40 in Tokyo."""
KEY = b"k" * 32
_PREFIX = "01KAZSAMPLE"


@dataclass(frozen=True)
class Person:
    """One customer with the mail that waits for them."""

    name: str
    kana: str = ""
    channel: str = "own:main"
    visit: int = 1
    rank: str = "first"
    state: MessageState = MessageState.IN_REVIEW
    kind: MailKind = MailKind.ORDER_THANKS
    flags: tuple[tuple[str, Any], ...] = ()
    expires: timedelta | None = timedelta(hours=30)
    comment: str | None = None
    certainty: Certainty = Certainty.PROVED
    address: str = "埼玉県さいたま市浦和区常盤1-2-3"
    edited: bool = False


PEOPLE = (
    Person("山口 さくら", "ヤマグチ サクラ", "rakuten:main", expires=timedelta(minutes=52)),
    Person("井上 誠", "イノウエ マコト", visit=3, rank="repeat", expires=timedelta(minutes=80)),
    Person("斎藤 真由美", "サイトウ マユミ", flags=(("gift", "N-3"), ("late_delivery", "12/20"))),
    Person(
        "高橋 美咲",
        "タカハシ ミサキ",
        "rakuten:main",
        visit=5,
        rank="repeat",
        flags=(("buyer_comment", "N-4"), ("number_uncertain", {"number": 5, "announced": 3})),
        comment="のしは内祝で、名前は高橋でお願いします",
        certainty=Certainty.PROVISIONAL,
    ),
    Person(
        "株式会社はるか工房",
        flags=(("organisation", None), ("unusual_amount", {"total": 86400, "median": 4200})),
    ),
    Person("岡本 千尋", "オカモト チヒロ", "yahoo:main", 2, "repeat", flags=(("open_note", 1),)),
    Person("大野 由佳", "オオノ ユカ"),
    Person("渡辺 健一", "ワタナベ ケンイチ", "yahoo:main"),
    Person("長谷川 光", "ハセガワ ヒカル", "rakuten:main"),
    Person("木村 礼子", "キムラ レイコ", "rakuten:main", 8, "repeat"),
    Person("坂本 葵", "サカモト アオイ", visit=2, rank="repeat", edited=True),
    Person("藤原 千鶴", "フジワラ チヅル", visit=12, rank="vip"),
    Person("黒田 浩", "クロダ ヒロシ", "rakuten:main", 9, "vip"),
    Person("青木 瑞希", "アオキ ミズキ", kind=MailKind.FOLLOW_UP, visit=2, rank="repeat"),
    Person("村上 文子", "ムラカミ フミコ", state=MessageState.ON_HOLD, visit=2, rank="repeat"),
    Person("中川 亮", "ナカガワ リョウ", "rakuten:main", state=MessageState.UNCONFIRMED),
    Person("福田 静", "フクダ シズカ", state=MessageState.SENT),
    Person("原田 隆", "ハラダ タカシ", state=MessageState.FAILED),
)

_CHANNELS = (("own:main", "own"), ("rakuten:main", "rakuten"), ("yahoo:main", "yahoo"))


def message_id(place: int) -> str:
    """Id of the mail of the person at that place of ``PEOPLE``."""
    return f"{_PREFIX}{place:015d}"


def fill(session: Session, people: tuple[Person, ...] = PEOPLE) -> None:
    """Put the shop, its customers and their mails into an empty store."""
    channels = {
        name: Channel(name=name, kind="csv_file", family=family, created_at=NOW)
        for name, family in _CHANNELS
    }
    session.add_all(channels.values())
    session.add(Instance(instance_id="sample", mode=RunMode.LIVE))
    session.add(_import())
    session.flush()
    for place, person in enumerate(people):
        _put(session, place, person, channels[person.channel])
    session.flush()
    _extras(session, channels)
    session.flush()


def _import() -> Import:
    return Import(
        file_name="orders.csv",
        sha256="0" * 64,
        state=ImportState.DONE,
        started_at=NOW - timedelta(minutes=5),
        finished_at=NOW - timedelta(minutes=4),
    )


def _put(session: Session, place: int, person: Person, channel: Channel) -> None:
    scope = "own" if channel.family == "own" else channel.name
    customer = Customer(created_at=NOW)
    session.add(customer)
    session.flush()
    session.add(_profile(customer.id, place, person))
    order = _order(place, person, channel.id, customer.id)
    session.add(order)
    session.flush()
    session.add(_contact(order.id, place, person))
    session.add(_line(order.id, 0, "煎茶「朝みどり」100g", 2, 2592))
    session.add(_line(order.id, 1, "ほうじ茶ティーバッグ 20個入", 1, 1080))
    facts = {"orders": person.visit, "visits": person.visit, "spend": 5280 * person.visit}
    session.add(
        OrderStanding(
            order_id=order.id,
            customer_id=customer.id,
            scope=scope,
            ordinal=person.visit,
            visit_number=person.visit,
            ordinal_overall=person.visit,
            certainty=person.certainty,
            rank=person.rank,
            facts=facts,
        )
    )
    for each in (scope, "*"):
        session.add(_standing(customer.id, each, person, facts))
    session.add(_message(place, person, channel, scope, customer.id))
    session.flush()
    session.add(_body(place, person, order.number))
    session.add(_occasion(place, person, channel, order, customer.id))
    session.add(
        MessageEvent(
            message_id=message_id(place),
            at=NOW - timedelta(minutes=20),
            move="submit",
            from_state=MessageState.SCHEDULED,
            to_state=MessageState.IN_REVIEW,
            actor=Actor.SYSTEM,
        )
    )


def _profile(customer_id: int, place: int, person: Person) -> CustomerProfile:
    return CustomerProfile(
        customer_id=customer_id,
        name=person.name,
        kana=person.kana or None,
        email=f"customer{place}@mail.example",
        phone=f"090-0000-{2000 + place}",
        postal_code="330-0061",
        address=person.address,
    )


def _order(place: int, person: Person, channel_id: int, customer_id: int) -> OrderRow:
    ordered = NOW - timedelta(minutes=26 + place)
    return OrderRow(
        channel_id=channel_id,
        external_id=f"N-20261124-{place:03}",
        number=f"N-20261124-{place:03}",
        ordered_at=ordered,
        ordered_on=date(2026, 11, 24),
        life="open",
        payment="authorized",
        fulfilment="unshipped",
        payment_kind="card",
        currency="JPY",
        total=3672,
        counting=True,
        visit_counting=True,
        spend=3672,
        content_hash="0" * 64,
        customer_id=customer_id,
        created_at=NOW,
        changed_at=NOW,
        identify_due=False,
        plan_due=False,
    )


def _contact(order_id: int, place: int, person: Person) -> OrderContact:
    return OrderContact(
        order_id=order_id,
        name=person.name,
        email=f"customer{place}@mail.example",
        buyer_comment=person.comment,
    )


def _line(order_id: int, position: int, name: str, quantity: int, amount: int) -> OrderLine:
    return OrderLine(
        order_id=order_id, position=position, name=name, quantity=quantity, amount=amount
    )


def _standing(
    customer_id: int, scope: str, person: Person, facts: dict[str, Any]
) -> CustomerStanding:
    return CustomerStanding(
        customer_id=customer_id,
        scope=scope,
        rank=person.rank,
        count=person.visit,
        visits=person.visit,
        net_spend=5280 * person.visit,
        last_order_at=NOW - timedelta(days=36),
        certainty=person.certainty,
        facts=facts,
    )


def _message(place: int, person: Person, channel: Channel, scope: str, customer_id: int) -> Message:
    out = person.state in (MessageState.SENT, MessageState.UNCONFIRMED, MessageState.FAILED)
    return Message(
        id=message_id(place),
        kind=person.kind,
        channel_id=channel.id,
        family=channel.family,
        scope=scope,
        customer_id=customer_id,
        state=person.state,
        rank=person.rank,
        visit_number=person.visit,
        announced=person.visit if person.visit > 1 else None,
        flags=[{"flag": flag, "fact": fact} for flag, fact in person.flags],
        text_key=f"ja/{person.kind}/{channel.family}/{person.rank}",
        text_version="14",
        edited=person.edited,
        recipient_hash=address_hash(KEY, f"customer{place}@mail.example"),
        due_at=NOW + timedelta(minutes=45),
        expires_at=NOW + person.expires if person.expires else None,
        created_at=NOW - timedelta(minutes=20),
        sent_at=NOW - timedelta(minutes=10) if person.state is MessageState.SENT else None,
        attempts=1 if out else 0,
        sending_since=NOW - timedelta(minutes=38) if out else None,
        hold_reason="のしの手配待ち" if person.state is MessageState.ON_HOLD else "",
    )


def _body(place: int, person: Person, number: str) -> MessageBody:
    text = (
        f"{person.name} 様\n\n"
        "このたびはご注文いただき、ありがとうございます。\n"
        "ご注文の内容を拝見し、11月26日(木)までにお送りできるよう支度を進めております。\n\n"
        "ご変更やご質問は、このメールへのご返信でお知らせください。\n\n"
        f"ご注文番号 {number}\n"
        "煎茶「朝みどり」100g　2点　2,592円\nほうじ茶ティーバッグ 20個入　1点　1,080円\n\n"
        "合計 3,672円(税込、送料込)\nお支払い方法 クレジットカード\n\n"
        "みどり茶舗\n森本\n"
    )
    subject = "【みどり茶舗】ご注文ありがとうございます"
    html = f"<!doctype html><html><body><p>{number}</p></body></html>"
    own = person.channel == "own:main"
    return MessageBody(
        message_id=message_id(place),
        sender="みどり茶舗 <order@midori-chaho.example>",
        recipient=f"customer{place}@mail.example",
        subject=subject,
        text=text,
        html=html if own else None,
        values={
            "customer_name": f"{person.name} 様",
            "order_number": number,
            "ship_line": "11月26日(木)までに",
            "order_items": "煎茶「朝みどり」100g　2点　2,592円\n"
            "ほうじ茶ティーバッグ 20個入　1点　1,080円",
            "order_total": "3,672円",
        },
        plain={"subject": subject, "text": text, "html": html if own else None},
    )


def _occasion(
    place: int, person: Person, channel: Channel, order: OrderRow, customer_id: int
) -> Occasion:
    return Occasion(
        kind=person.kind,
        subject=f"order:{channel.name}:{order.external_id}",
        channel_id=channel.id,
        order_id=order.id,
        customer_id=customer_id,
        outcome=Outcome.MESSAGE,
        reason={"code": "planned"},
        message_id=message_id(place),
        created_at=NOW,
        changed_at=NOW,
    )


def _extras(session: Session, channels: dict[str, Channel]) -> None:
    """One of each of what the other pages show."""
    session.add(
        Quarantine(
            channel_id=channels["own:main"].id,
            external_id="N-20261124-900",
            sha256="1" * 64,
            position="orders.csv 14行目",
            code="bad_time",
            field_name="ordered_at",
            reason="ordered_at cannot be read: 2026/13/45",
            reason_ja="注文日時が読めません: 2026/13/45",
            payload={"profile": "generic", "rows": [{"ordered_at": "2026/13/45", "name": "乙"}]},
            state=QuarantineState.OPEN,
            created_at=NOW,
        )
    )
    session.add(
        Candidate(
            customer_a=1, customer_b=2, reason="phone_name", state=CandidateState.OPEN, at=NOW
        )
    )
    session.add(PackingItem(order_id=4, item="card", label="5回目カード"))
    session.add(PackingItem(order_id=12, item="sample", label="ほうじ茶のお試し袋"))
    session.add(
        ContactNote(
            customer_id=6,
            said="新茶の入荷を尋ねられた",
            state=NoteState.OPEN,
            by="森本",
            at=NOW - timedelta(days=2),
        )
    )
    _handoff(session, channels["rakuten:main"])


def _handoff(session: Session, channel: Channel) -> None:
    one = Message(
        id=f"{_PREFIX}HANDOFF00000000"[:26],
        kind=MailKind.WIN_BACK,
        channel_id=channel.id,
        family=channel.family,
        scope=channel.name,
        state=MessageState.HANDOFF,
        due_at=NOW,
        created_at=NOW,
    )
    session.add(one)
    session.flush()
    session.add(Handoff(message_id=one.id, conditions={"month": "2026-11"}, expected=41))
    session.add(
        MessageBody(message_id=one.id, subject="お久しぶりです", text="お変わりありませんか。\n")
    )
