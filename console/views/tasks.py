"""用事: errands for staff, notes that have come due, and rewards that wait for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import scope_label, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.rewards import waiting_grants
from worker.pipeline.staff_tasks import done_tasks, open_tasks
from worker.store.customers import CustomerProfile
from worker.store.note_queries import open_notes
from worker.store.orders import OrderRow
from worker.store.rewards import Grant, StaffTask

_MOST = 100


@dataclass(frozen=True, slots=True)
class Task:
    """One errand; ``address`` leads to where it is done."""

    id: int
    what: str
    detail: str
    since: str
    name: str
    address: str
    button: str


@dataclass(frozen=True, slots=True)
class Done:
    """An errand that was done."""

    what: str
    name: str
    word: str
    who: str


@dataclass(frozen=True, slots=True)
class Due:
    """An open note whose date has come, or that has none."""

    customer_id: int
    name: str
    text: str
    when: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A reward that waits for a person's word."""

    id: int
    customer_id: int
    name: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class TasksView:
    """Everything the page prints."""

    tasks: tuple[Task, ...]
    due: tuple[Due, ...]
    later: tuple[Due, ...]
    decisions: tuple[Decision, ...]
    done: tuple[Done, ...]


def tasks_view(session: Session, ctx: Context, words: Words, now: datetime) -> TasksView:
    """Read the page."""
    found, past = open_tasks(session), done_tasks(session)
    names = _names(session, [*found, *past])
    due, later = _notes(session, ctx, words, now)
    return TasksView(
        tasks=tuple(_task(row, ctx, words, names) for row in found),
        due=due,
        later=later,
        decisions=_decisions(session, words),
        done=tuple(
            Done(
                _kind(row.kind, words),
                names.get(_customer(row), ""),
                row.done_word,
                _when(row, ctx),
            )
            for row in past
        ),
    )


def _customer(row: StaffTask) -> int:
    return int(row.detail.get("customer") or 0)


def _names(session: Session, rows: list[StaffTask]) -> dict[int, str]:
    ids = {_customer(row) for row in rows} - {0}
    found = session.execute(
        select(CustomerProfile.customer_id, CustomerProfile.name).where(
            CustomerProfile.customer_id.in_(ids)
        )
    )
    return {row.customer_id: row.name or "" for row in found}


def _kind(kind: str, words: Words) -> str:
    key = f"task.{kind}"
    return words(key) if words.has(key) else kind


def _task(row: StaffTask, ctx: Context, words: Words, names: Mapping[int, str]) -> Task:
    customer = _customer(row)
    day = formats.short_day(row.created_at.astimezone(ctx.zone).date())
    return Task(
        row.id,
        _kind(row.kind, words),
        _detail(row.kind, row.detail, words),
        words("tasks.since", day=day),
        names.get(customer, ""),
        f"/customers/{customer}" if customer else "",
        words("tasks.open_customer") if customer else "",
    )


def _detail(kind: str, detail: Mapping[str, Any], words: Words) -> str:
    """What the errand is about: its own words, those of its kind, or its plain values."""
    own = detail.get(f"words_{words.locale}")
    if own:
        return str(own)
    key = f"task_do.{kind}"
    said = words(key) if words.has(key) else ""
    told = [
        f"{words(f'task_field.{name}')} {value}"
        for name, value in detail.items()
        if words.has(f"task_field.{name}") and isinstance(value, (str, int))
    ]
    return "　".join(part for part in (said, *told) if part)


def _when(row: StaffTask, ctx: Context) -> str:
    assert row.done_at is not None
    return f"{formats.short_day(row.done_at.astimezone(ctx.zone).date())} {row.done_by}"


def _notes(
    session: Session, ctx: Context, words: Words, now: datetime
) -> tuple[tuple[Due, ...], tuple[Due, ...]]:
    today = now.astimezone(ctx.zone).date()
    due: list[Due] = []
    later: list[Due] = []
    for found in open_notes(session, None, _MOST):
        note = found.note
        when = words("tasks.no_date")
        if note.ask_by is not None:
            when = words("story.today") if note.ask_by == today else formats.short_day(note.ask_by)
        has_come = note.ask_by is not None and note.ask_by <= today
        text = note.ask_next or note.said or note.gift_received
        one = Due(note.customer_id, found.name, text, when, has_come)
        (due if has_come else later).append(one)
    return tuple(due), tuple(later)


def _decisions(session: Session, words: Words) -> tuple[Decision, ...]:
    rows = waiting_grants(session)
    shops = shop_labels(session, words)
    orders = [row.order_id for row in rows if row.order_id is not None]
    owned = select(OrderRow.id, OrderRow.customer_id).where(OrderRow.id.in_(orders))
    owners = {row.id: row.customer_id for row in session.execute(owned)}
    people = {row.id: owners.get(row.order_id or 0) or row.customer_id for row in rows}
    found = session.execute(
        select(CustomerProfile.customer_id, CustomerProfile.name).where(
            CustomerProfile.customer_id.in_(set(people.values()))
        )
    )
    names = {row.customer_id: row.name or "" for row in found}
    return tuple(
        _decision(row, people[row.id], names.get(people[row.id], ""), shops, words) for row in rows
    )


def _decision(
    row: Grant, person: int, name: str, shops: Mapping[str, str], words: Words
) -> Decision:
    scope = scope_label(row.scope, words, shops)
    what = words("tasks.reward", scope=scope, nth=formats.nth(row.milestone, words.locale))
    key = f"grant_why.{row.reason.get('code', '')}"
    return Decision(row.id, person, name, what, words(key) if words.has(key) else "")
