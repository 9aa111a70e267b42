"""Checks that nobody holds one milestone's reward twice, except what was earned before a merge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.rules.states import GrantState
from worker.store.customers import Customer, Merge
from worker.store.rewards import Grant

_LIVE = (GrantState.RESERVED, GrantState.EARNED, GrantState.USED)
_Joined = Mapping[int, tuple[int, datetime | None]]
"""Merged customer to the keeper, and when; no time: nobody recorded the merge."""


def doubled_grants(session: Session) -> list[int]:
    """People who hold two rewards in force for one milestone of a scope or of a shared channel.

    Two people who each earned it before they were found to be one keep both: what was given
    is not taken back.
    """
    joined = _joined(session)
    held: dict[tuple[int, int], list[Grant]] = {}
    for grant in session.scalars(select(Grant).where(Grant.state.in_(_LIVE)).order_by(Grant.id)):
        person = _path(joined, grant.customer_id)[-1]
        held.setdefault((person, grant.milestone), []).append(grant)
    wrong = {
        person
        for (person, _milestone), grants in held.items()
        for one, other in combinations(grants, 2)
        if _overlap(one, other) and not _earned_apart(joined, one, other)
    }
    return sorted(wrong)


def _joined(session: Session) -> _Joined:
    at = {
        (row.merged_id, row.kept_id): row.at
        for row in session.execute(
            select(Merge.merged_id, Merge.kept_id, Merge.at)
            .where(Merge.undone_at.is_(None))
            .order_by(Merge.at)
        )
    }
    rows = session.execute(
        select(Customer.id, Customer.merged_into).where(Customer.merged_into.is_not(None))
    )
    return {row.id: (row.merged_into, at.get((row.id, row.merged_into))) for row in rows}


def _path(joined: _Joined, customer_id: int) -> list[int]:
    """The customer, whom it was merged into, and so on to the one that stands."""
    path = [customer_id]
    while path[-1] in joined:
        path.append(joined[path[-1]][0])
    return path


def _overlap(one: Grant, other: Grant) -> bool:
    return one.scope == other.scope or bool(set(one.channel_ids) & set(other.channel_ids))


def _earned_apart(joined: _Joined, one: Grant, other: Grant) -> bool:
    """Whether both were earned before the last of the merges that made their customers one."""
    if one.customer_id == other.customer_id or one.earned_at is None or other.earned_at is None:
        return False
    mine, theirs = _path(joined, one.customer_id), _path(joined, other.customer_id)
    # Up to where the two paths meet; every merge on the way must be on record.
    steps = [joined[each][1] for each in set(mine) ^ set(theirs) if each in joined]
    times = [at for at in steps if at is not None]
    if not times or len(times) < len(steps):
        return False
    return max(one.earned_at, other.earned_at) <= max(times)
