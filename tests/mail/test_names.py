"""How people are addressed, and what a name may not do."""

from __future__ import annotations

import pytest

from worker.mail.facts import PersonName
from worker.mail.names import (
    NameRefused,
    clean,
    clean_name,
    family_honorific,
    full_honorific,
    is_organisation,
)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (PersonName("高橋", "美咲"), "高橋 美咲 様"),
        (PersonName("高橋"), "高橋 様"),
        (PersonName(full_name="高橋美咲"), "高橋美咲 様"),
        (PersonName(full_name="高橋 美咲"), "高橋 美咲 様"),
        (PersonName(full_name="高橋 美咲 様"), "高橋 美咲 様"),
        (PersonName(full_name="高橋さま"), "高橋 様"),
        (PersonName(full_name="高橋殿"), "高橋 様"),
        (PersonName(full_name="株式会社みどり 御中"), "株式会社みどり 御中"),
        (PersonName(full_name="㈱みどり"), "㈱みどり 御中"),
        (PersonName(full_name="見本小学校"), "見本小学校 御中"),
        (
            PersonName("高橋", "美咲", company="株式会社みどり", department="総務部"),
            "株式会社みどり 総務部\n高橋 美咲 様",
        ),
        (PersonName(company="株式会社みどり"), "株式会社みどり 御中"),
        (PersonName(), "お客様"),
        (PersonName(full_name="  ・・・ "), "お客様"),
        (PersonName(full_name="様"), "お客様"),
        (PersonName("髙橋", "﨑𠮷"), "髙橋 﨑𠮷 様"),
        (PersonName(full_name="ﾀｶﾊｼ ﾐｻｷ"), "ﾀｶﾊｼ ﾐｻｷ 様"),
    ],
)
def test_everybody_is_addressed_with_one_honorific(person: PersonName, expected: str) -> None:
    assert full_honorific(person, "ja") == expected


def test_the_short_form_uses_the_family_name_only_where_the_source_told_it() -> None:
    assert family_honorific(PersonName("高橋", "美咲"), "ja") == "高橋様"
    assert family_honorific(PersonName(full_name="高橋 美咲"), "ja") == "高橋 美咲 様"
    assert family_honorific(PersonName(full_name="株式会社みどり"), "ja") == "株式会社みどり 御中"
    assert family_honorific(PersonName(), "ja") == "お客様"


def test_english_puts_the_given_name_first_where_letters_are_latin() -> None:
    assert full_honorific(PersonName("Takahashi", "Misaki"), "en") == "Misaki Takahashi"
    assert full_honorific(PersonName("高橋", "美咲"), "en") == "高橋 美咲"
    assert full_honorific(PersonName(), "en") == "there"


def test_hidden_and_turning_characters_leave_the_name() -> None:
    assert clean("高橋\u202e\u200b 美\u0000咲\r\nBcc: x") == "高橋 美咲 Bcc: x"
    assert clean("葛\U000e0100城") == "葛\U000e0100城"
    assert clean(None) == ""


def test_a_name_is_cut_at_fifty_characters() -> None:
    assert clean_name("あ" * 80) == "あ" * 50


@pytest.mark.parametrize(
    "name",
    [
        "http://evil.example/",
        "当選 https://x.y",
        "www.evil.jp",
        "evil.com で検索",
        "ｅｖｉｌ．ｃｏｍ",
    ],
)
def test_a_name_with_a_web_address_is_refused(name: str) -> None:
    with pytest.raises(NameRefused):
        clean_name(name)


def test_organisations_are_known_by_their_form() -> None:
    assert is_organisation("医療法人見本会")
    assert is_organisation("Midori Co., Ltd")
    assert not is_organisation("高橋 美咲")
