"""Every query asks only for documented fields, in the types of both releases."""

from __future__ import annotations

import pytest
from graphql import parse, validate

from connectors.eccube4 import queries
from tests.connectors.eccube4.schema import schema

BY_INSTANT = ("CHANGED", "PLACED", "TOTALS", "CLOCK")


def faults(text: str, *, by_instant: bool) -> list[str]:
    return [error.message for error in validate(schema(by_instant=by_instant), parse(text))]


@pytest.mark.parametrize("name", BY_INSTANT)
def test_a_query_is_valid_for_release_4_1_and_later(name: str) -> None:
    assert faults(getattr(queries, name), by_instant=True) == []


@pytest.mark.parametrize("name", ["CHANGED_BY_DAY", "PLACED_BY_DAY", "TOTALS_BY_DAY", "CLOCK"])
def test_a_query_by_day_is_valid_for_release_4_0(name: str) -> None:
    assert faults(getattr(queries, name), by_instant=False) == []


def test_a_query_by_instant_is_refused_by_release_4_0_in_words_that_are_known() -> None:
    found = faults(queries.CHANGED, by_instant=False)
    assert any("Unknown argument 'update_datetime_start'" in one for one in found)


def test_every_query_has_its_form_by_day() -> None:
    assert queries.BY_DAY.keys() == {queries.CHANGED, queries.PLACED, queries.TOTALS}


def test_nothing_is_written_to_the_shop() -> None:
    told = [value for value in vars(queries).values() if isinstance(value, str)]
    assert not [text for text in told if "mutation" in text]


def test_a_field_that_is_not_documented_would_be_found() -> None:
    text = queries.CHANGED.replace("order_no", "order_no credit_card")
    assert any("credit_card" in fault for fault in faults(text, by_instant=True))
