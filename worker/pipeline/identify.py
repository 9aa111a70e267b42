"""Step 3, identify: each order's keys find its customer; doubts go to staff, history stays open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from worker.pipeline.consents import Said, record_consents
from worker.pipeline.context import Context
from worker.pipeline.merging import MergeRefused, decide_candidate, merge, unmerge
from worker.pipeline.opening import add_opening_count, count_openings, platform_counted
from worker.pipeline.profiles import FIELDS, Told, write_profiles
from worker.rules.identity import IDENTIFYING, Who, keys_of
from worker.rules.keys import address_hash, keyed_hash
from worker.rules.merging import Carried, Key, Resolution, resolve
from worker.rules.states import CandidateState, IdentityKind
from worker.store import customer_queries as people
from worker.store.customer_queries import KnownIdentity
from worker.store.order_queries import customers_due

__all__ = [
    "IdentifyResult",
    "MergeRefused",
    "add_opening_count",
    "decide_candidate",
    "identify",
    "merge",
    "unmerge",
]

_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class IdentifyResult:
    """What one round found; ``customer_ids`` are all whose orders or keys changed."""

    linked: int = 0
    customers_made: int = 0
    merged: int = 0
    candidates: int = 0
    customer_ids: tuple[int, ...] = ()
    seen: int = 0
    """Orders taken off the list; 0 means that nothing was due."""


@dataclass(slots=True)
class _Round:
    """One set of due orders and what is known about their keys."""

    session: Session
    ctx: Context
    now: datetime
    orders: Sequence[RowMapping]
    carried: list[Carried]
    known: list[KnownIdentity] = field(default_factory=list)
    scopes: dict[int, str] = field(default_factory=dict)


def identify(session: Session, ctx: Context, now: datetime, limit: int = 2000) -> IdentifyResult:
    """Find the customers of up to ``limit`` due orders; families without customers are skipped."""
    people.lock_people(session)
    due = people.due_orders(session, limit)
    nameless = [row["id"] for row in due if row["family"] in people.WITHOUT_CUSTOMERS]
    people.orders_done(session, nameless)
    orders = [row for row in due if row["family"] not in people.WITHOUT_CUSTOMERS]
    if not orders:
        return IdentifyResult(seen=len(due))
    # In the order of buying, not of arrival: who came first is the same whatever file came first.
    orders.sort(key=lambda row: (row["ordered_at"], row["channel"], row["external_id"]))
    work = _Round(session, ctx, now, orders, [_carried(ctx, row) for row in orders])
    work.known = people.identities_of(session, _hashes(work.carried))
    work.scopes = people.scopes(session, ctx.documents.shop)
    resolution = _resolve(work)
    return _write(work, resolution, len(due))


# --- reading ---------------------------------------------------------------------------------


def _carried(ctx: Context, row: RowMapping) -> Carried:
    who = Who(
        member_id=row["member_id"],
        email=row["email"],
        email_is_relay=bool(row["email_is_relay"]),
        name=row["name"],
        phone=row["phone"],
        postal_code=row["postal_code"],
        address=row["address"],
    )
    strong: list[Key] = []
    weak: list[Key] = []
    for kind, value in keys_of(who):
        key = (kind, _place(ctx, kind, row["channel"], row["family"]), _hashed(ctx, kind, value))
        (strong if kind in IDENTIFYING else weak).append(key)
    own: Key = (IdentityKind.ORDER, row["channel"], "")
    if not strong and not weak:
        own = (
            own[0],
            own[1],
            keyed_hash(ctx.key, "order", f"{row['channel']} {row['external_id']}"),
        )
    return Carried(row["id"], row["channel"], tuple(strong), tuple(weak), own)


def _place(ctx: Context, kind: IdentityKind, channel: str, family: str) -> str:
    """Within what a key is one person's: the channel, the scope, or the whole shop."""
    if kind in {IdentityKind.MEMBER, IdentityKind.RELAY_EMAIL}:
        return channel
    shop = ctx.documents.shop
    if kind is IdentityKind.EMAIL and shop.matching.across_scopes == "auto":
        return _EVERYWHERE
    return shop.scope_of(channel, family)


def _hashed(ctx: Context, kind: IdentityKind, value: str) -> str:
    if kind in {IdentityKind.EMAIL, IdentityKind.RELAY_EMAIL}:
        return address_hash(ctx.key, value)
    return keyed_hash(ctx.key, kind.value, value)


def _hashes(carried: Iterable[Carried]) -> dict[IdentityKind, set[str]]:
    wanted: dict[IdentityKind, set[str]] = {}
    for order in carried:
        for kind, _, value in order.carries():
            wanted.setdefault(kind, set()).add(value)
    return wanted


def _resolve(work: _Round) -> Resolution:
    names = people.channel_names(work.session)
    ties: dict[Key, dict[str, int]] = {}
    for known in work.known:
        if known.customer_id is not None:
            channel, family = names[known.channel_id]
            place = _place(work.ctx, known.kind, channel, family)
            at = ties.setdefault((known.kind, place, known.key_hash), {})
            at[channel] = known.customer_id
    touched = {known.customer_id for known in work.known if known.customer_id is not None}
    members = {
        customer: {names[channel][0]: member for channel, member in of_channel.items()}
        for customer, of_channel in people.members_of(work.session, sorted(touched)).items()
    }
    apart = people.told_apart(work.session, touched)
    suggest = work.ctx.documents.shop.matching.weak_keys == "suggest"
    return resolve(work.carried, ties, members, apart, suggest_weak=suggest)


# --- writing ---------------------------------------------------------------------------------


def _write(work: _Round, found: Resolution, seen: int) -> IdentifyResult:
    session, now = work.session, work.now
    joined = {union.merged for union in found.unions}
    fresh = [person for person in range(-1, -found.made - 1, -1) if person not in joined]
    made = dict(zip(fresh, people.make_customers(session, len(fresh), now), strict=True))
    merged = [union for union in found.unions if union.merged > 0]
    for union in merged:
        merge(session, work.ctx, union.kept, union.merged, union.reason, "system", now)
    persons = {order: made.get(person, person) for order, person in found.persons.items()}
    ties = {key: made.get(person, person) for key, person in found.ties.items()}
    _write_keys(work, ties)
    people.name_orders(session, persons)
    candidates = _write_doubts(work, found, made)
    _write_people(work, persons)
    before = {row["customer_id"] for row in work.orders if row["customer_id"] is not None}
    touched = before | set(persons.values())
    customers_due(session, touched - set(made.values()))
    _settle_unsure(work, found, made, persons, before)
    return IdentifyResult(
        linked=len(persons),
        customers_made=len(fresh),
        merged=len(merged),
        candidates=candidates,
        customer_ids=tuple(sorted(touched)),
        seen=seen,
    )


def _write_keys(work: _Round, ties: Mapping[tuple[str, Key], int]) -> None:
    channels = {row["channel"]: row["channel_id"] for row in work.orders}
    ids = {(known.channel_id, known.kind, known.key_hash): known.id for known in work.known}
    seen_at = {
        order.order_id: row["ordered_at"]
        for order, row in zip(work.carried, work.orders, strict=True)
    }
    fresh: dict[tuple[int, IdentityKind, str], dict[str, Any]] = {}
    for order in work.carried:
        channel_id = channels[order.channel]
        for key in order.carries():
            name = (channel_id, key[0], key[2])
            if name not in ids and name not in fresh:
                fresh[name] = {
                    "channel_id": channel_id,
                    "kind": key[0],
                    "key_hash": key[2],
                    "customer_id": ties[order.channel, key],
                    "first_seen_at": seen_at[order.order_id],
                }
    ids |= people.make_identities(work.session, list(fresh.values()), work.now)
    _tie_loose(work, ties, channels)
    rows = [
        {
            "order_id": order.order_id,
            "identity_id": ids[channels[order.channel], key[0], key[2]],
            "strength": strength,
        }
        for order in work.carried
        for strength, key in enumerate(order.carries())
    ]
    again = [row["id"] for row in work.orders if row["customer_id"] is not None]
    people.key_orders(work.session, rows, again)


def _tie_loose(
    work: _Round, ties: Mapping[tuple[str, Key], int], channels: Mapping[str, int]
) -> None:
    """Tie keys that are known but belong to nobody (their customer's import was undone)."""
    loose = {
        (known.channel_id, known.kind, known.key_hash): known.id
        for known in work.known
        if known.customer_id is None
    }
    for (channel, key), customer_id in ties.items():
        identity = loose.get((channels[channel], key[0], key[2]))
        if identity is not None:
            people.repoint(work.session, [identity], customer_id)
            people.link_one(work.session, identity, now=work.now)


def _write_doubts(work: _Round, found: Resolution, made: Mapping[int, int]) -> int:
    pairs = [
        (made.get(doubt.one, doubt.one), made.get(doubt.other, doubt.other), doubt.reason, True)
        for doubt in found.doubts
    ]
    if work.ctx.documents.shop.matching.across_scopes == "suggest":
        pairs += _same_address_elsewhere(work)
    rows = [
        {
            "customer_a": min(one, other),
            "customer_b": max(one, other),
            "reason": reason,
            "state": CandidateState.OPEN,
            "blocking": blocking,
            "at": work.now,
            "decided_by": "",
            "decided_at": None,
        }
        for one, other, reason, blocking in pairs
    ]
    return people.add_candidates(work.session, rows)


def _same_address_elsewhere(work: _Round) -> list[tuple[int, int, str, bool]]:
    """Customers of different scopes who gave the same mail address: a suggestion, no doubt."""
    hashes = _hashes(work.carried).get(IdentityKind.EMAIL, set())
    by_hash: dict[str, dict[str, int]] = {}
    for known in people.identities_of(work.session, {IdentityKind.EMAIL: hashes}):
        if known.customer_id is not None:
            at = by_hash.setdefault(known.key_hash, {})
            at.setdefault(work.scopes[known.channel_id], known.customer_id)
    return [
        (first, other, "same_email_other_scope", False)
        for at in by_hash.values()
        for first, *others in [sorted(set(at.values()))]
        for other in others
    ]


def _write_people(work: _Round, persons: Mapping[int, int]) -> None:
    told: dict[int, list[Told]] = {}
    said: list[Said] = []
    counted = platform_counted(work.session, set(persons.values()))
    for row in work.orders:
        customer_id = persons[row["id"]]
        contact = {name: row[name] for name in (*FIELDS, "member_id")}
        told.setdefault(customer_id, []).append((row["ordered_at"], row["id"], contact))
        if row["marketing_consent"] is not None and row["email"]:
            said.append(_said(work.ctx, row, customer_id))
        if row["platform_order_count"] is not None:
            counted.add((customer_id, row["channel_id"]))
    write_profiles(work.session, told)
    record_consents(work.session, said, work.now)
    count_openings(work.session, counted, work.now)


def _said(ctx: Context, row: RowMapping, customer_id: int) -> Said:
    return Said(
        channel_id=row["channel_id"],
        address_hash=address_hash(ctx.key, row["email"]),
        customer_id=customer_id,
        agreed=row["marketing_consent"],
        at=row["consent_at"] or row["ordered_at"],
        source_ref=f"order:{row['channel']}:{row['external_id']}",
    )


def _settle_unsure(
    work: _Round,
    found: Resolution,
    made: Mapping[int, int],
    persons: Mapping[int, int],
    before: set[int],
) -> None:
    """Only those who may have become unsure, or sure again, are looked at: the rest are sure."""
    doubted = {made.get(p, p) for doubt in found.doubts for p in (doubt.one, doubt.other)}
    weak = {persons[order.order_id] for order in work.carried if not order.strong}
    moved = {
        customer
        for row in work.orders
        if row["customer_id"] is not None
        for customer in (row["customer_id"], persons[row["id"]])
    }
    people.settle_unsure(work.session, doubted | weak | moved | before)
