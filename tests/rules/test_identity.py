"""Keys of people, in the form in which they are compared."""

from __future__ import annotations

import pytest

from worker.rules.identity import Who, address_key, email_key, keys_of, name_key, phone_key
from worker.rules.states import IdentityKind


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("090-1234-5678", "09012345678"),
        ("０９０－１２３４－５６７８", "09012345678"),
        ("+81 90 1234 5678", "09012345678"),
        ("+81 (0)90-1234-5678", "09012345678"),
        ("0081-90-1234-5678", "09012345678"),
        ("9012345678", "09012345678"),  # a spreadsheet ate the zero
        ("312345678", "0312345678"),
        ("03-1234-5678", "0312345678"),
        ("+1 212 555 0123", "+12125550123"),
        ("000-0000-0000", ""),
        ("1234", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_phone_numbers_are_compared_by_their_digits(written: str | None, key: str) -> None:
    assert phone_key(written) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("山田 花子", "山田　花子様"),
        ("髙橋 一郎", "高橋一郎"),
        ("ヤマダ ハナコ", "やまだはなこ"),
        ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダハナコ"),
        ("John Smith", "JOHN  SMITH"),
    ],
)
def test_one_name_in_two_spellings_is_one_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


def test_a_single_letter_is_no_name() -> None:
    assert name_key("林") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京都港区芝1-2-3", "東京都港区芝１丁目２番地３号"),
        ("東京都港区芝1ー2−3", "東京都港区芝 1‐2‐3"),
    ],
)
def test_one_address_in_two_spellings_is_one_address(one: str, other: str) -> None:
    assert address_key("105-0014", one) == address_key("1050014", other) != ""


def test_other_doors_and_towns_without_a_number_are_not_matched() -> None:
    assert address_key("1050014", "東京都港区芝1-2-3") != address_key(
        "1050014", "東京都港区芝1-2-4"
    )
    assert address_key("1050014", "東京都港区芝") == ""


def test_mail_addresses_are_compared_lower_case_and_must_be_one() -> None:
    assert email_key(" Hana@Mail.Example ") == "hana@mail.example"
    assert email_key("hana@") == email_key("hana") == email_key("a b@c") == email_key(None) == ""


def test_keys_stand_strongest_first() -> None:
    who = Who(
        member_id=" m1 ",
        email="a@mail.example",
        name="山田 花子",
        phone="090-1234-5678",
        postal_code="105-0014",
        address="東京都港区芝1-2-3",
    )
    assert [kind for kind, _ in keys_of(who)] == [
        IdentityKind.MEMBER,
        IdentityKind.EMAIL,
        IdentityKind.PHONE_NAME,
        IdentityKind.NAME_ADDRESS,
    ]
    assert keys_of(Who(email="x@relay.example", email_is_relay=True)) == [
        (IdentityKind.RELAY_EMAIL, "x@relay.example")
    ]
    assert keys_of(Who(name="山田 花子")) == []
