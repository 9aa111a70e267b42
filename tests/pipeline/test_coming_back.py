"""What follows from bounces and complaints: once, only with proof, as their class says."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.documents import KEY
from tests.factories import NOW
from tests.pipeline.returning import back, blocks, followed, kept, out, path_of, take, tasks
from worker.pipeline.bounces import ASK_ADDRESS, ask_for_addresses
from worker.pipeline.coming_back import NotYet
from worker.pipeline.coming_back_bounces import LOOK_AT_BOUNCE, REFUSED_MAIL
from worker.pipeline.context import Context
from worker.pipeline.suppressions import lift_ended
from worker.rules.states import ConsentAction, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.customers import Consent, Suppression
from worker.store.messages import MessageEvent

S = MessageState
DAY = timedelta(days=1)


def test_a_proved_hard_bounce_ends_the_address_with_its_evidence(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    taken = take(session, ctx, back(session, "postfix-unknown-user", message, mail_id="<x@y>"))
    assert (taken.outcome, taken.matched, taken.known) == ("stopped", "return_path", True)
    assert message.state is S.BOUNCED
    (row,) = kept(session)
    (block,) = session.scalars(sa.select(Suppression)).all()
    assert (block.reason, block.ads_only, block.evidence_id) == ("bounce", False, row.id)
    assert block.address_hash == message.recipient_hash
    assert block.expires_at is None
    assert tasks(session) == [ASK_ADDRESS]
    (event,) = session.scalars(
        sa.select(MessageEvent).where(
            MessageEvent.message_id == message.id, MessageEvent.move == "bounce"
        )
    )
    assert (event.reason["class"], event.reason["status"]) == ("hard", "5.1.1")
    assert "@mail.example" in event.reason["reply"]
    assert address_local(message.customer_id) not in str(event.reason)


def address_local(customer_id: int | None) -> str:
    return f"to{customer_id}@"


def test_the_same_bytes_again_do_nothing(session: Session, channel: Channel, ctx: Context) -> None:
    raw = back(session, "postfix-unknown-user", out(session, channel))
    take(session, ctx, raw)
    before = followed(session)
    assert take(session, ctx, raw).again
    assert (followed(session), len(kept(session))) == (before, 1)


def test_the_message_id_proves_it_too_but_only_for_its_own_recipient(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    other = back(
        session, "gmail-unknown-user", message, path="shop@hinata.example", to="b@c.example"
    )
    assert take(session, ctx, other).outcome == "unmatched"
    assert blocks(session) == []
    mine = back(session, "gmail-unknown-user", message, path="shop@hinata.example")
    assert take(session, ctx, mine).matched == "mail_id"
    assert blocks(session) == [("bounce", False)]


def test_an_address_alone_proves_nothing_and_a_person_looks(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    raw = back(session, "qmail", message, path="shop@hinata.example", mail_id="<guess@y.example>")
    for place in (b"", b"again"):
        assert take(session, ctx, raw + place).outcome == "unproved"
    assert (message.state, blocks(session), tasks(session)) == (S.SENT, [], [LOOK_AT_BOUNCE])


def test_a_return_path_in_capitals_is_still_ours(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    raw = back(session, "qmail", message, path=path_of(message).upper(), mail_id="<x@y>")
    assert take(session, ctx, raw).outcome == "stopped"


def test_a_key_before_this_one_still_proves(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    path = path_of(message, b"the key before")
    raw = back(session, "qmail", message, path=path)
    changed = Context(ctx.documents, ctx.texts, ctx.key, former_keys=(b"the key before",))
    assert take(session, changed, raw).outcome == "stopped"


@pytest.mark.parametrize("domain", ["docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"])
def test_carriers_are_believed_on_the_second_day_only(
    session: Session, channel: Channel, ctx: Context, domain: str
) -> None:
    to = f"mihon@{domain}"
    first, same_day, next_day = (out(session, channel, recipient=to) for _ in range(3))
    for message, at in ((first, NOW), (same_day, NOW + timedelta(minutes=5))):
        assert take(session, ctx, back(session, "docomo-refused", message), at).outcome == "counted"
    assert (blocks(session), first.state) == ([], S.BOUNCED)
    raw = back(session, "docomo-refused", next_day)
    assert take(session, ctx, raw, NOW + DAY).outcome == "stopped"
    assert blocks(session) == [("bounce", False)]


def test_a_notice_that_hides_a_carriers_address_is_not_believed_sooner(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel, recipient="mihon@docomo.ne.jp")
    raw = back(session, "postfix-unknown-user", message, to="inner@phone.example")
    assert take(session, ctx, raw).outcome == "counted"
    assert blocks(session) == []


def test_an_address_no_standard_allows_ends_with_its_first_bounce(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel, recipient="a..b@docomo.ne.jp")
    raw = back(session, "docomo-refused", message, to='"a..b"@docomo.ne.jp')
    assert take(session, ctx, raw).outcome == "stopped"


def full(session: Session, channel: Channel, ctx: Context, days: list[int]) -> list[str]:
    told = []
    for day in days:
        message = out(session, channel, recipient="full@mail.example")
        raw = back(session, "postfix-full", message)
        told.append(take(session, ctx, raw, NOW + day * DAY).outcome)
    return told


def test_three_full_mailboxes_over_a_week_stop_advertising_for_a_time(
    session: Session, channel: Channel, ctx: Context
) -> None:
    assert full(session, channel, ctx, [0, 1, 2, 7]) == ["counted"] * 3 + ["ads_stopped"]
    assert blocks(session) == [("soft_bounces", True)]
    assert tasks(session) == []
    assert lift_ended(session, NOW + 186 * DAY) == 0
    assert lift_ended(session, NOW + 187 * DAY) == 1
    (block,) = session.scalars(sa.select(Suppression)).all()
    assert block.lifted_at == NOW + 187 * DAY


def test_full_mailboxes_long_ago_no_longer_count(
    session: Session, channel: Channel, ctx: Context
) -> None:
    assert full(session, channel, ctx, [0, 1, 91]) == ["counted"] * 3
    assert blocks(session) == []


def test_the_daily_look_does_not_overrule_what_was_read(
    session: Session, channel: Channel, ctx: Context
) -> None:
    full(session, channel, ctx, [0])
    assert ask_for_addresses(session, ctx, NOW) == 0
    assert blocks(session) == []


@pytest.mark.parametrize(
    ("name", "bounce"),
    [
        ("exchange-refused", "block"),
        ("gmail-unauthenticated", "config"),
        ("gmail-too-fast", "throttle"),
        ("smtputf8", "content"),
    ],
)
def test_what_is_not_about_the_address_is_told_to_staff_once(
    session: Session, channel: Channel, ctx: Context, name: str, bounce: str
) -> None:
    for _ in range(2):
        message = out(session, channel)
        assert take(session, ctx, back(session, name, message)).outcome == "told"
        assert message.state is S.BOUNCED
    assert (blocks(session), tasks(session)) == ([], [REFUSED_MAIL])
    assert [row.bounce for row in kept(session)] == [bounce] * 2


@pytest.mark.parametrize("name", ["postfix-delayed", "postfix-delivered", "sendmail-warning"])
def test_a_delay_or_a_success_changes_nothing(
    session: Session, channel: Channel, ctx: Context, name: str
) -> None:
    message = out(session, channel)
    before = followed(session)
    assert take(session, ctx, back(session, name, message)).outcome == "left"
    assert (message.state, followed(session)) == (S.SENT, before)


def test_an_unconfirmed_mail_that_came_back_had_gone_out(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel, state=S.UNCONFIRMED, sent_at=None, sending_since=NOW)
    take(session, ctx, back(session, "qmail", message))
    assert (message.state, message.sent_at) == (S.BOUNCED, NOW)


def test_a_bounce_faster_than_the_outcome_is_taken_in_later(
    session: Session, channel: Channel, ctx: Context
) -> None:
    raw = back(session, "qmail", out(session, channel, state=S.SENDING))
    with pytest.raises(NotYet):
        take(session, ctx, raw)
    assert (kept(session), blocks(session)) == ([], [])


@pytest.mark.parametrize("fields", [{"captured": True}, {"state": S.APPROVED}])
def test_what_never_left_the_house_cannot_come_back(
    session: Session, channel: Channel, ctx: Context, fields: dict[str, object]
) -> None:
    message = out(session, channel, **fields)
    before = followed(session)
    assert take(session, ctx, back(session, "qmail", message)).outcome == "unmatched"
    assert followed(session) == before


# --- complaints -----------------------------------------------------------------------------


def test_a_complaint_ends_advertising_and_lets_order_mails_go_on(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    to = f"to{message.customer_id}@mail.example"
    waiting = out(
        session, channel, recipient=to, kind=MailKind.WIN_BACK, state=S.APPROVED, sent_at=None
    )
    thanks = out(session, channel, recipient=to, state=S.APPROVED, sent_at=None)
    assert take(session, ctx, back(session, "arf-abuse", message)).outcome == "complained"
    session.refresh(waiting)
    session.refresh(thanks)
    assert (message.state, waiting.state, thanks.state) == (S.COMPLAINED, S.SUPPRESSED, S.APPROVED)
    assert blocks(session) == [("complaint", True)]
    (row,) = session.scalars(sa.select(Consent)).all()
    assert (row.action, row.method) == (ConsentAction.WITHDRAWN, "complaint")
    assert row.address_hash == message.recipient_hash


def test_a_complaint_without_proof_and_a_report_of_no_spam_change_nothing(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    before = followed(session)
    forged = back(session, "arf-abuse", message, path="a@b.example", mail_id="<g@u.example>")
    assert take(session, ctx, forged).outcome == "unmatched"
    assert take(session, ctx, back(session, "arf-not-spam", message)).outcome == "unreadable"
    assert followed(session) == before


def test_the_rows_hold_no_address(session: Session, channel: Channel, ctx: Context) -> None:
    message = out(session, channel)
    for name in ("postfix-unknown-user", "exim", "sendmail-vague", "human-reply"):
        take(session, ctx, back(session, name, message))
    for row in kept(session):
        assert address_local(message.customer_id) not in f"{row.reply} {row.outcome}"
    assert KEY not in str(kept(session)).encode()
