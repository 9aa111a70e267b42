"""Which words a thank-you may use (P10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from worker.rules.telling import Telling, words_of

FIRST = Telling(
    orders=1,
    after_thanks=False,
    visit_number=1,
    lifetime_orders=1,
    proved=True,
    identity_sure=True,
    say_number=True,
    announced=None,
    milestone=False,
    days_since_previous=None,
)
SECOND = replace(FIRST, visit_number=2, lifetime_orders=2, days_since_previous=30)
FIFTH = replace(FIRST, visit_number=5, lifetime_orders=5, milestone=True, days_since_previous=9)


@pytest.mark.parametrize(
    ("telling", "occasions", "number", "first"),
    [
        (FIRST, (), None, True),
        (replace(FIRST, lifetime_orders=2), ("uncertain",), None, False),
        (replace(FIRST, proved=False), ("uncertain",), None, False),
        (replace(FIRST, proved=False, provisional=True), ("uncertain",), None, False),
        (replace(FIRST, identity_sure=False), ("uncertain",), None, False),
        (replace(FIRST, orders=2), ("several",), None, True),
        (SECOND, ("second",), 2, False),
        (replace(SECOND, proved=False, provisional=True), ("second",), 2, False),
        (replace(SECOND, proved=False), ("uncertain",), None, False),
        (replace(SECOND, say_number=False), ("uncertain",), None, False),
        (replace(SECOND, announced=2), ("uncertain",), None, False),
        (replace(SECOND, announced=3), ("uncertain",), None, False),
        (replace(SECOND, announced=1), ("second",), 2, False),
        (replace(SECOND, days_since_previous=365), ("returning", "second"), 2, False),
        (
            replace(SECOND, days_since_previous=400, identity_sure=False),
            ("uncertain",),
            None,
            False,
        ),
        (replace(SECOND, after_thanks=True, orders=2), ("added", "second"), 2, False),
        (FIFTH, ("milestone",), 5, False),
        (replace(FIFTH, announced=5), ("uncertain",), None, False),
        (replace(FIFTH, gift=True), ("milestone", "gift"), 5, False),
        (replace(FIFTH, visit_number=None), ("uncertain",), None, False),
    ],
)
def test_doubt_takes_the_number_out(
    telling: Telling, occasions: tuple[str, ...], number: int | None, first: bool
) -> None:
    found = words_of(telling)
    assert (found.occasions, found.number, found.first_allowed) == (occasions, number, first)
