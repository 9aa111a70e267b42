"""確認待ち: the list, the mail in the pane, the decision bar, the undo strip."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import select

from console.pages.reading import taken_by
from console.rendering import fragment, go, known, own_path, page
from console.shell import menu_counts
from console.views.mail import mail_view
from console.views.pane import changed_since
from console.views.queue import Chosen, queue_view
from console.visit import Approver, Reading
from worker.pipeline import review
from worker.rules.states import MailKind, MessageState, Role
from worker.store.messages import Message

router = APIRouter()


def chosen_of(
    kind: str = "",
    rank: str = "",
    channel: str = "",
    list: str = "",  # noqa: A002 - the address's own word
    q: str = "",
) -> Chosen:
    """The filter from the address; an unknown kind or list asks for nothing."""
    return Chosen(
        kind=known(kind, tuple(MailKind)),
        rank=rank[:40],
        channel=channel[:80],
        list=known(list, ("vip", "held", "back")),
        q=q.strip()[:80],
    )


Filter = Annotated[Chosen, Depends(chosen_of)]


@router.get("/queue")
def show(visit: Reading, chosen: Filter, m: str = "", view: str = "", after: str = "") -> Response:
    """The list with one mail open."""
    with visit.read() as (session, ctx):
        model = queue_view(
            session,
            ctx,
            chosen,
            visit.words,
            visit.now,
            by=visit.login.name,
            message_id=m,
            after=after,
        )
        mail = None
        if model.current:
            mail = mail_view(session, ctx, model.current, visit.words, visit.now, view)
        undo_minutes = ctx.documents.review.undo_seconds // 60
    return page(
        visit,
        "queue.html",
        q=model,
        mail=mail,
        taken=taken_by(visit, model.current) if model.current else "",
        undo_minutes=undo_minutes,
    )


@router.get("/queue/rows")
def rows(
    visit: Reading,
    chosen: Filter,
    since: Annotated[int, Query(ge=0, le=2**62)] = 0,
    m: str = "",
    v: Annotated[int, Query(ge=0)] = 0,
    after: str = "",
) -> Response:
    """The list as it is now, for htmx; what came in since is counted, and the pane left alone."""
    taken = taken_by(visit, m) if m else ""
    with visit.read() as (session, ctx):
        model = queue_view(
            session,
            ctx,
            chosen,
            visit.words,
            visit.now,
            by=visit.login.name,
            message_id=m,
            after=after,
            since=since,
        )
        changed = changed_since(session, ctx, m, v, visit.words, visit.now) if m else ""
        packing = menu_counts(session)["packing"]
    return fragment(
        visit,
        "_rows_again.html",
        q=model,
        packing=packing,
        taken=taken,
        changed=changed,
        message_id=m,
        here=f"{chosen.query(m=m)}#mail",
        may_take=visit.login.may(Role.APPROVER),
    )


@router.post("/queue/undo")
def undo(
    visit: Approver, at: Annotated[AwareDatetime, Form()], back: Annotated[str, Form()] = "/queue"
) -> Response:
    """Take back this person's approvals of that moment: one mail, or a whole batch."""
    with visit.act("undo_many", at=at.isoformat()) as (session, ctx):
        ids = session.scalars(
            select(Message.id)
            .where(
                Message.state == MessageState.APPROVED,
                Message.approved_by == visit.login.name,
                Message.approved_at == at,
            )
            .order_by(Message.id)
        ).all()
        for message_id in ids:
            review.undo(session, ctx, message_id, by=visit.login.name, now=visit.now)
    opened = f"/queue?m={ids[0]}#mail" if len(ids) == 1 else own_path(back, "/queue")
    return go(opened)
