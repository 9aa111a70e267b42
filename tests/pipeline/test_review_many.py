"""Approving many: exactly those that were shown, and nobody by accident."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW
from tests.pipeline.approved import written
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import QueueFilter, Refused
from worker.rules.states import MailKind, MessageState
from worker.store.channels import Channel

S = MessageState
BY: dict[str, Any] = {"by": "hana", "now": NOW}
THANKS = QueueFilter(kinds=frozenset({MailKind.ORDER_THANKS}))


def test_a_filter_approves_exactly_the_number_that_was_shown(
    session: Session, channel: Channel, ctx: Context
) -> None:
    made = sorted(written(session, channel).id for _ in range(3))
    done = review.approve_many(session, ctx, expected=3, filters=THANKS, **BY)
    assert (done.approved, done.refused, done.left_out) == (tuple(made), (), ())


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_another_number_approves_nobody(
    session: Session, channel: Channel, ctx: Context, expected: int
) -> None:
    made = [written(session, channel) for _ in range(3)]
    with pytest.raises(Refused) as no:
        review.approve_many(session, ctx, expected=expected, filters=THANKS, **BY)
    assert (no.value.code, no.value.facts) == ("count_differs", {"expected": expected, "found": 3})
    assert {message.state for message in made} == {S.IN_REVIEW}


@pytest.mark.parametrize("filters", [None, QueueFilter(), QueueFilter(search="  ")])
def test_an_empty_filter_selects_nobody(
    session: Session, channel: Channel, ctx: Context, filters: QueueFilter | None
) -> None:
    message = written(session, channel)
    with pytest.raises(Refused) as no:
        review.approve_many(session, ctx, expected=1, filters=filters, **BY)
    assert (no.value.code, message.state) == ("empty_filter", S.IN_REVIEW)


def test_no_ids_approve_nobody(session: Session, channel: Channel, ctx: Context) -> None:
    message = written(session, channel)
    done = review.approve_many(session, ctx, expected=0, ids=[], **BY)
    assert (done.approved, message.state) == ((), S.IN_REVIEW)


@pytest.mark.parametrize("by_ids", [True, False])
def test_vip_and_flagged_are_left_out_unless_asked(
    session: Session, channel: Channel, ctx: Context, by_ids: bool
) -> None:
    plain = written(session, channel)
    vip = written(session, channel, rank="vip")
    flagged = written(session, channel, flags=[{"flag": "gift"}])
    ids = [plain.id, vip.id, flagged.id]
    chosen: dict[str, Any] = {"ids": ids} if by_ids else {"filters": THANKS}
    assert review.select_many(session, ctx, **chosen).left_out == (vip.id, flagged.id)
    done = review.approve_many(session, ctx, expected=1, **chosen, **BY)
    assert (done.approved, done.left_out) == ((plain.id,), (vip.id, flagged.id))
    rest = [vip.id, flagged.id]
    asked = review.approve_many(
        session, ctx, expected=2, ids=rest, with_vip=True, with_flagged=True, **BY
    )
    assert asked.approved == tuple(rest)


def test_one_that_may_not_go_does_not_stop_the_others(
    session: Session, channel: Channel, ctx: Context
) -> None:
    good = written(session, channel)
    late = written(session, channel, expires_at=NOW)
    held = written(session, channel, state=S.ON_HOLD)
    ids = [late.id, held.id, "nobody", good.id, good.id]
    done = review.approve_many(session, ctx, expected=4, ids=ids, **BY)
    assert done.approved == (good.id,)
    assert [(left.message_id, left.code) for left in done.refused] == [
        (late.id, "expired"),
        (held.id, "not_in_review"),
        ("nobody", "not_found"),
    ]
    assert (late.state, held.state) == (S.IN_REVIEW, S.ON_HOLD)


def test_a_filter_over_other_states_still_approves_only_what_is_in_review(
    session: Session, channel: Channel, ctx: Context
) -> None:
    held = written(session, channel, state=S.ON_HOLD)
    shown = QueueFilter(
        states=frozenset({S.ON_HOLD, S.SENT}), kinds=frozenset({MailKind.ORDER_THANKS})
    )
    assert review.select_many(session, ctx, filters=shown).ids == ()
    assert held.state is S.ON_HOLD
