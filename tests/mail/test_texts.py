"""Which text is taken, and that families never borrow from one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mail.expected import LOCALES, SOURCE, TEMPLATES, drafts, keys, rendered
from worker.mail.kinds import KINDS, milestone_occasion, ordered_occasions, win_back_occasion
from worker.mail.lint import LintContext, lint_content
from worker.mail.texts import (
    FolderSource,
    TextBroken,
    TextMissing,
    choose_text,
    load_card,
    load_text,
)
from worker.rules.states import MailKind


@pytest.mark.parametrize(
    ("kind", "family", "rank", "occasions", "key", "fell_back"),
    [
        ("order_thanks", "own", "first", [], "order_thanks/own/first", False),
        ("order_thanks", "own", "repeat", ["second"], "order_thanks/own/repeat.second", False),
        (
            "order_thanks",
            "own",
            "repeat",
            ["second", "uncertain"],
            "order_thanks/own/repeat.uncertain",
            False,
        ),
        (
            "order_thanks",
            "own",
            "repeat",
            ["milestone", "several"],
            "order_thanks/own/repeat.several",
            False,
        ),
        ("order_thanks", "own", "vip", ["second"], "order_thanks/own/vip", True),
        ("order_thanks", "own", "vip", ["uncertain"], "order_thanks/own/vip", True),
        ("order_thanks", "own", "vip", ["added"], "order_thanks/own/any.added", False),
        ("order_thanks", "own", "gold", [], "order_thanks/own/any", False),
        ("order_thanks", "rakuten", "repeat", ["second"], "order_thanks/rakuten/repeat", True),
        ("order_thanks", "yahoo", "first", ["gift"], "order_thanks/yahoo/any.gift", False),
        ("follow_up", "own", "vip", ["milestone"], "follow_up/own/vip", False),
        ("milestone", "own", "vip", ["fifth"], "milestone/own/any.fifth", False),
        ("milestone", "own", "vip", [], "milestone/own/any", False),
        ("win_back", "own", "repeat", ["step2"], "win_back/own/any.step2", False),
        ("personal", "rakuten", "vip", [], "personal/rakuten/any", False),
    ],
)
def test_the_most_specific_text_is_taken(
    kind: str, family: str, rank: str, occasions: list[str], key: str, fell_back: bool
) -> None:
    chosen = choose_text(SOURCE, "ja", kind, family, rank, occasions)
    assert (chosen.key, chosen.fallback_used) == (key, fell_back)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("birthday", "rakuten"),
        ("rank_up", "yahoo"),
        ("review_request", "rakuten"),
        ("order_thanks", "amazon"),
        ("order_thanks", "aupay"),
        ("birthday", "own"),
    ],
)
def test_a_family_without_a_text_holds_and_borrows_none(kind: str, family: str) -> None:
    with pytest.raises(TextMissing):
        choose_text(SOURCE, "ja", kind, family, "vip")


def test_a_mall_never_falls_back_to_an_own_shop_text(tmp_path: Path) -> None:
    own = tmp_path / "templates/mail/ja/order_thanks/own/any"
    own.mkdir(parents=True)
    for name in ("subject.txt", "body.txt"):
        (own / name).write_text("x", encoding="utf-8")
    source = FolderSource(tmp_path)
    assert choose_text(source, "ja", "order_thanks", "own", "first").body_text == "x"
    with pytest.raises(TextMissing):
        choose_text(source, "ja", "order_thanks", "rakuten", "first")


def test_a_text_cannot_include_another_family_s_block(tmp_path: Path) -> None:
    folder = tmp_path / "templates/mail/ja/order_thanks/rakuten/any"
    block = tmp_path / "templates/mail/ja/_blocks/own"
    folder.mkdir(parents=True)
    block.mkdir(parents=True)
    (block / "signature.txt").write_text("https://own.example", encoding="utf-8")
    (folder / "subject.txt").write_text("x", encoding="utf-8")
    for include in ("signature", "../own/signature", "own/signature"):
        (folder / "body.txt").write_text(f'{{% include "{include}" %}}\n', encoding="utf-8")
        with pytest.raises(TextBroken):
            choose_text(FolderSource(tmp_path), "ja", "order_thanks", "rakuten", "any")


def test_blocks_that_include_one_another_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "templates/mail/ja/order_thanks/own/any"
    block = tmp_path / "templates/mail/ja/_blocks/own"
    folder.mkdir(parents=True)
    block.mkdir(parents=True)
    for path in (folder / "body.txt", folder / "subject.txt", block / "a.txt"):
        path.write_text('{% include "a" %}\n', encoding="utf-8")
    with pytest.raises(TextBroken):
        load_text(FolderSource(tmp_path), "ja", "order_thanks/own/any")


def test_the_version_changes_with_a_block(tmp_path: Path) -> None:
    folder = tmp_path / "templates/mail/ja/order_thanks/own/any"
    block = tmp_path / "templates/mail/ja/_blocks/own"
    folder.mkdir(parents=True)
    block.mkdir(parents=True)
    (folder / "subject.txt").write_text("x", encoding="utf-8")
    (folder / "body.txt").write_text('a\n{% include "b" %}\n', encoding="utf-8")
    (block / "b.txt").write_text("one\n", encoding="utf-8")
    first = load_text(FolderSource(tmp_path), "ja", "order_thanks/own/any")
    (block / "b.txt").write_text("two\n", encoding="utf-8")
    second = load_text(FolderSource(tmp_path), "ja", "order_thanks/own/any")
    assert first.body_text == "a\none\n"
    assert second.body_text == "a\ntwo\n"
    assert first.version_hash != second.version_hash


def test_the_first_root_that_has_a_file_wins(tmp_path: Path) -> None:
    for root in ("shop", "shipped"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "a.txt").write_text(root, encoding="utf-8")
    (tmp_path / "shipped" / "b.txt").write_text("b", encoding="utf-8")
    source = FolderSource(tmp_path / "shop", tmp_path / "shipped")
    assert (source.read("a.txt"), source.read("b.txt"), source.read("c.txt")) == ("shop", "b", None)
    with pytest.raises(ValueError, match="leads out"):
        source.read("../secret")


def test_both_languages_have_the_same_texts() -> None:
    names = {
        locale: sorted(
            path.relative_to(TEMPLATES / locale).as_posix()
            for path in (TEMPLATES / locale).rglob("*.*")
        )
        for locale in LOCALES
    }
    assert names["ja"] == names["en"]


@pytest.mark.parametrize("locale", LOCALES)
def test_own_shops_get_html_and_malls_plain_text_only(locale: str) -> None:
    for key in keys(locale):
        text = load_text(SOURCE, locale, key)
        assert (text.body_html is not None) == (key.split("/")[1] == "own"), key


def test_cards_exist_for_every_family_and_fall_back_inside_it() -> None:
    for family in ("own", "rakuten", "yahoo"):
        assert load_card(SOURCE, "ja", family, "tenth").key == f"card/{family}/any.tenth"
        assert load_card(SOURCE, "ja", family, None).key == f"card/{family}/any"
    with pytest.raises(TextMissing):
        load_card(SOURCE, "ja", "amazon", "tenth")


def test_advertising_kinds_are_those_of_the_law() -> None:
    advertising = {kind for kind, facts in KINDS.items() if facts.advertisement}
    assert advertising == {MailKind.MILESTONE, MailKind.WIN_BACK, MailKind.BIRTHDAY}
    assert KINDS[MailKind.ORDER_THANKS].about == "order"
    assert KINDS[MailKind.WIN_BACK].about == "customer"


def test_occasions_speak_in_their_order() -> None:
    given = ["second", "uncertain", "gift", "returning", "milestone", "several", "fifth"]
    assert ordered_occasions(MailKind.ORDER_THANKS, given) == (
        "several",
        "milestone",
        "returning",
        "gift",
        "uncertain",
        "second",
    )
    assert [milestone_occasion(n) for n in (5, 10, 20)] == ["fifth", "tenth", None]
    assert win_back_occasion(1) == "step1"


def test_drafts_for_a_mall_s_own_tool_name_nobody_and_no_number() -> None:
    for locale in LOCALES:
        assert drafts(locale) == [
            f"{kind}/{family}/any"
            for kind in ("milestone", "win_back")
            for family in ("rakuten", "yahoo")
        ]
        for key in drafts(locale):
            assert rendered(locale, key).used.keys() <= {"shop_name"}


def test_a_draft_sent_to_a_person_by_mistake_would_be_refused_by_the_lint() -> None:
    for locale in LOCALES:
        for key in drafts(locale):
            found = lint_content(rendered(locale, key), LintContext(key.split("/")[1]))
            assert "coupon" in {finding.code for finding in found}
