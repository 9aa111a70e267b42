"""Daily work: done once a shop-local day, and personal data is gone when its time is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

from sqlalchemy import select

from tests.factories import NOW, make_channel, make_message, make_order_row, tokyo
from worker.daily import CHORES, run_daily
from worker.rules.states import MessageState
from worker.runtime import Runtime
from worker.store.channels import Channel
from worker.store.messages import MessageBody
from worker.store.orders import OrderContact, RawRecord
from worker.store.running import DailyRun
from worker.uploads import keep

BODY = {"sender": "s@x.example", "recipient": "r@x.example", "subject": "s", "text": "t"}


def test_each_chore_is_done_once_a_day_and_again_on_the_next(runtime: Runtime) -> None:
    assert set(run_daily(runtime, NOW)) == set(CHORES)
    assert run_daily(runtime, NOW + timedelta(hours=2)) == {}
    assert set(run_daily(runtime, NOW + timedelta(days=1))) == set(CHORES)


def test_the_day_is_the_shops_and_not_that_of_utc(runtime: Runtime) -> None:
    run_daily(runtime, tokyo("2026-11-20 23:59"))

    assert set(run_daily(runtime, tokyo("2026-11-21 00:01"))) == set(CHORES)


def test_a_chore_that_failed_is_done_later_while_the_others_stand(runtime: Runtime) -> None:
    with runtime.transaction() as session:
        for name in CHORES:
            if name != "raws":
                session.add(DailyRun(name=name, last_on=NOW.astimezone().date()))

    assert set(run_daily(runtime, NOW)) == {"raws"}


def raw(channel: Channel, name: str, at: datetime) -> RawRecord:
    return RawRecord(
        channel_id=channel.id,
        external_id=name,
        sha256="0",
        payload={"name": "山田"},
        received_at=at,
    )


def test_raw_payloads_are_forgotten_after_thirty_days(runtime: Runtime) -> None:
    with runtime.transaction() as session:
        channel = make_channel(session)
        session.add(raw(channel, "OLD", NOW - timedelta(days=31)))
        session.add(raw(channel, "NEW", NOW - timedelta(days=29)))

    assert run_daily(runtime, NOW)["raws"] == 1

    with runtime.look() as session:
        left = {row.external_id: row.payload for row in session.scalars(select(RawRecord))}
    assert left == {"OLD": None, "NEW": {"name": "山田"}}


def test_bodies_of_mails_long_out_are_forgotten_and_waiting_ones_stay(runtime: Runtime) -> None:
    long_ago = NOW - timedelta(days=181)
    with runtime.transaction() as session:
        channel = make_channel(session)
        make_message(session, channel, state=MessageState.SENT, due_at=long_ago, body=BODY)
        kept = make_message(
            session, channel, state=MessageState.IN_REVIEW, due_at=long_ago, body=BODY
        ).id

    assert run_daily(runtime, NOW)["bodies"] == 1

    with runtime.look() as session:
        assert list(session.scalars(select(MessageBody.message_id))) == [kept]


def test_amazon_buyers_are_forgotten_thirty_days_after_delivery(runtime: Runtime) -> None:
    long_ago, lately = NOW - timedelta(days=31), NOW - timedelta(days=5)
    with runtime.transaction() as session:
        amazon, own = make_channel(session, "amazon:jp"), make_channel(session)
        make_order_row(session, amazon, ordered_at=long_ago)
        late = make_order_row(session, amazon, ordered_at=long_ago, delivered_at=lately).id
        other = make_order_row(session, own, ordered_at=long_ago).id

    assert run_daily(runtime, NOW)["amazon"] == 1

    with runtime.look() as session:
        assert set(session.scalars(select(OrderContact.order_id))) == {late, other}


def test_files_that_nobody_took_in_are_forgotten(runtime: Runtime) -> None:
    upload = keep(runtime.settings.uploads, [("orders.csv", BytesIO(b"x"))], 1)
    run_daily(runtime, NOW + timedelta(days=4000))
    assert not upload.file.exists()
