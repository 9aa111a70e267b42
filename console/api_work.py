"""Packing, possible duplicates and kept records for programs: the pages' own steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from console.visit import ApiEditor, Reading
from worker.pipeline import packing, quarantine
from worker.pipeline.merging import decide_candidate
from worker.rules.states import CandidateState
from worker.store.customers import Candidate
from worker.store.orders import Quarantine

router = APIRouter(prefix="/api/v1", tags=["work"])


class Parcel(BaseModel):
    """A thing that must lie in a parcel; ``held`` says why a card is not to be printed."""

    item_id: int
    order_number: str
    channel: str
    name: str
    item: str
    label: str
    visit_number: int | None
    gift: bool
    packed_at: datetime | None
    packed_by: str
    text: str
    held: str


class Tick(BaseModel):
    """Packed, or not packed after all."""

    packed: bool = True


class Pair(BaseModel):
    """Two customers who may be one person."""

    id: int
    customer_a: int
    customer_b: int
    reason: str
    at: datetime


class Answer(BaseModel):
    """Whether both are the same person."""

    same: bool


class Kept(BaseModel):
    """A record that could not become an order."""

    id: int
    external_id: str
    position: str
    code: str
    field: str
    reason: str
    created_at: datetime


class Fix(BaseModel):
    """The right value of one field."""

    field: str = Field(min_length=1, max_length=80)
    value: str = Field(max_length=1000)


class Replayed(BaseModel):
    """How many records became orders, and how many did not."""

    replayed: int
    failed: int


class Done(BaseModel):
    """It was done, or will be within half a minute."""

    done: bool = True


@router.get("/packing")
def parcels(visit: Reading) -> list[Parcel]:
    """What is to be packed, and what was packed today."""
    with visit.read() as (session, ctx):
        rows = packing.packing_list(session, ctx, visit.now.astimezone(ctx.zone).date())
    visit.tell_export("packing", len(rows))
    names = tuple(Parcel.model_fields)
    return [Parcel(**{name: getattr(row, name) for name in names}) for row in rows]


@router.post("/packing/{item_id}")
def tick(visit: ApiEditor, item_id: int, answer: Tick) -> Done:
    """Tick a thing, or take the tick back."""
    action = "pack" if answer.packed else "unpack"
    with visit.act(action, f"packing:{item_id}") as (session, _ctx):
        if answer.packed:
            packing.tick(session, item_id, visit.login.name, visit.now)
        else:
            packing.untick(session, item_id)
    return Done()


@router.get("/candidates")
def candidates(visit: Reading) -> list[Pair]:
    """Pairs that wait for a decision, the oldest first."""
    open_pairs = (
        select(Candidate)
        .where(Candidate.state == CandidateState.OPEN)
        .order_by(Candidate.id)
        .limit(500)
    )
    with visit.read() as (session, _ctx):
        return [
            Pair(
                id=row.id,
                customer_a=row.customer_a,
                customer_b=row.customer_b,
                reason=row.reason,
                at=row.at,
            )
            for row in session.scalars(open_pairs)
        ]


@router.post("/candidates/{candidate_id}")
def decide(visit: ApiEditor, candidate_id: int, answer: Answer) -> Done:
    """Take the word of somebody who knows."""
    told = "same" if answer.same else "other"
    with visit.act("decide_candidate", f"candidate:{candidate_id}", answer=told) as (session, ctx):
        decide_candidate(session, ctx, candidate_id, answer.same, visit.login.name, visit.now)
    return Done()


@router.get("/quarantine")
def kept(visit: Reading) -> list[Kept]:
    """Records that wait, the newest first."""
    with visit.read() as (session, _ctx):
        return [_kept(row, visit.locale) for row in quarantine.list_open(session)]


def _kept(row: Quarantine, locale: str) -> Kept:
    return Kept(
        id=row.id,
        external_id=row.external_id,
        position=row.position,
        code=row.code,
        field=row.field_name,
        reason=row.reason_ja if locale == "ja" and row.reason_ja else row.reason,
        created_at=row.created_at,
    )


@router.post("/quarantine/replay")
def replay_all(visit: ApiEditor) -> Replayed:
    """Take every kept record in again."""
    with visit.act("replay_all") as (session, ctx):
        return _replayed(quarantine.replay(session, ctx, "all", visit.login.name, visit.now))


def _replayed(report: quarantine.ReplayReport) -> Replayed:
    return Replayed(replayed=report.replayed, failed=report.failed)


@router.post("/quarantine/{case_id}/fix")
def fix(visit: ApiEditor, case_id: int, right: Fix) -> Replayed:
    """Correct one value and take the record in."""
    changes: dict[str, Any] = {right.field: right.value}
    with visit.act("fix_record", f"quarantine:{case_id}", field=right.field) as (session, ctx):
        return _replayed(
            quarantine.fix(session, ctx, case_id, changes, visit.login.name, visit.now)
        )


@router.post("/quarantine/{case_id}/replay")
def replay(visit: ApiEditor, case_id: int) -> Replayed:
    """Take one record in as it is."""
    with visit.act("replay", f"quarantine:{case_id}") as (session, ctx):
        return _replayed(quarantine.replay(session, ctx, [case_id], visit.login.name, visit.now))


@router.post("/quarantine/{case_id}/dismiss")
def dismiss(visit: ApiEditor, case_id: int) -> Done:
    """Let it go: it is no order."""
    with visit.act("dismiss", f"quarantine:{case_id}") as (session, _ctx):
        quarantine.dismiss(session, [case_id], visit.login.name, visit.now)
    return Done()
