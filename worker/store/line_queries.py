"""Which words of a clerk a mail has carried already: they are said once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.rules.states import MAYBE_OUT
from worker.store.messages import Message, MessageBody
from worker.store.order_queries import chunks

LINES = ("personal_line", "question_line")


def lines_said(
    session: Session, customer_ids: Collection[int]
) -> dict[int, set[tuple[str, str | None]]]:
    """(field, words) that left or may have left in a mail to the person."""
    found: dict[int, set[tuple[str, str | None]]] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(Message.customer_id, MessageBody.values)
            .join(MessageBody, MessageBody.message_id == Message.id)
            .where(Message.customer_id.in_(part), Message.state.in_(MAYBE_OUT))
        )
        for customer_id, values in rows:
            said = {(name, values[name]) for name in LINES if values.get(name)}
            found.setdefault(customer_id or 0, set()).update(said)
    return found
