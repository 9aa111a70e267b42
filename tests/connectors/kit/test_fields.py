"""Fields are read exactly, and what fails names itself in both languages."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.contract import TryLater
from connectors.kit.fields import Fields, Unreadable, frame


def fields(value: Any) -> Fields:
    return Fields({"f": value}, empty={"-9999"})


@pytest.mark.parametrize("value", [None, "", "  ", "-9999", -9999])
def test_nothing_is_none(value: Any) -> None:
    one = fields(value)
    assert (one.text("f"), one.yen("f"), one.whole("f"), one.moment("f")) == (None,) * 4
    assert ("f" in one, "g" in one) == (True, False)
    assert one.day("f") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-01T20:03:43+0900", datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)),
        ("2026-02-01T20:03:43+09:00", datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)),
        ("2026-02-01T11:03:43Z", datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)),
        ("2026/02/01 20:03:43", datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)),
        ("2026-02-01", datetime(2026, 1, 31, 15, tzinfo=UTC)),
    ],
)
def test_a_moment_without_an_offset_is_japans(value: str, expected: datetime) -> None:
    assert fields(value).moment("f") == expected


@pytest.mark.parametrize("value", [1769943823, "1769943823"])
def test_seconds_since_1970_are_an_instant(value: Any) -> None:
    assert fields(value).unix("f") == datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)
    assert (fields(0).unix("f"), fields(None).unix("f")) == (None, None)


@pytest.mark.parametrize("value", ["2026-02-06", "2026/02/06", "２０２６-02-06", "20260206"])
def test_days_come_in_several_forms(value: str) -> None:
    assert fields(value).day("f") == date(2026, 2, 6)


@pytest.mark.parametrize(
    ("value", "reader", "code"),
    [
        ("1.5", "yen", "bad_money"),
        ("x", "whole", "bad_number"),
        (1.5, "whole", "bad_number"),
        ({}, "text", "bad_text"),
        ("soon", "moment", "bad_date"),
        ("0001-01-01T00:00:00", "moment", "bad_date"),
        ("9999-12-31T23:59:59+09:00", "moment", "bad_date"),
        ("soon", "unix", "bad_number"),
        (-1, "unix", "bad_date"),
        (1769943823000, "unix", "bad_date"),
        ("2026-02-31", "day", "bad_date"),
        ("5日後", "day", "bad_date"),
    ],
)
def test_what_cannot_be_read_names_the_field(value: Any, reader: str, code: str) -> None:
    one = Fields({"outer": {"f": value}}).node("outer")
    with pytest.raises(Unreadable) as caught:
        getattr(one, reader)("f")
    assert (caught.value.code, caught.value.field) == (code, "outer.f")
    assert "outer.f" in caught.value.reason_ja


def test_a_wish_is_never_a_reason_to_refuse() -> None:
    warnings: list[str] = []
    assert fields("最短").wish("f", warnings) == {"delivery_date": None}
    assert fields("2026-02-31").wish("f", warnings) == {}
    assert warnings == ["bad_delivery_date"]


def test_one_object_and_a_list_of_them_are_read_alike() -> None:
    assert [one.text("a") for one in fields({"a": 1}).nodes("f")] == ["1"]
    assert [one.text("a") for one in fields([{"a": 1}, "x", {"a": 2}]).nodes("f")] == ["1", "2"]
    assert fields("x").node("f").text("a") is None
    assert fields([{"a": 1}, {"a": 2}]).node("f").tree() == {"a": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, True),
        ("1", True),
        ("true", True),
        (True, True),
        (0, False),
        ("", False),
        (None, False),
        ("false", False),
    ],
)
def test_flags(value: Any, expected: bool) -> None:
    assert fields(value).flag("f") is expected


@pytest.mark.parametrize("value", [[], {}, [1], {"x": 1}])
def test_a_word_that_is_none_is_nothing(value: Any) -> None:
    assert fields(value).word("f") is None
    assert (fields(" A-1 ").word("f"), fields(7).word("f")) == ("A-1", "7")


def test_what_stands_around_the_orders_waits_where_it_cannot_be_read() -> None:
    with pytest.raises(TryLater, match=r"\(RMS: f\)\.$"), frame("RMS"):
        fields("x").whole("f")
