"""Coupon codes and pool files."""

from __future__ import annotations

import re
from datetime import date

import pytest

from worker.mail.coupons import (
    ALPHABET,
    PoolCode,
    PoolError,
    check_symbol,
    format_code,
    mask_code,
    new_code,
    parse_code,
    read_pool,
)
from worker.mail.lint import COUPON_CODE

CODE = "7K3MQ9XT4WBD" + check_symbol("7K3MQ9XT4WBD")


def test_codes_are_random_readable_and_checked() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    for code in codes:
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]", code)
        assert parse_code(code) == code
        assert COUPON_CODE.search(code)


def test_the_alphabet_has_no_letters_that_are_misread() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        format_code(CODE),
        CODE.lower(),
        f" {CODE[:4]} {CODE[4:]} ",
        "".join(chr(ord(c) + 0xFEE0) for c in CODE),
    ],
)
def test_what_people_type_is_understood(typed: str) -> None:
    assert parse_code(typed) == format_code(CODE)


def test_letters_that_look_like_digits_are_taken_as_such() -> None:
    body = "10" * 6
    code = body + check_symbol(body)
    assert parse_code("lO" * 6 + check_symbol(body)) == format_code(code)
    assert parse_code("Io" * 6 + check_symbol(body)) == format_code(code)


def test_a_slip_is_found() -> None:
    wrong = ("8" if CODE[0] != "8" else "9") + CODE[1:]
    swapped = CODE[1] + CODE[0] + CODE[2:]
    assert [parse_code(code) for code in (wrong, swapped, CODE[:-1], CODE + "A", "", "!")] == [
        None
    ] * 6


def test_logs_show_the_last_four_only() -> None:
    assert mask_code("7K3M-Q9XT-4WBD-2") == "***BD-2"
    assert mask_code("ABC") == "***"


def test_a_pool_file_is_read_line_by_line() -> None:
    assert read_pool("AAA1\n\nBBB2\n").codes == (PoolCode("AAA1"), PoolCode("BBB2"))
    table = "\ufeffcode,expires\nAAA1,2027-01-31\nBBB2,2027/02/28\nCCC3,\n"
    assert read_pool(table).codes == (
        PoolCode("AAA1", date(2027, 1, 31)),
        PoolCode("BBB2", date(2027, 2, 28)),
        PoolCode("CCC3"),
    )


def test_bad_lines_are_told_by_number_and_never_by_code() -> None:
    found = read_pool("AAA1\nAAA1\nB B\nCCC3,soon\nDDD4,2027-01-31,x\n" + "E" * 65 + "\nあ\n")
    assert found.codes == (PoolCode("AAA1"),)
    assert [error.line for error in found.errors] == [2, 3, 4, 5, 6, 7]
    assert found.errors[0] == PoolError(2, "the same code stands in an earlier line", "twice")
    assert all("AAA1" not in error.reason for error in found.errors)
