"""A mail to oneself leaves by the one way out, marked, and to nobody but the shop."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from tests.documents import shop
from tests.factories import NOW
from tests.pipeline.approved import shop_context
from tests.pipeline.desk import Desk, desk
from worker.mail.render import Rendered
from worker.pipeline.instance import set_mode
from worker.pipeline.render import recheck
from worker.pipeline.review_words import Refused
from worker.pipeline.template_mailboxes import own_mailboxes
from worker.pipeline.template_names import text_name
from worker.pipeline.template_preview import Shown
from worker.pipeline.template_trial import HOURLY, send_test
from worker.rules.states import MessageState, RunMode
from worker.store.customers import Suppression
from worker.store.engine import reading, writing
from worker.store.messages import Message

__all__ = ["desk"]
TEXT = text_name("ja/win_back/rakuten/any")
SHOWN = Shown(Rendered("お礼", "高橋様\n本文\n", "<p>本文</p>"))


def send(desk: Desk, to: str = "shop@hinata.example", shown: Shown = SHOWN) -> str:
    with writing(desk.engine) as session:
        return send_test(session, shop_context(), TEXT, shown, to=to, by="mori", now=NOW).id


def test_it_leaves_marked_by_the_way_every_mail_leaves(desk: Desk) -> None:
    message_id = send(desk)
    assert desk.dispatch(recheck=recheck).counts == {"sent": 1}
    (mail,) = desk.wire.mails
    parsed = message_from_bytes(mail.data, policy=policy.default)
    assert parsed["Subject"] == "【テスト送信】お礼"
    assert (parsed["To"], mail.envelope_from) == ("shop@hinata.example", "shop@hinata.example")
    assert desk.moves(message_id) == ["test", "send", "sent"]
    message = desk.read(message_id)
    assert (message.family, message.customer_id, message.approved_by) == ("own", None, "mori")
    assert [entry.message_ref for entry in desk.journal.entries()] == [message_id, message_id]


def test_where_nothing_may_leave_it_is_captured(desk: Desk) -> None:
    with writing(desk.engine) as session:
        set_mode(session, RunMode.CAPTURE, by="test", now=NOW)
    message_id = send(desk)
    assert desk.dispatch(recheck=recheck).counts == {"captured": 1}
    assert desk.wire.mails == []
    assert desk.read(message_id).captured is True


@pytest.mark.parametrize("to", ["hanako@mail.example", "", "shop@hinata.example, x@mail.example"])
def test_it_goes_to_the_shops_own_mailboxes_only(desk: Desk, to: str) -> None:
    with pytest.raises(Refused) as no:
        send(desk, to)
    assert no.value.code == "not_own_mailbox"
    assert own_mailboxes(shop_context()) == ("shop@hinata.example",)
    assert desk.dispatch(recheck=recheck).counts == {}


def test_a_mailbox_that_is_the_shops_no_more_takes_the_approval_with_it(desk: Desk) -> None:
    message_id = send(desk)
    other = shop_context(shop=replace(shop(), contact=replace(shop().contact, mail="", sender="")))
    with reading(desk.engine) as session:
        assert recheck(session, other, message_id, NOW).changed == ["recipient"]
        assert recheck(session, shop_context(), message_id, NOW).changed == []


def test_a_suppressed_mailbox_gets_none(desk: Desk) -> None:
    message_id = send(desk)
    with writing(desk.engine) as session:
        message = session.get_one(Message, message_id)
        session.add(
            Suppression(address_hash=message.recipient_hash, reason="bounce", by="test", at=NOW)
        )
    assert desk.dispatch(recheck=recheck).counts == {"moved": 1}
    assert desk.read(message_id).state is MessageState.SUPPRESSED


def test_an_unfinished_text_and_a_flood_are_refused(desk: Desk) -> None:
    with pytest.raises(Refused) as no:
        send(desk, shown=Shown(None, "missing_value", "coupon_code"))
    assert no.value.code == "not_whole"
    for _ in range(HOURLY):
        send(desk)
    with pytest.raises(Refused) as no:
        send(desk)
    assert no.value.code == "many_tests"
