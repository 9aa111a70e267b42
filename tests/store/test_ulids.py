"""Ids that sort by time and never repeat."""

from __future__ import annotations

from datetime import timedelta

from tests.factories import NOW
from worker.store.ulids import new_ulid


def test_ids_have_26_letters_and_sort_by_time() -> None:
    earlier, later = new_ulid(NOW), new_ulid(NOW + timedelta(milliseconds=1))
    assert len(earlier) == 26
    assert earlier < later
    assert set(earlier) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_ids_of_one_moment_differ() -> None:
    assert len({new_ulid(NOW) for _ in range(1000)}) == 1000
