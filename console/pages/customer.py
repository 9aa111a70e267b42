"""One customer: the card, and what staff may enter, fix and stop there."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.failures import told
from console.pages.fields import DayOrNone
from console.rendering import go, known, page
from console.views.ledger_card import kept_of, ledger_card
from console.views.profile_form import profile_form
from console.views.timeline import GROUPS
from console.visit import Approver, Editor, Reading
from worker.pipeline import rank
from worker.pipeline.customer_edits import edit_profile, write_lines
from worker.pipeline.merging import MergeRefused, unmerge
from worker.pipeline.review_words import Refused
from worker.pipeline.suppressions import lift_suppression, record_consent, suppress_customer
from worker.store.customers import Merge

router = APIRouter(prefix="/customers/{customer_id}")

Text = Annotated[str, Form(max_length=2000)]


@router.get("")
def show(visit: Reading, customer_id: int, show: str = "", whole: bool = False) -> Response:
    """The card; of somebody who was merged away, the one that was kept."""
    with visit.read() as (session, ctx):
        kept = kept_of(session, customer_id)
        if kept is None:
            raise Refused("customer_unknown")
        if kept != customer_id:
            return go(f"/customers/{kept}")
        model = ledger_card(
            session,
            ctx,
            customer_id,
            visit.words,
            visit.now,
            group=known(show, GROUPS),
            whole=whole,
        )
    return page(visit, "customer.html", c=model)


@router.get("/edit")
def ask_edit(visit: Reading, customer_id: int) -> Response:
    """The fields a clerk may enter."""
    with visit.read() as (session, _ctx):
        model = profile_form(session, customer_id)
    return page(visit, "customer_edit.html", f=model)


@router.post("/edit")
def edit(
    visit: Editor,
    customer_id: int,
    name: Annotated[str, Form(max_length=200)] = "",
    kana: Annotated[str, Form(max_length=200)] = "",
    phone: Annotated[str, Form(max_length=40)] = "",
    email: Annotated[str, Form(max_length=254)] = "",
    postal_code: Annotated[str, Form(max_length=20)] = "",
    address: Annotated[str, Form(max_length=500)] = "",
    birthday: DayOrNone = None,
) -> Response:
    """Save them; each stands until an order tells something else later."""
    entered: dict[str, str | date | None] = {
        "name": name,
        "kana": kana,
        "phone": phone,
        "email": email,
        "postal_code": postal_code,
        "address": address,
        "birthday": birthday,
    }
    with visit.act("edit_customer", f"customer:{customer_id}") as (session, _ctx):
        edit_profile(session, customer_id, entered, by=visit.login.name, now=visit.now)
    return _card(customer_id)


@router.post("/lines")
def lines(
    visit: Editor, customer_id: int, personal_line: Text = "", question_line: Text = ""
) -> Response:
    """Words for the next mail; mails that wait to be read are written anew with them."""
    with visit.act("write_lines", f"customer:{customer_id}") as (session, ctx):
        write_lines(session, ctx, customer_id, personal_line, question_line, now=visit.now)
    return _card(customer_id, "lines")


@router.post("/pin")
def pin(
    visit: Approver,
    customer_id: int,
    scope: Annotated[str, Form(max_length=80)],
    rung: Annotated[str, Form(max_length=40)],
    until: DayOrNone = None,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Fix a rank in one scope."""
    detail = {"scope": scope, "rank": rung}
    with visit.act("pin", f"customer:{customer_id}", **detail) as (session, ctx):
        if kept_of(session, customer_id) != customer_id:
            raise Refused("customer_unknown")
        rank.pin(
            session,
            ctx,
            customer_id,
            scope,
            rung,
            until,
            visit.login.name,
            reason.strip(),
            visit.now,
        )
    return _card(customer_id)


@router.post("/unpin")
def unpin(
    visit: Approver, customer_id: int, scope: Annotated[str, Form(max_length=80)]
) -> Response:
    """Let the ladder judge again."""
    with visit.act("unpin", f"customer:{customer_id}", scope=scope) as (session, ctx):
        rank.unpin(session, ctx, customer_id, scope, visit.login.name, visit.now)
    return _card(customer_id)


@router.post("/stop")
def stop(
    visit: Editor,
    customer_id: int,
    what: Annotated[Literal["all", "ads"], Form()],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Stop mails to this person; stopping is safe, so an editor may do it."""
    with visit.act("suppress", f"customer:{customer_id}", what=what) as (session, ctx):
        suppress_customer(
            session,
            ctx,
            customer_id,
            ads_only=what == "ads",
            note=note,
            by=visit.login.name,
            now=visit.now,
        )
    return _card(customer_id)


@router.post("/stop/{suppression_id}/lift")
def lift(
    visit: Approver,
    customer_id: int,
    suppression_id: int,
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lift a block, with a word on why."""
    with visit.act("lift_suppression", f"customer:{customer_id}") as (session, _ctx):
        lift_suppression(session, suppression_id, note=note, by=visit.login.name, now=visit.now)
    return _card(customer_id)


@router.post("/consent")
def consent(
    visit: Approver,
    customer_id: int,
    channel_id: Annotated[int, Form()],
    answer: Annotated[Literal["yes", "no"], Form()],
    evidence: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Write down what the customer said about advertising of one shop."""
    detail = {"channel": channel_id, "answer": answer}
    with visit.act("record_consent", f"customer:{customer_id}", **detail) as (session, ctx):
        record_consent(
            session,
            ctx,
            customer_id,
            channel_id,
            agreed=answer == "yes",
            evidence=evidence,
            by=visit.login.name,
            now=visit.now,
        )
    return _card(customer_id)


@router.post("/unmerge/{merge_id}")
def split(visit: Editor, customer_id: int, merge_id: int) -> Response:
    """Undo a link: orders and keys go back to whom they came from."""
    try:
        with visit.act("unmerge", f"merge:{merge_id}", customer=customer_id) as (session, ctx):
            merge = session.get(Merge, merge_id)
            if merge is None or kept_of(session, merge.kept_id) != customer_id:
                raise MergeRefused("not this customer's")
            unmerge(session, ctx, merge_id, visit.login.name, visit.now)
    except MergeRefused:
        return told(visit.request, 409, "unmerge")
    return _card(customer_id)


def _card(customer_id: int, place: str = "") -> Response:
    return go(f"/customers/{customer_id}{'#' if place else ''}{place}")
