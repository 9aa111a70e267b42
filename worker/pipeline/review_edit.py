"""Changing one mail's words: an approval lapses, and the verdict is asked anew."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from worker.pipeline.context import Context
from worker.pipeline.review_actions import body_of, load
from worker.pipeline.review_approval import clear_approval, content
from worker.pipeline.review_diff import diff_mail
from worker.pipeline.review_inspect import inspect_words
from worker.pipeline.review_verdict import permission_now
from worker.pipeline.review_words import Refused, StaleEdit, Words
from worker.rules.states import REVIEWABLE, Actor, MessageState
from worker.store.message_queries import TO_SEND
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.moves import apply_move

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def edit(
    session: Session,
    ctx: Context,
    message_id: str,
    words: Words,
    *,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Write new words; an approval lapses, a mail that was sent back waits to be read again.

    Raises StaleEdit, with the difference between what stands there and these words, where
    somebody changed the message meanwhile; Refused where the words or the state forbid it.
    """
    given = words.given()
    message = _load_for_edit(session, message_id, version, given)
    if message.state not in REVIEWABLE | set(TO_SEND):
        raise Refused("not_editable")
    body = body_of(session, message)
    if (why := first_fault(ctx, message, given)) is not None:
        raise Refused("text_refused", why=why)
    before = content(body)
    if all(before[name] == value for name, value in given.items()):
        return message
    seen = inspect_words(session, ctx, message, body, given)
    if seen.fault:
        raise Refused("text_refused", why=seen.fault)
    _to_desk(session, message, by, now)
    _note_advertising(session, ctx, message, advertising=seen.advertising)
    for name, value in given.items():
        setattr(body, name, value)
    if message.attempts:
        # Other words under the Message-ID of an earlier attempt would be two mails in one.
        message.generation, message.attempts = message.generation + 1, 0
    message.edited = True
    flag_modified(message, "edited")  # the version counts up at every edit, not only the first
    _tell_edit(session, message, by, sorted(diff_mail(before, content(body))), now)
    session.flush()
    return message


def _note_advertising(
    session: Session, ctx: Context, message: Message, *, advertising: bool
) -> None:
    """Words that advertise need what an advertisement needs, whoever wrote them (P9)."""
    if message.advertising == advertising:
        return
    message.advertising = advertising
    basis = message.why.get("basis")
    if basis is not None:
        # The clerk's words changed the verdict, and no fact did: the next look compares with it.
        now_is = permission_now(session, ctx, message)
        told = {"verdict": now_is.verdict.value, "refused": now_is.code}
        message.why = {**message.why, "basis": {**basis, **told}}


def _load_for_edit(
    session: Session, message_id: str, version: int | None, given: dict[str, Any]
) -> Message:
    try:
        return load(session, message_id, version)
    except StaleEdit as stale:
        body = session.get(MessageBody, message_id, populate_existing=True)
        theirs = diff_mail(content(body), given) if body else {}
        raise StaleEdit(message_id, stale.version, theirs) from None


def _to_desk(session: Session, message: Message, by: str, now: datetime) -> None:
    """Bring the message to where it is read: an edited mail was not approved by anybody."""
    if message.state in TO_SEND:
        apply_move(session, message, "lapse", Actor.SYSTEM, by, "edited", now)
        message.next_attempt_at = None
    elif message.state is MessageState.SENT_BACK:
        apply_move(session, message, "resubmit", Actor.STAFF, by, "edited", now)
    clear_approval(message)


def _tell_edit(
    session: Session, message: Message, by: str, changed: list[str], now: datetime
) -> None:
    """An edit is no move, but its author and time belong into the same history."""
    session.add(
        MessageEvent(
            message_id=message.id,
            at=now,
            move="edit",
            from_state=message.state,
            to_state=message.state,
            actor=Actor.STAFF,
            by=by,
            reason={"fields": changed},
        )
    )


def first_fault(ctx: Context, message: Message, given: dict[str, Any]) -> str | None:
    """Name the first thing that keeps these words from being saved, in Japanese and English."""
    subject, text = given.get("subject"), given.get("text")
    if subject is not None and (not subject.strip() or "\n" in subject or "\r" in subject):
        return "件名は空にも2行にもできません。/ the subject must be one line"
    if text is not None and not text.strip():
        return "本文が空です。/ the text is empty"
    if any(_CONTROL.search(value) for value in given.values()):
        return "使えない制御文字があります。/ there is a control character"
    forbidden = ctx.documents.policy.forbidden_words.get(message.family, ())
    found = next((word for word in forbidden for value in given.values() if word in value), None)
    if found is not None:
        return f"このモールで使えない言葉です: {found} / this marketplace forbids: {found}"
    return None
