"""Shop documents: every problem is told at once, with its file, its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.documents import NAMES, DocumentsWrong, documents_from, load_documents, shipped_text
from worker.rules.states import MailKind, Sender, Verdict

SHOP = 'name = "みどり茶舗"\n'


def problems(**texts: str) -> list[str]:
    with pytest.raises(DocumentsWrong) as told:
        documents_from({"shop": SHOP, **texts})
    return [str(problem) for problem in told.value.problems]


def test_the_shipped_documents_are_sound() -> None:
    documents = documents_from({name: shipped_text(name) for name in NAMES})

    assert [rung.id for rung in documents.ladder.rungs] == ["vip", "repeat", "first"]
    assert documents.milestones.default.numbers == (5, 10)
    assert documents.senders.who("own:main", "own", MailKind.ORDER_THANKS) is Sender.OKAERI
    assert documents.senders.who("x:y", "amazon", MailKind.ORDER_THANKS) is Sender.NOBODY


def test_an_unknown_key_is_told_with_its_line() -> None:
    assert problems(shop=SHOP + "\n[contact]\nstaf_name = 'x'\n") == [
        "config/shop.toml:4: contact.staf_name: unknown key. Remove it or mend its spelling."
    ]


def test_all_problems_of_all_files_are_told_at_once() -> None:
    told = problems(
        shop=SHOP + "zone = 3\n",
        mails="[[rules]]\nkind = 'order_thanks'\n[[rules]]\nkind = 'thanks'\n",
        ranks="rungs = [\n",
    )

    assert [line.split(": ")[0] for line in told] == [
        "config/shop.toml:2",
        "config/ranks.toml:1",
        "config/mails.toml:4",
    ]


def test_a_wrong_type_names_the_value_found() -> None:
    (line,) = problems(shop=SHOP + "median_factor = 'viel'\n")

    assert line.startswith("config/shop.toml:2: median_factor: ")
    assert "'viel'" in line


def test_a_zone_that_does_not_exist_is_refused() -> None:
    assert problems(shop=SHOP + "zone = 'Asia/Tokio'\n") == [
        "config/shop.toml: zone: unknown zone 'Asia/Tokio', e.g. Asia/Tokyo."
    ]


def test_a_channel_cannot_stand_in_two_scopes() -> None:
    (line,) = problems(shop=SHOP + "[scopes]\na = ['own:x']\nb = ['own:x']\n")

    assert "own:x stands in a too" in line


def test_the_ladder_must_take_everybody() -> None:
    (line,) = problems(
        ranks="[[rungs]]\nid = 'vip'\nlabel = 'V'\nlabel_en = 'V'\nmin_visit = 2\n",
        mails="rules = []\n",
    )

    assert "the last rung must take everybody" in line


def test_a_rule_may_only_name_ranks_of_the_ladder() -> None:
    (line,) = problems(mails="[[rules]]\nkind = 'follow_up'\nranks = ['gold']\n")

    assert "unknown rank 'gold'. Ranks: vip, repeat, first." in line


def test_policy_may_be_tightened() -> None:
    documents = documents_from(
        {"shop": SHOP, "policy": "[cells.own.order_thanks]\nverdict = 'hold'\n"}
    )

    cell = documents.policy.cell("own", MailKind.ORDER_THANKS)
    assert cell.verdict is Verdict.HOLD
    assert documents.policy.cell("own", MailKind.MILESTONE).verdict is Verdict.CONSENT


def test_policy_may_never_be_loosened() -> None:
    (line,) = problems(policy="\n[cells.amazon.order_thanks]\nverdict = 'allow'\n")

    assert line == (
        "config/policy.toml:3: cells.amazon.order_thanks.verdict: allow is looser than the "
        "shipped forbid. Policy can only be tightened."
    )


def test_an_unknown_family_or_kind_holds_and_never_advertises() -> None:
    cell = documents_from({"shop": SHOP}).policy.cell("mercari", MailKind.ORDER_THANKS)

    assert (cell.verdict, cell.as_ad) == (Verdict.HOLD, Verdict.FORBID)


def test_a_missing_shop_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DocumentsWrong, match="okaeri init"):
        load_documents(tmp_path)


def test_a_misspelt_file_name_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "rank.toml").write_text("", encoding="utf-8")

    with pytest.raises(DocumentsWrong, match=r"rank\.toml: unknown document"):
        load_documents(tmp_path)


def test_a_channel_takes_what_it_leaves_open_from_the_shop() -> None:
    shop = documents_from(
        {
            "shop": SHOP + "[contact]\nphone = '03'\nstaff_name = '森本'\n"
            "[channels.'own:b']\nstaff_name = '林'\n"
        }
    ).shop

    assert shop.contact_of("own:b").staff_name == "林"
    assert shop.contact_of("own:b").phone == "03"
    assert shop.contact_of("own:a").staff_name == "森本"


def test_scopes_default_to_all_own_shops_together_and_each_marketplace_alone() -> None:
    shop = documents_from({"shop": SHOP + "[scopes]\nb2b = ['own:b']\n"}).shop

    assert shop.scope_of("own:a", "own") == "own"
    assert shop.scope_of("own:b", "own") == "b2b"
    assert shop.scope_of("rakuten:main", "rakuten") == "rakuten:main"
