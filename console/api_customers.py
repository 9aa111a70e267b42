"""Customers, notes and errands for programs: the same steps as the pages, by login and role."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from console.api_shapes import (
    Block,
    Blocked,
    Bounced,
    Changed,
    ChangedNote,
    CustomerCard,
    CustomerPage,
    CustomerRow,
    Fields,
    Gift,
    Heard,
    Lines,
    NewNote,
    NoteRow,
    Pin,
    Read,
    Rewritten,
    ScopeStanding,
    Settled,
    TaskRow,
    Unpin,
    Word,
)
from console.rendering import known
from console.views.customers import PAGE, SORTS, Chosen, chosen_from, wanted_of
from console.views.ledger_card import kept_of
from console.visit import ApiApprover, ApiEditor, NoSuchPlace, Reading
from worker.pipeline import notes, rank
from worker.pipeline.bounces import note_bounce
from worker.pipeline.customer_edits import edit_profile, write_lines
from worker.pipeline.review_words import Refused
from worker.pipeline.rewards import decide_grant
from worker.pipeline.staff_tasks import close_task, open_tasks
from worker.pipeline.suppressions import lift_suppression, record_consent, suppress_customer
from worker.rules.finding import KANA_ROWS
from worker.rules.states import NoteState
from worker.store import list_queries
from worker.store.card_queries import standings_of
from worker.store.customers import ContactNote, CustomerProfile
from worker.store.list_queries import UnknownCursor
from worker.store.note_queries import notes_of
from worker.store.search_queries import find_customers
from worker.store.standing_queries import groups

router = APIRouter(prefix="/api/v1", tags=["customers"])


def _row(row: Any) -> CustomerRow:
    return CustomerRow(
        id=row["customer_id"],
        visits=row["visits"] or 0,
        orders=row["count"] or 0,
        spend=row["net_spend"] or 0,
        guest=not row["is_member"],
        **{
            name: row[name]
            for name in (
                *("name", "kana", "phone", "email", "postal_code", "address"),
                *("birthday", "rank", "last_order_at"),
            )
        },
    )


def _note(note: ContactNote) -> NoteRow:
    names = ("id", "version", "said", "gift_received", "ask_next", "ask_by", "via", "inquiry")
    values = {name: getattr(note, name) for name in (*names, "by", "at")}
    return NoteRow(open=note.state is NoteState.OPEN, **values)


@router.get("/customers")
def customers(
    visit: Reading,
    q: Annotated[str, Query(max_length=80)] = "",
    rung: Annotated[str, Query(alias="rank")] = "",
    scope: str = "",
    row: str = "",
    bucket: str = "",
    noted: bool = False,
    silent: int = 0,
    sort: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> CustomerPage:
    """Search by ``q``, or a page of the list by filters; the unknown asks for nothing."""
    chosen: Chosen = chosen_from(
        {
            "q": q,
            "rank": rung,
            "scope": scope,
            "row": known(row, tuple(KANA_ROWS)),
            "bucket": bucket,
            "noted": "1" if noted else "",
            "silent": str(silent),
            "sort": known(sort, SORTS),
        }
    )
    with visit.read() as (session, ctx):
        if chosen.q:
            ids = find_customers(session, ctx.key, chosen.q, limit)
            found, behind = tuple(list_queries.lines_of(session, ids)), ""
        else:
            try:
                wanted = wanted_of(chosen, visit.now)
                page = list_queries.page(session, wanted, after=after, limit=limit)
            except UnknownCursor as error:
                raise NoSuchPlace from error
            found, behind = page.lines, page.after
    visit.tell_export("customers", len(found))
    return CustomerPage(rows=[_row(each) for each in found], after=behind)


@router.get("/customers/{customer_id}")
def customer(visit: Reading, customer_id: int) -> CustomerCard:
    """One customer; of somebody who was merged away, the one that was kept."""
    with visit.read() as (session, _ctx):
        kept = kept_of(session, customer_id)
        if kept is None:
            raise Refused("customer_unknown")
        profile = session.get(CustomerProfile, kept)
        (line,) = list_queries.lines_of(session, [kept])
        return CustomerCard(
            customer=_row(line),
            standings=[
                ScopeStanding(
                    scope=scope,
                    rank=one.rank,
                    orders=one.count,
                    visits=one.visits,
                    spend=one.net_spend,
                )
                for scope, one in standings_of(session, kept).items()
            ],
            notes=[_note(note) for note in notes_of(session, list(groups(session, [kept])))],
            personal_line=(profile.personal_line if profile else None) or "",
            question_line=(profile.question_line if profile else None) or "",
        )


@router.post("/customers/{customer_id}/fields")
def enter(visit: ApiEditor, customer_id: int, fields: Fields) -> Changed:
    """Enter contact data or birthday."""
    entered = {name: getattr(fields, name) for name in fields.model_fields_set}
    with visit.act("edit_customer", f"customer:{customer_id}") as (session, _ctx):
        changed = edit_profile(session, customer_id, entered, by=visit.login.name, now=visit.now)
    return Changed(fields=list(changed))


@router.post("/customers/{customer_id}/lines")
def lines(visit: ApiEditor, customer_id: int, words: Lines) -> Rewritten:
    """Put words into the next mail."""
    with visit.act("write_lines", f"customer:{customer_id}") as (session, ctx):
        written = write_lines(
            session, ctx, customer_id, words.personal_line, words.question_line, now=visit.now
        )
    return Rewritten(messages=written)


@router.post("/customers/{customer_id}/notes")
def write_note(visit: ApiEditor, customer_id: int, note: NewNote) -> NoteRow:
    """Add a contact note."""
    detail = {"open": note.open}
    with visit.act("write_note", f"customer:{customer_id}", **detail) as (session, _ctx):
        made = notes.write_note(
            session,
            customer_id,
            note.words(),
            is_open=note.open,
            by=visit.login.name,
            now=visit.now,
        )
        return _note(made)


@router.post("/notes/{note_id}")
def edit_note(visit: ApiEditor, note_id: int, note: ChangedNote) -> NoteRow:
    """Write the fixed form over a note; ``open`` is changed by its own calls."""
    with visit.act("edit_note", f"note:{note_id}") as (session, _ctx):
        return _note(
            notes.edit_note(
                session,
                note_id,
                note.words(),
                version=note.version,
                by=visit.login.name,
                now=visit.now,
            )
        )


@router.post("/notes/{note_id}/done")
def finish_note(visit: ApiEditor, note_id: int, read: Read) -> NoteRow:
    """Finish a note; what it held is let go, to be read."""
    with visit.act("finish_note", f"note:{note_id}") as (session, _ctx):
        return _note(
            notes.finish_note(
                session, note_id, version=read.version, by=visit.login.name, now=visit.now
            )
        )


@router.post("/notes/{note_id}/reopen")
def reopen_note(visit: ApiEditor, note_id: int, read: Read) -> NoteRow:
    """Open a note again."""
    with visit.act("reopen_note", f"note:{note_id}") as (session, _ctx):
        return _note(
            notes.reopen_note(
                session, note_id, version=read.version, by=visit.login.name, now=visit.now
            )
        )


@router.post("/customers/{customer_id}/stop")
def stop(visit: ApiEditor, customer_id: int, block: Block) -> Blocked:
    """Stop mails, or advertising only, to this person."""
    with visit.act("suppress", f"customer:{customer_id}", what=block.what) as (session, ctx):
        made = suppress_customer(
            session,
            ctx,
            customer_id,
            ads_only=block.what == "ads",
            note=block.note,
            by=visit.login.name,
            now=visit.now,
        )
        return Blocked(id=made.id)


@router.post("/suppressions/{suppression_id}/lift")
def lift(visit: ApiApprover, suppression_id: int, why: Word) -> Blocked:
    """Lift a block, with a word on why."""
    with visit.act("lift_suppression", f"suppression:{suppression_id}") as (session, _ctx):
        lift_suppression(session, suppression_id, note=why.word, by=visit.login.name, now=visit.now)
    return Blocked(id=suppression_id)


@router.get("/tasks")
def tasks(visit: Reading) -> list[TaskRow]:
    """Errands that wait, the oldest first."""
    with visit.read() as (session, _ctx):
        return [
            TaskRow(
                id=row.id,
                kind=row.kind,
                subject=row.subject,
                detail=row.detail,
                created_at=row.created_at,
            )
            for row in open_tasks(session)
        ]


@router.post("/tasks/{task_id}/close")
def close(visit: ApiEditor, task_id: int, done: Word) -> TaskRow:
    """Close an errand with a word."""
    with visit.act("close_task", f"task:{task_id}") as (session, _ctx):
        row = close_task(session, task_id, word=done.word, by=visit.login.name, now=visit.now)
        return TaskRow(
            id=row.id,
            kind=row.kind,
            subject=row.subject,
            detail=row.detail,
            created_at=row.created_at,
        )


@router.post("/messages/{message_id}/bounced")
def bounced(visit: ApiEditor, message_id: str, notice: Word) -> Bounced:
    """A notice came that the mail could not be delivered."""
    with visit.act("note_bounce", f"message:{message_id}") as (session, ctx):
        found = note_bounce(
            session, ctx, message_id, evidence=notice.word, by=visit.login.name, now=visit.now
        )
        return Bounced(id=found.id, state=found.state)


@router.post("/customers/{customer_id}/pin")
def pin(visit: ApiApprover, customer_id: int, wanted: Pin) -> Settled:
    """Fix a rank in one scope."""
    detail = {"scope": wanted.scope, "rank": wanted.rank}
    with visit.act("pin", f"customer:{customer_id}", **detail) as (session, ctx):
        if kept_of(session, customer_id) != customer_id:
            raise Refused("customer_unknown")
        rank.pin(
            session,
            ctx,
            customer_id,
            wanted.scope,
            wanted.rank,
            wanted.until,
            visit.login.name,
            wanted.reason.strip(),
            visit.now,
        )
    return Settled(id=customer_id)


@router.post("/customers/{customer_id}/unpin")
def unpin(visit: ApiApprover, customer_id: int, wanted: Unpin) -> Settled:
    """Let the ladder judge again."""
    with visit.act("unpin", f"customer:{customer_id}", scope=wanted.scope) as (session, ctx):
        rank.unpin(session, ctx, customer_id, wanted.scope, visit.login.name, visit.now)
    return Settled(id=customer_id)


@router.post("/customers/{customer_id}/consent")
def consent(visit: ApiApprover, customer_id: int, heard: Heard) -> Settled:
    """Write down what the customer said about advertising of one channel."""
    detail = {"channel": heard.channel_id, "agreed": heard.agreed}
    with visit.act("record_consent", f"customer:{customer_id}", **detail) as (session, ctx):
        row = record_consent(
            session,
            ctx,
            customer_id,
            heard.channel_id,
            agreed=heard.agreed,
            evidence=heard.evidence,
            by=visit.login.name,
            now=visit.now,
        )
        return Settled(id=row.id)


@router.post("/rewards/{grant_id}")
def decide(visit: ApiApprover, grant_id: int, gift: Gift) -> Settled:
    """Give a reward that waits, or leave it."""
    with visit.act("decide_reward", f"grant:{grant_id}", give=gift.give) as (session, ctx):
        decide_grant(session, ctx, grant_id, give=gift.give, by=visit.login.name, now=visit.now)
    return Settled(id=grant_id)
