"""Moving a message: the state and the event row that tells of it are written together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.rules.states import Actor, MoveRefused, move
from worker.store.messages import Message, MessageEvent

__all__ = ["MoveRefused", "apply_move"]


def apply_move(
    session: Session,
    message: Message,
    name: str,
    actor: Actor,
    by: str,
    reason: Mapping[str, Any] | str,
    now: datetime,
) -> MessageEvent:
    """Make the move ``name`` and write its event; a plain ``reason`` becomes ``{"code": reason}``.

    Raises MoveRefused where the table of moves has no such move; then nothing was changed.
    """
    source = message.state
    target = move(name, source, actor).target
    told = {"code": reason} if isinstance(reason, str) else dict(reason)
    if told == {"code": ""}:
        told = {}
    message.state = target
    event = MessageEvent(
        message_id=message.id,
        at=now,
        move=name,
        from_state=source,
        to_state=target,
        actor=actor,
        by=by,
        reason=told,
    )
    session.add(event)
    return event
