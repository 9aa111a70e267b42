"""A mail's life is told in words, never in codes."""

from __future__ import annotations

from typing import Any

import pytest

from console.views.life import life_of
from console.views.looks import fact_words
from console.words import words_of
from tests.console.conftest import make_context
from tests.console.sample import NOW
from worker.rules.states import MOVES, Actor, Flag, MessageState
from worker.store.messages import MessageEvent


def told(move: str, reason: dict[str, Any], locale: str = "ja", by: str = "") -> tuple[str, ...]:
    row = MessageEvent(
        at=NOW,
        move=move,
        to_state=MessageState.SENT,
        actor=Actor.DISPATCH,
        by=by,
        reason=reason,
    )
    event = life_of(row, make_context(), words_of(locale))
    return event.what, event.who, event.words


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_every_move_has_words(locale: str) -> None:
    names = {move.name for move in MOVES} | {"plan", "write", "edit", "send_again"}
    assert [name for name in sorted(names) if not words_of(locale).has(f"move.{name}")] == []


def test_what_lay_behind_a_move_is_said() -> None:
    assert told("send", {"attempt": 2, "mail_id": "x@y"}) == ("送信を開始", "送信", "2回目の送信")
    sent = told("sent", {"reply": "250 OK", "captured": True, "mail_id": "x"}, "en")
    assert sent[2] == "Only a copy was kept The server said: 250 OK"
    assert told("edit", {"fields": ["subject", "text"]}, by="中村") == (
        "編集",
        "中村",
        "直したところ: 件名、本文",
    )
    assert told("send_back", {"words": "宛名違い"}, by="森本")[1:] == ("森本", "宛名違い")


def test_a_code_is_told_in_its_words_or_not_at_all() -> None:
    assert told("lapse", {"code": "facts_changed", "changed": ["order_total"]})[2] == (
        "承認のあとに受注や宛先が変わったためです。"
    )
    assert told("hold", {"code": "note_open"})[2] == "要対応の対応履歴があるため止めています。"
    assert told("suppress", {"code": "nothing_known_of"})[2] == ""


def test_a_refused_text_is_told_in_words_by_its_flag() -> None:
    said = fact_words(Flag.TEXT_REFUSED, ["foreign_shop: みどり茶舗 ヤフー店"], words_of("ja"), {})
    assert said == "ほかの店舗の名前が入っています: みどり茶舗 ヤフー店"
