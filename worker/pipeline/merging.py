"""Joining two customers and taking them apart again: the same keys, re-pointed and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.profiles import renew_profiles
from worker.rules.identity import WEAK
from worker.rules.states import CandidateState
from worker.store import customer_queries as people
from worker.store.customer_queries import CANDIDATES, IDENTITIES, LINKS
from worker.store.customers import Candidate, Customer, Merge
from worker.store.order_queries import chunks, customers_due, insert_rows


class MergeRefused(ValueError):
    """A merge, its undoing or a decision that cannot be made; the message says why."""


def merge(
    session: Session,
    ctx: Context,  # noqa: ARG001 - every step is called alike
    kept: int,
    merged: int,
    reason: str,
    by: str,
    now: datetime,
) -> int:
    """Make ``merged``'s keys and orders those of ``kept``; gives the id to undo it by.

    Raises MergeRefused where one of them is merged away already or is the other.
    """
    _must_stand(session, kept)
    other = _must_stand(session, merged)
    if kept == merged:
        raise MergeRefused(f"customer {kept} cannot be merged with itself")
    record = Merge(kept_id=kept, merged_id=merged, reason=reason, by=by, at=now)
    session.add(record)
    other.merged_into = kept
    session.flush()
    keys = people.identity_ids_of(session, merged)
    people.end_links(session, keys, now)
    people.repoint(session, keys, kept)
    _link_again(session, keys, "merged", record.id, by, now)
    _inherit_doubts(session, kept, merged, now)
    _after(session, kept, merged)
    return record.id


def unmerge(
    session: Session,
    ctx: Context,  # noqa: ARG001 - every step is called alike
    merge_id: int,
    by: str,
    now: datetime,
) -> None:
    """Give the merged customer his keys and orders back; the pair is never joined by itself again.

    Raises MergeRefused where it is undone already, or where the kept customer was merged
    further meanwhile: that merge is to be undone first.
    """
    record = session.get(Merge, merge_id)
    if record is None or record.undone_at is not None:
        raise MergeRefused(f"there is no merge {merge_id} to undo")
    _must_stand(session, record.kept_id)
    keys = list(
        session.scalars(
            sa.select(LINKS.c.identity_id).where(
                LINKS.c.merge_id == merge_id, LINKS.c.ended_at.is_(None)
            )
        )
    )
    people.end_links(session, keys, now)
    people.repoint(session, keys, record.merged_id)
    _link_again(session, keys, "unmerged", None, by, now)
    record.undone_at, record.undone_by = now, by
    session.get_one(Customer, record.merged_id).merged_into = None
    session.flush()
    _decide_pair(session, record.kept_id, record.merged_id, CandidateState.REJECTED, by, now)
    _after(session, record.kept_id, record.merged_id)


def decide_candidate(
    session: Session, ctx: Context, candidate_id: int, same: bool, by: str, now: datetime
) -> int | None:
    """Take a person's word on a possible same person; gives the merge's id where it is one."""
    candidate = session.get(Candidate, candidate_id)
    if candidate is None or candidate.state is not CandidateState.OPEN:
        raise MergeRefused(f"there is no open candidate {candidate_id}")
    one, other, reason = candidate.customer_a, candidate.customer_b, candidate.reason
    if same:
        made = merge(session, ctx, one, other, reason, by, now)
        _confirm_weak_keys(session, one, by, now)
        return made
    _decide_pair(session, one, other, CandidateState.REJECTED, by, now)
    people.settle_unsure(session, [one, other])
    return None


def _must_stand(session: Session, customer_id: int) -> Customer:
    customer = session.get(Customer, customer_id, populate_existing=True)
    if customer is None:
        raise MergeRefused(f"there is no customer {customer_id}")
    if customer.merged_into is not None:
        raise MergeRefused(f"customer {customer_id} is merged into {customer.merged_into}")
    return customer


def _link_again(
    session: Session, keys: list[int], reason: str, merge_id: int | None, by: str, now: datetime
) -> None:
    for part in chunks(keys):
        people.link(session, IDENTITIES.c.id.in_(part), reason, now=now, merge_id=merge_id, by=by)


def _confirm_weak_keys(session: Session, customer_id: int, by: str, now: datetime) -> None:
    """Staff looked at the customer: his weak keys are confirmed, so they no longer make unsure."""
    query = sa.select(IDENTITIES.c.id).where(
        IDENTITIES.c.customer_id == customer_id,
        IDENTITIES.c.kind.in_(sorted(WEAK)),
        sa.exists().where(
            LINKS.c.identity_id == IDENTITIES.c.id,
            LINKS.c.ended_at.is_(None),
            LINKS.c.by == "system",
        ),
    )
    keys = list(session.scalars(query))
    people.end_links(session, keys, now)
    _link_again(session, keys, "confirmed", None, by, now)
    people.settle_unsure(session, [customer_id])


def _inherit_doubts(session: Session, kept: int, merged: int, now: datetime) -> None:
    """The pair is decided; open doubts about the merged customer are now about the kept one.

    The merged customer's own rows stay, for the way back.
    """
    _decide_pair(session, kept, merged, CandidateState.CONFIRMED, "", now, only_known=True)
    rows = session.execute(
        sa.select(CANDIDATES).where(
            sa.or_(CANDIDATES.c.customer_a == merged, CANDIDATES.c.customer_b == merged),
            CANDIDATES.c.state.in_([CandidateState.OPEN, CandidateState.REJECTED]),
        )
    ).mappings()
    copies: list[dict[str, Any]] = []
    for row in rows:
        other = row["customer_b"] if row["customer_a"] == merged else row["customer_a"]
        if other != kept:
            copy = dict(row) | {
                "customer_a": min(kept, other),
                "customer_b": max(kept, other),
            }
            del copy["id"]
            copies.append(copy)
    people.add_candidates(session, copies)


def _decide_pair(
    session: Session,
    one: int,
    other: int,
    state: CandidateState,
    by: str,
    now: datetime,
    *,
    only_known: bool = False,
) -> None:
    first, second = min(one, other), max(one, other)
    pair = (CANDIDATES.c.customer_a == first) & (CANDIDATES.c.customer_b == second)
    decided = {"state": state, "decided_by": by, "decided_at": now}
    found = session.execute(
        sa.update(CANDIDATES).where(pair).values(decided).returning(CANDIDATES.c.id)
    ).all()
    if not found and not only_known:
        row = {"customer_a": first, "customer_b": second, "reason": "unmerged", "at": now}
        insert_rows(session, CANDIDATES, [row | {"blocking": False} | decided])


def _after(session: Session, kept: int, merged: int) -> None:
    """Everything that follows from who owns which orders is looked at again."""
    renew_profiles(session, [kept, merged])
    people.settle_unsure(session, [kept, merged])
    customers_due(session, [kept, merged])
    session.expire_all()
