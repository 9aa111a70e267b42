"""People are written alike whatever wrote them; nothing is guessed."""

from typing import Any

import pytest

from connectors.kit import people


@pytest.mark.parametrize(
    ("value", "expected"),
    [(" 見本 ", "見本"), (7, "7"), (None, None), ("", None), (True, None), ({}, None), ([], None)],
)
def test_a_text_is_trimmed_and_nothing_is_none(value: Any, expected: str | None) -> None:
    assert people.text(value) == expected


def test_names_lose_spaces_and_sama_and_nothing_else() -> None:
    assert people.name("  髙﨑　花子 様") == "髙﨑 花子"
    assert people.name("様") is None
    assert people.spaced(None, " 見本", "", "花子") == "見本 花子"
    assert people.spaced(None, "") is None


def test_any_kana_becomes_full_width_katakana() -> None:
    assert [people.kana(one) for one in ("みほん", "ﾐﾎﾝ", "ミホン", "", None)] == [
        *("ミホン",) * 3,
        None,
        None,
    ]


@pytest.mark.parametrize("value", ["", "none", "@x.jp", "a@", "a b@x.jp", "a@x.jp\n.jp", None, 3])
def test_what_is_no_address_is_none(value: Any) -> None:
    assert people.mail(value) is None


def test_an_addresss_domain_is_in_lower_case() -> None:
    assert people.mail(" Hanako@Example.JP ") == "Hanako@example.jp"


@pytest.mark.parametrize(
    ("address", "relay"),
    [
        ("a@pc.fw.rakuten.ne.jp", True),
        ("a@fw.rakuten.ne.jp", True),
        ("a@marketplace.amazon.co.jp", True),
        ("a@xfw.rakuten.ne.jp", False),
        ("fw.rakuten.ne.jp@example.jp", False),
    ],
)
def test_masks_are_known_by_their_domain(address: str, relay: bool) -> None:
    assert people.is_relay(address) is relay


def test_japans_country_code_becomes_the_leading_zero() -> None:
    assert people.phone("+819000000000") == "09000000000"
    assert people.phone("81-90-0000-0000") == "090-0000-0000"
    assert people.phone("0300000000") == "0300000000"
    assert people.phone(None) is None


def test_prefectures_by_their_code() -> None:
    assert [people.prefecture(code) for code in ("JP01", "JP13", "JP-47", "JP48", "JP00", "")] == [
        *("北海道", "東京都", "沖縄県"),
        *(None,) * 3,
    ]
