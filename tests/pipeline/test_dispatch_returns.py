"""Dispatch and what comes back: return paths, and addresses that are refused at the door."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.documents import KEY
from tests.factories import NOW, make_channel
from tests.pipeline.approved import Wire
from tests.pipeline.desk import Desk, desk
from tests.pipeline.returning import blocks, kept, tasks
from worker.mail.coming_back.return_path import return_path
from worker.mail.transport import Permanent, Scope, Temporary, TransportError
from worker.mail.transport.replies import Reply
from worker.pipeline.bounces import ASK_ADDRESS
from worker.pipeline.coming_back_bounces import REFUSED_MAIL
from worker.pipeline.dispatch import Transports
from worker.rules.states import MessageState
from worker.store.customers import Suppression
from worker.store.engine import reading, writing

DOMAIN = "bounce.hinata.example"

__all__ = ["desk"]


def refuse(desk: Desk, reply: str, **fields: object) -> str:
    message_id = desk.approve(**fields)
    desk.wire.answers = [
        Permanent(reply, code=int(reply.partition(": ")[2][:3]), scope=Scope.ADDRESS)
    ]
    desk.dispatch()
    assert desk.read(message_id).state is MessageState.FAILED
    return message_id


def found(desk: Desk) -> tuple[list[tuple[str, bool]], list[str]]:
    with reading(desk.engine) as session:
        return blocks(session), tasks(session)


def test_each_mail_of_our_own_server_has_a_return_path_of_its_own(desk: Desk) -> None:
    desk.transports = replace(desk.transports, bounce_domain=DOMAIN)
    message_id = desk.approve()
    desk.dispatch()
    (mail,) = desk.wire.mails
    assert mail.envelope_from == return_path(KEY, message_id, DOMAIN)
    assert b"From: =?utf-8?" in mail.data
    assert DOMAIN.encode() not in mail.data


def test_without_a_bounce_domain_mails_come_back_to_the_shop(desk: Desk) -> None:
    desk.approve()
    desk.dispatch()
    assert [mail.envelope_from for mail in desk.wire.mails] == ["shop@hinata.example"]


def test_a_relay_and_the_outbox_keep_the_shops_own_address(desk: Desk) -> None:
    relay = Wire("relay")
    desk.transports = Transports(
        desk.outbox, desk.wire, {"rakuten:main": relay}, bounce_domain=DOMAIN
    )
    shop = replace(desk.ctx.documents.shop, relays=("rakuten:main",))
    desk.ctx = replace(desk.ctx, documents=replace(desk.ctx.documents, shop=shop))
    with writing(desk.engine) as session:
        channel_id = make_channel(session, "rakuten:main", kind="rakuten", family="rakuten").id
    desk.approve(channel_id=channel_id, family="rakuten")
    desk.dispatch()
    assert [mail.envelope_from for mail in relay.mails] == ["shop@hinata.example"]
    captured = desk.transports.envelope_from(desk.outbox, KEY, "x", "own", "shop@hinata.example")
    assert captured == "shop@hinata.example"
    relayed = desk.transports.envelope_from(desk.wire, KEY, "x", "aupay", "shop@hinata.example")
    assert relayed == "shop@hinata.example"


def test_an_unknown_user_is_stopped_in_the_transaction_of_the_outcome(desk: Desk) -> None:
    message_id = refuse(desk, "RCPT: 550 5.1.1 no such user")
    assert found(desk) == ([("bounce", False)], [ASK_ADDRESS])
    with reading(desk.engine) as session:
        (row,) = kept(session)
        block = session.scalars(sa.select(Suppression)).one()
        assert (row.source, row.message_id, row.outcome) == ("smtp", message_id, "stopped")
        assert block.evidence_id == row.id
    again = desk.approve(recipient=f"to{desk.read(message_id).customer_id}@mail.example")
    desk.dispatch()
    assert desk.read(again).state is MessageState.SUPPRESSED
    assert desk.wire.mails == []


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("RCPT: 550 no", ([], [])),
        ("RCPT: 552 5.2.2 mailbox full", ([], [])),
        ("RCPT: 550 5.7.1 blocked", ([], [REFUSED_MAIL])),
        ("end of mail: 550 5.7.26 unauthenticated", ([], [REFUSED_MAIL])),
        ("end of mail: 550 user unknown", ([], [])),
        ("end of mail: 550 5.1.1 user unknown", ([("bounce", False)], [ASK_ADDRESS])),
        ("MAIL: 553 5.1.3 your address", ([], [])),
    ],
)
def test_other_refusals_do_not_stop_an_address(
    desk: Desk, reply: str, wanted: tuple[list[tuple[str, bool]], list[str]]
) -> None:
    refuse(desk, reply)
    assert found(desk) == wanted


def test_a_carrier_is_believed_on_the_second_day(desk: Desk) -> None:
    for _ in range(2):
        refuse(desk, "RCPT: 550 5.1.1 unknown", recipient="mihon@docomo.ne.jp")
        assert found(desk) == ([], [])
    message_id = desk.approve(recipient="mihon@docomo.ne.jp", expires_at=NOW + timedelta(days=3))
    desk.wire.answers = [Permanent("RCPT: 550 5.1.1 unknown", code=550, scope=Scope.ADDRESS)]
    desk.dispatch(NOW + timedelta(days=1))
    assert desk.read(message_id).state is MessageState.FAILED
    assert found(desk) == ([("bounce", False)], [ASK_ADDRESS])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4.7.1 Greylisted, try again in 300 seconds", 300.0),
        ("4.7.1 please come back in 00:05:30", 330.0),
        ("try again in 2 hours", 7200.0),
        ("retry after 15 minutes", 900.0),
        ("busy", None),
        ("sent in 5 parts", None),
    ],
)
def test_the_wait_that_a_server_names_is_kept(text: str, seconds: float | None) -> None:
    error: TransportError = Reply.read(450, text).error("RCPT")
    assert isinstance(error, Temporary)
    assert error.retry_after == seconds


def test_a_named_wait_is_waited(desk: Desk) -> None:
    message_id = desk.approve()
    desk.wire.answers = [Reply.read(450, "greylisted for 20 minutes").error("RCPT")]
    desk.dispatch()
    assert desk.read(message_id).next_attempt_at == NOW + timedelta(minutes=20)
