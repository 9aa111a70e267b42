"""What the marketplace lists is held against the store, and a difference has order numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from connectors.kit.live import Totals
from tests.factories import NOW, make_channel, make_order_row
from worker.pipeline.pull import channel_named
from worker.pipeline.reconcile import DIFFER, Difference, compare, raise_alarm
from worker.rules.states import QuarantineState
from worker.store.channels import Channel
from worker.store.engine import writing
from worker.store.orders import Quarantine
from worker.store.rewards import StaffTask

SINCE, UNTIL = NOW - timedelta(days=3), NOW
INSIDE = NOW - timedelta(days=1)
NAME = "own:toy"


@pytest.fixture(autouse=True)
def store(engine: Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session, NAME)
        odd: dict[str, dict[str, Any]] = {
            "A-1": {},
            "A-2": {"life": "cancelled"},
            "A-3": {"total": None},
            "A-old": {"ordered_at": NOW - timedelta(days=9)},
        }
        for number, more in odd.items():
            values: dict[str, Any] = {"ordered_at": INSIDE, "total": 3000} | more
            make_order_row(session, channel, external_id=number, number=f"No.{number}", **values)
        session.add(
            Quarantine(
                channel_id=channel.id, external_id="A-held", sha256="0", code="bad_money",
                reason="?", state=QuarantineState.OPEN, created_at=NOW,
            )
        )  # fmt: skip


def compared(engine: Engine, **listed: int | None) -> Difference:
    with writing(engine) as session:
        totals = Totals({key.replace("_", "-"): value for key, value in listed.items()})
        return compare(session, channel_named(session, NAME), totals, SINCE, UNTIL)


def test_what_agrees_is_clean(engine: Engine) -> None:
    found = compared(engine, A_1=3000, A_2=3000, A_3=5000)
    assert (found.clean, found.there, found.here) == (True, 3, 3)


def test_a_cancelled_order_may_be_gone_and_one_in_quarantine_is_here(engine: Engine) -> None:
    found = compared(engine, A_1=None, A_3=None, A_held=700)
    assert found.clean
    assert (found.there, found.here) == (3, 4)


def test_missing_extra_and_other_totals_are_named(engine: Engine) -> None:
    found = compared(engine, A_1=2500, A_2=3000, A_9=100, A_old=3000)
    assert found.missing == ("A-9",)
    assert found.extra == ("No.A-3",)
    assert found.totals == (("No.A-1", 3000, 2500),)


def alarm(engine: Engine, **listed: int | None) -> StaffTask | None:
    difference = compared(engine, **listed)
    with writing(engine) as session:
        raise_alarm(session, difference, NOW)
        open_ones = select(StaffTask).where(StaffTask.kind == DIFFER, StaffTask.done_at.is_(None))
        return session.scalars(open_ones).one_or_none()


def test_an_alarm_stands_once_follows_the_facts_and_ends_by_itself(engine: Engine) -> None:
    first = alarm(engine, A_1=3000, A_3=None, A_8=1, A_9=1)
    assert first is not None
    assert (first.detail["missing"], first.detail["missing_count"]) == (["A-8", "A-9"], 2)
    second = alarm(engine, A_1=3000, A_3=None, A_9=1)
    assert second is not None
    assert (second.id, second.detail["missing"]) == (first.id, ["A-9"])
    assert alarm(engine, A_1=3000, A_3=None) is None


def test_a_clean_later_span_does_not_end_an_older_alarm(engine: Engine) -> None:
    alarm(engine, A_1=3000, A_3=None, A_9=1)
    later = Difference(NAME, SINCE + timedelta(days=1), UNTIL + timedelta(days=1), 0, 0)
    with writing(engine) as session:
        raise_alarm(session, later, NOW)
        assert session.scalars(select(StaffTask.done_at)).one() is None
        assert session.scalars(select(Channel.name)).one() == NAME
