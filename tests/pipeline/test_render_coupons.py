"""A mail shows only coupons of the channel through which it goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from tests.pipeline.test_plan_people import a_fifth, a_grant, a_pool, rewarding
from worker.pipeline.coupons import take_coupon
from worker.pipeline.render import render_due
from worker.rules.states import CouponState, MailKind, MessageState
from worker.store.rewards import CouponCode, CouponPool


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


@pytest.mark.parametrize("held", [False, True])
def test_a_milestone_mail_of_the_own_shop_shows_no_marketplace_code(
    session: Session, held: bool
) -> None:
    _shop, person, order = a_fifth(session)
    using = rewarding()
    a_pool(session, using)
    grant = a_grant(session, person, order)
    if held:
        take_coupon(session, using, "five", grant_id=grant.id, now=p.MONDAY)
    mall = p.a_shop(session, "rakuten:main")
    session.scalars(select(CouponPool)).one().channel_id = mall.id
    session.flush()
    p.planned(session, using)
    message = p.message_of(session, order, MailKind.MILESTONE)
    render_due(session, using, message.due_at)
    body = p.body_of(session, message)
    assert (message.state, message.hold_reason) == (MessageState.ON_HOLD, "missing_value")
    assert "7K3M" not in f"{body.subject}{body.text}{body.html}"
    state = session.scalars(select(CouponCode.state)).one()
    assert state is (CouponState.RESERVED if held else CouponState.AVAILABLE)
