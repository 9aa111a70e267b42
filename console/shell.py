"""What stands around every page: the menu with its counts, and whether mails leave."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.visit import Visit
from worker.rules.states import (
    CandidateState,
    MessageState,
    QuarantineState,
    Role,
    RunMode,
)
from worker.store.channels import Channel
from worker.store.customers import Candidate
from worker.store.messages import Message
from worker.store.note_queries import count_due
from worker.store.orders import Import, Quarantine
from worker.store.rewards import PackingItem, StaffTask
from worker.store.running import Instance, Stop
from worker.store.solicitations import Solicitation

_LISTS = {
    "queue": MessageState.IN_REVIEW,
    "unconfirmed": MessageState.UNCONFIRMED,
    "handoffs": MessageState.HANDOFF,
}


@dataclass(frozen=True, slots=True)
class Shell:
    """Counts by page name, who is here, and how mails leave now."""

    shop: str
    user: str
    role: str
    path: str
    here: str
    """Path and query, to come back to after a form."""
    counts: dict[str, int]
    sending: str
    """``live``, ``capture`` or ``stopped``."""
    last_import: str
    can_edit: bool
    can_approve: bool
    can_admin: bool
    shortcuts: bool
    """Whether single keys act for this user."""


def shell(visit: Visit) -> Shell:
    """Read the counts of the menu."""
    with visit.read() as (session, ctx):
        counts = menu_counts(session)
        counts["tasks"] += count_due(session, visit.now.astimezone(ctx.zone).date())
        sending = _sending(session, counts["stops"])
        imported = session.scalar(select(func.max(Import.finished_at)))
        shop, zone = ctx.documents.shop.name, ctx.zone
    url = visit.request.url
    return Shell(
        shop=shop,
        user=visit.login.name,
        role=visit.login.role,
        path=url.path,
        here=f"{url.path}?{url.query}" if url.query else url.path,
        counts=counts,
        sending=sending,
        last_import=formats.near(imported, visit.now, zone) if imported else "",
        can_edit=visit.login.may(Role.EDITOR),
        can_approve=visit.login.may(Role.APPROVER),
        can_admin=visit.login.may(Role.ADMIN),
        shortcuts=visit.login.shortcuts,
    )


def menu_counts(session: Session) -> dict[str, int]:
    """How many things wait behind each line of the menu."""
    by_state = {
        row.state: row.number
        for row in session.execute(
            select(Message.state, func.count().label("number"))
            .where(Message.state.in_(_LISTS.values()))
            .group_by(Message.state)
        )
    }
    counts = {page: by_state.get(state, 0) for page, state in _LISTS.items()}
    counts["handoffs"] += _number(session, Solicitation.state == MessageState.UNCONFIRMED)
    counts["packing"] = _number(
        session, PackingItem.packed_at.is_(None), PackingItem.withdrawn_at.is_(None)
    )
    counts["quarantine"] = _number(session, Quarantine.state == QuarantineState.OPEN)
    counts["candidates"] = _number(session, Candidate.state == CandidateState.OPEN)
    counts["tasks"] = _number(session, StaffTask.done_at.is_(None))
    counts["stops"] = _number(session, Stop.lifted_at.is_(None))
    # Stopped by a refusal; what a person paused is no news to anybody.
    counts["channels"] = _number(session, Channel.paused.is_(True), Channel.last_error != "")
    return counts


def _number(session: Session, *conditions: object) -> int:
    statement = select(func.count()).where(*conditions)  # type: ignore[arg-type]
    return session.scalar(statement) or 0


def _sending(session: Session, stops: int) -> str:
    instance = session.scalars(select(Instance).limit(1)).first()
    whole = session.scalar(
        select(func.count()).where(
            Stop.lifted_at.is_(None), Stop.channel_id.is_(None), Stop.kind.is_(None)
        )
    )
    if whole:
        return "stopped"
    if instance is None or instance.mode is RunMode.CAPTURE or instance.locked_reason:
        return "capture"
    return "part" if stops else "live"
