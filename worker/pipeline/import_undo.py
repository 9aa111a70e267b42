"""Taking an import back: earlier revisions return, its own orders go, waiting mails with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.deriving import derived, settle_deliveries
from worker.pipeline.identify import identify
from worker.pipeline.order_values import from_snapshot, line_rows
from worker.pipeline.profiles import renew_profiles
from worker.rules.states import (
    MAYBE_OUT,
    WAITING,
    Actor,
    ImportState,
    MessageState,
    Outcome,
    QuarantineState,
)
from worker.store import order_queries as orders
from worker.store import orphan_queries
from worker.store.customer_queries import lock_people
from worker.store.messages import Message, Occasion
from worker.store.moves import apply_move
from worker.store.order_queries import REVISIONS, Stored, chunks
from worker.store.orders import Import, Quarantine

_CODE = "import_undone"


class UndoRefused(ValueError):
    """An import that cannot be taken back; the message says why."""


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What taking an import back did; orders by their numbers, messages by their ids."""

    import_id: int
    removed: int
    restored: int
    left: tuple[str, ...] = ()
    """Orders that a later record has changed since: they stay as they are."""
    cancelled_messages: tuple[str, ...] = ()
    rewritten_messages: tuple[str, ...] = ()
    """Waiting mails that speak of other orders too: they are written anew."""
    sent_messages: tuple[str, ...] = ()
    """Mails that are out, or may be: nothing can be done about them here."""


@dataclass(slots=True)
class _Found:
    """Orders the import touched, sorted by what is to be done."""

    made: list[Stored] = field(default_factory=list)
    changed: list[tuple[Stored, Mapping[str, Any], int]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def undo_import(
    session: Session, ctx: Context, import_id: int, now: datetime, by: str
) -> UndoReport:
    """Put the ledger back to before an import, as far as nothing newer rests on it.

    Orders it made are removed, orders it changed return to their earlier revision, unless a
    later record changed them. Its quarantine cases are closed. The file may be imported again.
    Raises UndoRefused where there is no such import or it is undone already.
    """
    record = session.get(Import, import_id)
    if record is None or record.state is ImportState.UNDONE:
        raise UndoRefused(
            f"取り消せる取込 {import_id} はありません / there is no import {import_id} to take back"
        )
    lock_people(session)
    found = _sort(session, import_id)
    concerned = [old.order["id"] for old in found.made]
    renewed = [old.order["id"] for old, _, _ in found.changed]
    mails = _stop_mails(session, concerned, renewed, record.started_at, by, now)
    customers: set[int] = {
        old.order["customer_id"] for old in (*found.made, *(old for old, _, _ in found.changed))
    } - {None}
    _restore(session, ctx, found, now)
    orders.delete_orders(session, concerned)
    _drop_cases(session, import_id)
    customers |= _identify_restored(session, ctx, now)
    alive = orphan_queries.remove_orphans(session, customers)
    renew_profiles(session, alive)
    orders.customers_due(session, alive)
    record.state, record.undone_at = ImportState.UNDONE, now
    session.flush()
    session.expire_all()
    return UndoReport(
        import_id=import_id,
        removed=len(found.made),
        restored=len(found.changed),
        left=tuple(found.left),
        cancelled_messages=mails.cancelled,
        rewritten_messages=mails.rewritten,
        sent_messages=mails.sent,
    )


def _identify_restored(session: Session, ctx: Context, now: datetime) -> set[int]:
    """Restored orders may belong to somebody else than before: find out at once."""
    concerned: set[int] = set()
    while (found := identify(session, ctx, now)).seen:
        concerned |= set(found.customer_ids)
    return concerned


def _sort(session: Session, import_id: int) -> _Found:
    query = (
        sa.select(REVISIONS.c.order_id, REVISIONS.c.revision, REVISIONS.c.before)
        .where(REVISIONS.c.import_id == import_id)
        .order_by(REVISIONS.c.order_id, REVISIONS.c.revision.desc())
    )
    by_order: dict[int, list[tuple[int, Any]]] = {}
    for order_id, revision, before in session.execute(query):
        by_order.setdefault(order_id, []).append((revision, before))
    found = _Found()
    for order_id, old in orders.whole(session, by_order).items():
        run = _latest_run(by_order[order_id], old.order["revision"])
        if run is None:
            found.left.append(old.order["number"])
        elif run[0] == 1:
            found.made.append(old)
        else:
            found.changed.append((old, run[1], run[0]))
    return found


def _latest_run(revisions: Sequence[tuple[int, Any]], now_at: int) -> tuple[int, Any] | None:
    """The oldest of the import's revisions that nothing else has changed since; None: none."""
    oldest = None
    for revision, before in revisions:
        if revision != now_at:
            break
        oldest, now_at = (revision, before), now_at - 1
    return oldest


def _restore(session: Session, ctx: Context, found: _Found, now: datetime) -> None:
    rows: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for old, before, revision in found.changed:
        order_id = old.order["id"]
        # Who it belongs to is asked again: links may have changed since the earlier revision.
        row = old.order | from_snapshot(before["order"])
        row |= {
            "id": order_id,
            "customer_id": old.order["customer_id"],
            "identify_due": True,
            "plan_due": True,
            "changed_at": now,
        }
        rows.append(derived(ctx, row))
        contacts.append(from_snapshot(before["contact"]) | {"order_id": order_id})
        lines += line_rows(order_id, before["lines"])
        session.execute(
            sa.delete(REVISIONS).where(
                REVISIONS.c.order_id == order_id, REVISIONS.c.revision >= revision
            )
        )
    orders.update_orders(session, rows)
    orders.update_contacts(session, contacts)
    orders.replace_lines(session, [row["id"] for row in rows], lines)
    settle_deliveries(session, rows)


def _drop_cases(session: Session, import_id: int) -> None:
    """Forget open cases of the file: taken in again they come again."""
    session.execute(
        sa.delete(Quarantine).where(
            Quarantine.import_id == import_id, Quarantine.state == QuarantineState.OPEN
        )
    )


# --- mails -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mails:
    cancelled: tuple[str, ...]
    rewritten: tuple[str, ...]
    sent: tuple[str, ...]


def _stop_mails(
    session: Session,
    removed: Sequence[int],
    restored: Sequence[int],
    since: datetime,
    by: str,
    now: datetime,
) -> _Mails:
    occasions = _occasions(session, [*removed, *restored])
    gone = set(removed)
    touched = sorted({o.message_id for o in occasions if o.message_id is not None})
    messages = _messages(session, touched)
    _end_occasions(session, [o for o in occasions if o.order_id in gone], messages, now)
    cancelled, rewritten, sent = [], [], []
    for message in messages.values():
        if message.state in MAYBE_OUT:
            sent.append(message.id)
        elif message.state in WAITING | {MessageState.HANDOFF}:
            if _still_wanted(session, message, since):
                rewritten.append(message.id)
                _write_again(session, message, by, now)
            else:
                cancelled.append(message.id)
                apply_move(session, message, "cancel", Actor.SYSTEM, by, _CODE, now)
                _judge_again(session, message, now)
    session.flush()
    return _Mails(tuple(cancelled), tuple(rewritten), tuple(sent))


def _occasions(session: Session, order_ids: Iterable[int]) -> list[Occasion]:
    found: list[Occasion] = []
    for part in chunks(order_ids):
        found += session.scalars(sa.select(Occasion).where(Occasion.order_id.in_(part)))
    return found


def _messages(session: Session, ids: Iterable[str]) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for part in chunks(ids):
        for message in session.scalars(sa.select(Message).where(Message.id.in_(part))):
            found[message.id] = message
    return found


def _end_occasions(
    session: Session,
    occasions: Iterable[Occasion],
    messages: Mapping[str, Message],
    now: datetime,
) -> None:
    """Occasions of removed orders are cancelled; what is out stays tied to its mail."""
    for occasion in occasions:
        message = messages.get(occasion.message_id or "")
        if message is not None and message.state in MAYBE_OUT:
            continue
        occasion.outcome = Outcome.CANCELLED
        occasion.reason = {"code": _CODE}
        occasion.changed_at = now
    session.flush()


def _still_wanted(session: Session, message: Message, since: datetime) -> bool:
    """Whether the mail rests on something else too: other orders, or the time before."""
    rest = session.scalars(
        sa.select(Occasion.id).where(
            Occasion.message_id == message.id, Occasion.outcome != Outcome.CANCELLED
        )
    ).all()
    others = session.scalars(sa.select(Occasion.id).where(Occasion.message_id == message.id)).all()
    shared = 0 < len(rest) < len(others)
    return bool(rest) and (shared or message.created_at < since)


def _write_again(session: Session, message: Message, by: str, now: datetime) -> None:
    if message.state is not MessageState.SCHEDULED:
        apply_move(session, message, "reschedule", Actor.SYSTEM, by, _CODE, now)


def _judge_again(session: Session, message: Message, now: datetime) -> None:
    """Occasions of restored orders lose their mail and wait for the planning to look again."""
    session.execute(
        sa.update(Occasion)
        .where(Occasion.message_id == message.id, Occasion.outcome == Outcome.MESSAGE)
        .values(
            outcome=Outcome.WAITING,
            message_id=None,
            reason={"code": _CODE},
            changed_at=now,
        )
    )
