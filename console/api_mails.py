"""Many mails at once, and what is seldom done with one, for programs: the pages' own steps."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from console.api import Change, Standing, standing_of
from console.views.batch import items_of
from console.visit import ApiApprover, ApiEditor
from worker.pipeline import review
from worker.pipeline.resend import send_again
from worker.pipeline.solicit import release_requests, resolve_request

router = APIRouter(prefix="/api/v1", tags=["desk"])


class Read(BaseModel):
    """A message and the version of it that was read."""

    id: str = Field(max_length=40)
    version: int


class Batch(BaseModel):
    """Exactly these, and as many as ``expected`` says; else nothing is approved."""

    messages: list[Read] = Field(min_length=1, max_length=1000)
    expected: int
    with_vip: bool = False
    with_flagged: bool = False


class LeftOut(BaseModel):
    """A message that was not approved, and why."""

    id: str
    error: str
    words: str


class Approved(BaseModel):
    """What a batch did."""

    approved: list[str]
    refused: list[LeftOut]
    left_out: list[str]


class Again(BaseModel):
    """Why it is sent again."""

    reason: str = Field(default="", max_length=500)


class Outcome(BaseModel):
    """What became of a mail that nobody could confirm; ``evidence`` is asked for was_sent."""

    version: int
    how: Literal["was_sent", "was_not_sent", "abandon"]
    evidence: str = Field(default="", max_length=500)


class HandedOff(BaseModel):
    """When a campaign ran in the marketplace's tool, and to how many."""

    version: int
    done_on: date
    count: int = Field(ge=0, le=10_000_000)


class Requests(BaseModel):
    """Review requests to leave to the marketplace, and how many they are."""

    requests: list[int] = Field(min_length=1, max_length=1000)
    expected: int


class Asked(BaseModel):
    """What became of a review request that nobody could confirm."""

    how: Literal["was_asked", "was_not_asked", "abandon"]


class Released(BaseModel):
    """How many were released."""

    count: int


@router.post("/messages/approve")
def approve_many(visit: ApiApprover, batch: Batch) -> Approved:
    """Approve exactly what was read; where anything changed meanwhile, nothing."""
    ids = [each.id for each in batch.messages]
    items = {f"{each.id}:{each.version}" for each in batch.messages}
    with visit.act("approve_batch", count=batch.expected, ids=ids) as (session, ctx):
        unchanged = len(items & set(items_of(session, ids)))
        if not batch.expected == len(batch.messages) == unchanged:
            raise review.Refused("count_differs", expected=batch.expected, found=unchanged)
        done = review.approve_many(
            session,
            ctx,
            expected=batch.expected,
            by=visit.login.name,
            now=visit.now,
            ids=ids,
            with_vip=batch.with_vip,
            with_flagged=batch.with_flagged,
            recheck=visit.house.recheck,
        )
    english = visit.locale == "en"
    return Approved(
        approved=list(done.approved),
        refused=[
            LeftOut(
                id=left.message_id,
                error=left.code,
                words=left.words_en if english else left.words,
            )
            for left in done.refused
        ],
        left_out=list(done.left_out),
    )


@router.post("/messages/{message_id}/cancel")
def cancel(visit: ApiEditor, message_id: str, change: Change) -> Standing:
    """Decide that it will never go; the reason is asked."""
    with visit.act("cancel", f"message:{message_id}") as (session, ctx):
        done = review.cancel(
            session,
            ctx,
            message_id,
            reason=change.reason,
            by=visit.login.name,
            now=visit.now,
            version=change.version,
        )
        return standing_of(done)


@router.post("/messages/{message_id}/send_again")
def again(visit: ApiEditor, message_id: str, why: Again) -> Standing:
    """Make a new message like one that is out; a person reads it first."""
    with visit.act("send_again", f"message:{message_id}") as (session, ctx):
        made = send_again(
            session, ctx, message_id, by=visit.login.name, now=visit.now, reason=why.reason
        )
        return standing_of(made)


@router.post("/messages/{message_id}/settle")
def settle(visit: ApiApprover, message_id: str, outcome: Outcome) -> Standing:
    """Say what became of a mail that nobody could confirm."""
    act = visit.act("settle_unconfirmed", f"message:{message_id}", how=outcome.how)
    with act as (session, ctx):
        done = review.resolve_unconfirmed(
            session,
            ctx,
            message_id,
            how=outcome.how,
            by=visit.login.name,
            now=visit.now,
            evidence=outcome.evidence.strip(),
            version=outcome.version,
        )
        return standing_of(done)


@router.post("/messages/{message_id}/hand_off")
def hand_off(visit: ApiApprover, message_id: str, ran: HandedOff) -> Standing:
    """Note that a campaign was run in the marketplace's own tool."""
    day = ran.done_on.isoformat()
    act = visit.act("hand_off", f"message:{message_id}", done_on=day, count=ran.count)
    with act as (session, ctx):
        done = review.hand_off_done(
            session,
            ctx,
            message_id,
            done_on=ran.done_on,
            count=ran.count,
            by=visit.login.name,
            now=visit.now,
            version=ran.version,
        )
        return standing_of(done)


@router.post("/requests/release")
def release(visit: ApiApprover, wanted: Requests) -> Released:
    """Leave exactly these orders to the marketplace to ask for a review."""
    with visit.act("release_requests", count=wanted.expected) as (session, ctx):
        release_requests(
            session,
            ctx,
            wanted.requests,
            expected=wanted.expected,
            by=visit.login.name,
            now=visit.now,
        )
    return Released(count=wanted.expected)


@router.post("/requests/{request_id}/resolve")
def resolve(visit: ApiApprover, request_id: int, asked: Asked) -> Released:
    """Say what became of a request that nobody could confirm."""
    with visit.act("resolve_request", f"request:{request_id}", how=asked.how) as (session, _ctx):
        resolve_request(session, request_id, how=asked.how, by=visit.login.name, now=visit.now)
    return Released(count=1)
