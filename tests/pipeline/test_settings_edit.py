"""Forms of settings: what is typed lands in the documents, comments stay, mistakes are told."""

from __future__ import annotations

from datetime import date, time

import pytest

from worker.documents import NAMES, shipped_text
from worker.pipeline.settings_drafts import EMPTY_POLICY, Working
from worker.pipeline.settings_edit import Edited, UnknownAct, edit_page, edit_text
from worker.pipeline.settings_fields import Field, FieldWrong, Kind, shown
from worker.pipeline.settings_tabs import TABS, Shop, fields_of
from worker.pipeline.settings_toml import NotToml, Sheet, value_at

SHOP = Shop(
    (("own:main", "own"), ("rakuten:main", "rakuten"), ("amazon:main", "amazon")),
)


def working(**texts: str) -> Working:
    published = {name: shipped_text(name) for name in NAMES} | {"policy": EMPTY_POLICY}
    return Working({**published, **texts})


def typed(tab: str, act: str = "", using: Working | None = None, **values: str) -> Edited:
    named = {name.replace("__", "."): [value] for name, value in values.items()}
    return edit_page(using or working(), SHOP, tab, named, act)


def codes(edited: Edited) -> dict[str, list[str]]:
    return {name: [wrong.code for wrong in wrongs] for name, wrongs in edited.errors.items()}


def value(edited: Edited, document: str, *path: str | int) -> object:
    return Sheet(edited.texts[document]).get(path)


@pytest.mark.parametrize("tab", TABS)
def test_a_page_saved_as_it_stands_changes_no_letter(tab: str) -> None:
    hand = working()
    named: dict[str, list[str]] = {}
    for name, field in fields_of(tab, hand.data, SHOP).items():
        present = value_at(hand.data[field.document], field.path, field.default)
        if field.kind is Kind.PICKS:
            ticked = [str(choice) for choice in field.choices if choice in present]
            named[name] = ["", *ticked]
        else:
            named[name] = ["", shown(field.kind, present)]
    edited = edit_page(hand, SHOP, tab, named)

    assert edited.errors == {}
    assert edited.texts == {name: hand.text(name) for name in edited.texts}


def test_a_number_changes_alone_and_every_comment_stays() -> None:
    edited = typed("ranks", ranks__rungs__0__any_of__0__spend="25,000")

    before, after = shipped_text("ranks").splitlines(), edited.texts["ranks"].splitlines()
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert changed == [
        (
            "    { orders = 5, spend = 30000, months = 24 },",
            "    { orders = 5, spend = 25000, months = 24 },",
        )
    ]
    assert edited.texts["senders"] == shipped_text("senders")


def test_full_width_digits_are_digits_and_an_empty_condition_field_is_none() -> None:
    edited = typed(
        "ranks",
        ranks__rungs__0__any_of__0__orders="６",
        ranks__rungs__0__any_of__0__spend="",
    )

    assert value(edited, "ranks", "rungs", 0, "any_of", 0) == {"orders": 6, "months": 24}


@pytest.mark.parametrize(
    ("tab", "name", "text", "code"),
    [
        ("ranks", "ranks.rungs.0.min_visit", "ふたつ", "number"),
        ("ranks", "ranks.rungs.0.min_visit", "0", "range"),
        ("ranks", "ranks.demotion.judging_day", "32", "range"),
        ("ranks", "ranks.rungs.0.label", " ", "required"),
        ("ranks", "senders.families.own.order_thanks", "mall", "choice"),
        ("mails", "mails.rules.0.hours.0", "25:00", "clock"),
        ("mails", "mails.rules.0.hours.1", "7:00", "span"),
        ("mails", "mails.rules.2.at", "16:00", "outside_hours"),
        ("review", "review.business_hours.1", "08:00", "span"),
        ("calendar", "shop.calendar.closed_days", "2026-02-30", "day"),
        ("shop", "shop.contact.sender", "no address", "address"),
        ("shop", "shop.contact.url", "midori", "site"),
        ("shop", "shop.name", "みどり\nBcc: x@example.com", "one_line"),
        ("shop", "shop.zone", "Asia/Tokio", "document"),
    ],
)
def test_a_mistake_is_told_at_its_field(tab: str, name: str, text: str, code: str) -> None:
    edited = edit_page(working(), SHOP, tab, {name: [text]})

    assert codes(edited) == {name: [code]}


def test_all_mistakes_of_a_page_are_told_at_once() -> None:
    edited = edit_page(
        working(),
        SHOP,
        "review",
        {"review.undo_seconds": ["x"], "review.canary": ["0"], "review.business_hours.1": ["8:00"]},
    )

    assert codes(edited) == {
        "review.undo_seconds": ["number"],
        "review.canary": ["range"],
        "review.business_hours.1": ["span"],
    }


def test_fields_that_did_not_come_stay_and_an_empty_tick_list_is_none_ticked() -> None:
    edited = edit_page(working(), SHOP, "calendar", {"shop.calendar.closed_weekdays": [""]})

    assert value(edited, "shop", "calendar", "closed_weekdays") == []
    assert value(edited, "shop", "calendar", "holidays") is True
    unticked = edit_page(working(), SHOP, "calendar", {"shop.calendar.holidays": [""]})
    assert value(unticked, "shop", "calendar", "holidays") is False


def test_seven_closed_days_a_week_are_refused() -> None:
    days = ["", *map(str, range(7))]

    edited = edit_page(working(), SHOP, "calendar", {"shop.calendar.closed_weekdays": days})

    assert codes(edited) == {"shop.calendar.closed_weekdays": ["never_open"]}


def test_days_and_times_are_stored_as_days_and_times() -> None:
    edited = typed("calendar", shop__calendar__closed_days="2026/12/31、2026-12-29")
    assert value(edited, "shop", "calendar", "closed_days") == [
        date(2026, 12, 29),
        date(2026, 12, 31),
    ]
    mails = typed("mails", mails__rules__0__hours__0="9:30")
    assert value(mails, "mails", "rules", 0, "hours") == [time(9, 30), time(21)]


def test_the_policy_can_be_tightened_and_never_loosened() -> None:
    name = "policy.cells.rakuten.follow_up.verdict"

    assert codes(edit_page(working(), SHOP, "policy", {name: ["allow"]})) == {name: ["choice"]}
    tightened = edit_page(working(), SHOP, "policy", {name: ["forbid"]})
    assert value(tightened, "policy", "cells", "rakuten", "follow_up") == {"verdict": "forbid"}
    by_text = edit_text(working(), "policy", "[cells.rakuten]\nfollow_up = { verdict = 'allow' }\n")
    assert codes(by_text) == {"": ["document"]}


def test_what_the_marketplace_forbids_has_no_field_to_choose_a_sender_in() -> None:
    names = fields_of("ranks", working().data, SHOP)

    assert "senders.families.rakuten.order_thanks" in names
    assert "senders.families.amazon.order_thanks" not in names


def test_rungs_are_added_with_the_texts_of_the_rank_beside_them_moved_and_removed() -> None:
    added = typed("ranks", "add_rung")
    rungs = value(added, "ranks", "rungs")
    assert isinstance(rungs, list)
    assert [rung["id"] for rung in rungs] == ["vip", "rank2", "repeat", "first"]
    assert rungs[1]["text"] == "repeat"
    using = working(ranks=added.texts["ranks"])

    moved = typed("ranks", "up_rung/1", using)
    assert value(moved, "ranks", "rungs", 0, "id") == "rank2"
    gone = typed("ranks", "remove_rung/1", using)
    assert Sheet(gone.texts["ranks"]).data() == Sheet(shipped_text("ranks")).data()


def test_the_rank_that_takes_everybody_stays() -> None:
    for act in ("remove_rung/2", "up_rung/2", "add_condition/2", "remove_rung/9", "burn", "take"):
        with pytest.raises(UnknownAct):
            typed("ranks", act)


def test_a_rank_that_mails_speak_to_is_not_removed() -> None:
    edited = typed("ranks", "remove_rung/0")

    assert codes(edited) == {"": ["rank_used_mails", "rank_used_review"]}


def test_a_condition_that_asks_for_nothing_is_refused() -> None:
    blank = {f"ranks.rungs.0.any_of.1.{key}": [""] for key in ("orders", "spend")}

    edited = edit_page(working(), SHOP, "ranks", blank)

    assert codes(edited) == {"ranks.rungs.0.any_of.1.orders": ["empty_condition"]}


def test_a_proposal_is_taken_into_the_top_rank() -> None:
    edited = typed("ranks", "take/4/21000")

    assert value(edited, "ranks", "rungs", 0, "any_of", 0) == {
        "orders": 4,
        "spend": 21000,
        "months": 24,
    }


def test_the_next_step_of_trust_stands_before_all_other_rules() -> None:
    edited = typed("review", "trust/order_thanks/repeat/own/sample/10")

    assert value(edited, "review", "rules", 0) == {
        "kinds": ["order_thanks"],
        "families": ["own"],
        "mode": "sample",
        "ranks": ["repeat"],
        "sample_percent": 10,
    }


def test_a_busy_time_writes_its_notice_in_both_languages() -> None:
    edited = typed("calendar", "add_busy/2026-12-29/2027-01-04")

    busy = value(edited, "shop", "calendar", "busy", 0)
    assert isinstance(busy, dict)
    assert busy["line"].startswith("12月29日から1月4日まで休業のため、お返事は1月5日")
    assert "from December 29 to January 4" in busy["line_en"]
    assert codes(typed("calendar", "add_busy/2026-12-29/2026-12-28")) == {"": ["day_span"]}
    assert codes(typed("calendar", "add_busy//")) == {"": ["required"]}


def test_a_channel_may_differ_from_its_family_and_follow_it_again() -> None:
    split = typed("ranks", "split/rakuten:main")
    using = working(senders=split.texts["senders"])
    name = "senders.channels.rakuten:main.follow_up"
    own = edit_page(using, SHOP, "ranks", {name: ["okaeri"]})
    assert value(own, "senders", "channels", "rakuten:main") == {"follow_up": "okaeri"}

    back = edit_page(working(senders=own.texts["senders"]), SHOP, "ranks", {name: [""]})
    assert value(back, "senders", "channels", "rakuten:main") == {}


def test_a_whole_text_is_taken_with_its_line_ends_mended_or_told_by_line() -> None:
    edited = edit_text(working(), "review", "undo_seconds = 60\r\n")
    assert (edited.texts, edited.errors) == ({"review": "undo_seconds = 60\n"}, {})
    wrong = edit_text(working(), "review", "\nundo = 60\n").errors[""][0]
    assert wrong.values["place"] == "review.toml:2 undo"


def test_a_text_that_is_no_toml_is_told() -> None:
    with pytest.raises(NotToml):
        Sheet("a = = 1")


def test_a_tick_is_read_from_what_came() -> None:
    flag = Field("shop", ("say_number",), Kind.FLAG, default=True)

    assert flag.read(["", "on"]) is True
    assert flag.read([""]) is False
    with pytest.raises(FieldWrong):
        Field("shop", ("x",), Kind.PICKS, [], choices=("a",)).read(["", "b"])


def test_words_that_ship_are_no_words_of_the_shops_own() -> None:
    using = working(policy=shipped_text("policy"))
    name = "policy.forbidden_words.rakuten"
    field = fields_of("policy", using.data, SHOP)[name]

    assert field.own(using.data["policy"]["forbidden_words"]["rakuten"]) == []
    same = edit_page(using, SHOP, "policy", {name: [""]})
    assert same.texts["policy"] == shipped_text("policy")
    more = edit_page(using, SHOP, "policy", {name: ["激安\n最安値"]})
    assert value(more, "policy", "forbidden_words", "rakuten") == ["激安", "最安値"]
    merged = using.documents(**more.texts).policy.forbidden_words["rakuten"]
    assert merged[-2:] == ("激安", "最安値")
    assert "公式サイト" in merged
