"""Moves of messages as the store writes them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.factories import NOW, make_channel, make_message
from worker.rules.states import Actor, MessageState, MoveRefused
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageEvent
from worker.store.moves import apply_move


def test_a_move_writes_the_state_and_its_event_together(engine: sa.Engine) -> None:
    with writing(engine) as session:
        message = make_message(session, make_channel(session), state=MessageState.IN_REVIEW)
        apply_move(session, message, "approve", Actor.STAFF, "hana", "looks_good", NOW)
    with reading(engine) as session:
        stored = session.scalars(sa.select(Message)).one()
        event = session.scalars(sa.select(MessageEvent)).one()
        assert stored.state is MessageState.APPROVED
        assert stored.version == 2
        assert (event.from_state, event.to_state, event.by, event.reason) == (
            MessageState.IN_REVIEW,
            MessageState.APPROVED,
            "hana",
            {"code": "looks_good"},
        )


def test_a_refused_move_changes_nothing(engine: sa.Engine) -> None:
    with writing(engine) as session:
        message = make_message(session, make_channel(session), state=MessageState.SENT)
        with pytest.raises(MoveRefused):
            apply_move(session, message, "cancel", Actor.STAFF, "hana", "late", NOW)
        assert message.state is MessageState.SENT
        assert session.scalars(sa.select(MessageEvent)).all() == []
