"""Every page, in both languages, empty and full."""

from __future__ import annotations

import re

import pytest

from console.words import words_of
from tests.console.conftest import Enter
from tests.console.sample import message_id
from worker.rules.states import Flag, MailKind, MessageState, Role

PATHS = (
    "/",
    "/queue",
    "/queue?list=vip",
    "/queue?list=held",
    "/queue?kind=order_thanks&rank=first",
    "/queue?kind=birthday",
    "/queue/batch?kind=order_thanks",
    "/messages",
    "/messages?q=高橋",
    "/unconfirmed",
    "/handoffs",
    "/stops",
    "/quarantine",
    "/packing",
    "/candidates",
    "/more",
    "/keys",
    f"/messages/{message_id(3)}",
    f"/messages/{message_id(0)}?view=life",
    f"/messages/{message_id(2)}?view=html",
    f"/messages/{message_id(2)}?view=edits",
    f"/messages/{message_id(3)}/edit",
    f"/messages/{message_id(3)}/send-back",
    f"/messages/{message_id(14)}/cancel",
)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_opens_in_the_browsers_language(enter: Enter, path: str, language: str) -> None:
    answer = enter(Role.APPROVER, language).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_holds_no_inline_script_and_no_inline_style(enter: Enter, path: str) -> None:
    html = enter().get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", html) == []


def test_both_languages_have_every_word() -> None:
    japanese, english = words_of("ja").entries, words_of("en").entries
    plurals = {key for key in english if key.endswith("_one") and key not in japanese}
    assert set(english) - plurals == set(japanese)
    assert {key.removesuffix("_one") for key in plurals} <= set(japanese)


def test_both_languages_fill_the_same_places() -> None:
    japanese, english = words_of("ja").entries, words_of("en").entries
    places = re.compile(r"\{(\w+)\}")
    different = [
        key
        for key, words in japanese.items()
        if set(places.findall(words)) != set(places.findall(english[key]))
    ]
    assert different == []


@pytest.mark.parametrize("group", ["flag", "flag_do"])
def test_every_flag_says_what_it_is_and_what_to_do(group: str) -> None:
    assert [flag for flag in Flag if not words_of("ja").has(f"{group}.{flag}")] == []


def test_every_state_and_kind_has_its_word() -> None:
    words = words_of("ja")
    assert [state for state in MessageState if not words.has(f"state.{state}")] == []
    assert [kind for kind in MailKind if not words.has(f"kind_short.{kind}")] == []


def test_the_menu_changes_the_language_and_remembers_it(enter: Enter) -> None:
    visitor = enter()
    visitor.send("/language", to="en", back="/queue")
    assert "<h1>Review<b>" in visitor.get("/queue").text
