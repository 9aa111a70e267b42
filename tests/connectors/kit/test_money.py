"""Amounts are exact or refused."""

import pytest

from connectors.kit.money import BadMoney, exponent, parse_minor, unknown_currency


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1980", "JPY", 1980),
        ("¥1,980", "JPY", 1980),
        ("￥１，９８０", "JPY", 1980),
        ("1,980円", "JPY", 1980),
        ("1980.00", "JPY", 1980),
        ("JPY 1980", "JPY", 1980),
        ("-500", "JPY", -500),
        ("▲500", "JPY", -500),
        ("△1,500円", "JPY", -1500),
        ("¥-500", "JPY", -500),
        ("(500)", "JPY", -500),
        ("（５００）", "JPY", -500),
        ("−500", "JPY", -500),
        ("23.54", "USD", 2354),
        ("$1,234.5", "USD", 123450),
        ("7", "USD", 700),
        (".5", "USD", 50),
        ("1.234", "KWD", 1234),
        ("0", "JPY", 0),
        ("", "JPY", None),
        ("  　", "JPY", None),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, minor: int | None) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("23.54", "JPY"),
        ("23.545", "USD"),
        ("1,23", "JPY"),
        ("1.234,56", "EUR"),
        ("1 2,3", "JPY"),
        ("abc", "JPY"),
        ("--5", "JPY"),
        ("1e5", "JPY"),
        ("NaN", "JPY"),
        ("9" * 30, "JPY"),
        ("12", "yen"),
        ("", "円"),
        ("12", ""),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str) -> None:
    if text == "" and currency == "円":
        with pytest.raises(BadMoney):
            exponent(currency)
        return
    with pytest.raises(BadMoney):
        parse_minor(text, currency)


def test_an_unknown_currency_is_named_and_a_missing_one_is_told() -> None:
    assert unknown_currency("XXQ") == (
        "The currency XXQ is unknown: a code such as JPY is needed.",
        "通貨 XXQ を知りません。JPY のような 3 文字の記号が必要です。",
    )
    assert unknown_currency(" ")[1].startswith("通貨が書かれていません。")
