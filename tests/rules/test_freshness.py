"""Which record of an order is believed, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.freshness import FIELDS, STATES, settle, step, told_first

AT = datetime(2026, 11, 20, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
OPEN: dict[str, Any] = {"life": "open", "payment": "unpaid", "fulfilment": "unshipped"}


def test_a_field_nobody_told_is_filled_by_any_record() -> None:
    settled = settle({"total": 1, "note": None}, {"note": "x"}, told_first(["total"], LATER), AT)
    assert settled.taken == {"note": "x"}
    assert not settled.stale


def test_a_field_told_empty_later_is_not_filled_by_an_older_record() -> None:
    settled = settle({"note": None}, {"note": "x"}, told_first(["note"], LATER), AT)
    assert (settled.taken, settled.stale) == ({}, True)


def test_the_same_value_told_later_makes_a_record_in_between_lose() -> None:
    between = AT + timedelta(minutes=30)
    again = settle({"total": 1}, {"total": 1}, told_first(["total"], AT), LATER)
    assert (again.taken, again.stale) == ({}, False)
    assert settle({"total": 1}, {"total": 2}, again.told, between).taken == {}


@pytest.mark.parametrize(
    ("stored", "given", "taken"),
    [
        ("paid", "unpaid", False),
        ("unpaid", "paid", True),
        ("paid", "refunded", True),
        ("refunded", "paid", False),
    ],
)
def test_without_times_a_state_only_moves_forward(stored: str, given: str, taken: bool) -> None:
    before = OPEN | {"payment": stored}
    settled = settle(before, {"payment": given}, told_first(before, None), None)
    assert bool(settled.taken) is taken


def test_a_file_without_time_does_not_turn_back_what_a_source_with_time_told() -> None:
    told = told_first(["buyer.address", *STATES], AT)
    before = OPEN | {"payment": "paid", "buyer.address": "new"}
    same = settle(before, OPEN | {"payment": "paid", "buyer.address": "old"}, told, None)
    ahead = settle(before, OPEN | {"payment": "refunded", "buyer.address": "newer"}, told, None)
    assert same.taken == {}
    assert ahead.taken == {"payment": "refunded", "buyer.address": "newer"}


def test_what_a_file_moved_forward_is_not_moved_back_by_the_next_poll() -> None:
    before: dict[str, Any] = dict(OPEN)
    told = told_first(STATES, AT)
    shipped = settle(before, {"fulfilment": "shipped"}, told, None)
    polled = settle({**before, **shipped.taken}, OPEN, shipped.told, LATER)
    assert polled.taken == {}


record = st.fixed_dictionaries({name: st.sampled_from(steps) for name, steps in STATES.items()})


@given(st.lists(record, min_size=1, max_size=6), st.randoms())
def test_without_times_states_end_at_their_furthest_in_any_order(
    records: list[dict[str, Any]], random: Any
) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    stored: dict[str, Any] = dict(shuffled[0])
    told = told_first(stored, None)
    for one in shuffled[1:]:
        settled = settle(stored, one, told, None)
        stored, told = stored | dict(settled.taken), settled.told
    for name, steps in STATES.items():
        assert stored[name] == max((one[name] for one in records), key=steps.index)


def test_steps_are_counted_in_the_forward_direction() -> None:
    assert step("fulfilment", "unshipped", "delivered") == 3
    assert step("life", "cancelled", "open") == -1


def test_every_field_has_its_own_bit() -> None:
    assert len(set(FIELDS)) == len(FIELDS)
