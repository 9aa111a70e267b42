"""Reviewing without script: approve, undo, edit, send back, batches, stale pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from console.visit import House
from tests.console.conftest import NAMES, Clock, Enter, Ledger, Visitor
from tests.console.sample import message_id
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.rules.states import MessageState, Role, Verdict
from worker.store.engine import reading, writing
from worker.store.messages import Message


def _forms(html: str, action: str) -> dict[str, str]:
    """Hidden fields of the form with that action, as a browser would send them."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert found is not None, action
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found.group(1))
    return {name: unescape(value) for name, value in fields}


def _press(visitor: Visitor, page: str, action: str, **more: Any) -> Any:
    values = _forms(visitor.get(page).text, action) | more
    return visitor.send(action, **values)


def _open(visitor: Visitor, place: int, **query: str) -> str:
    said = "".join(f"&{name}={value}" for name, value in query.items())
    return visitor.get(f"/queue?m={message_id(place)}{said}").text


def test_the_queue_puts_what_runs_out_first_then_flags_then_newcomers(enter: Enter) -> None:
    html = enter().get("/queue").text
    heads = re.findall(r'class="dk-group">(?:<svg.*?</svg>)?([^<]+)<span class="n">(\d+)通', html)
    assert heads == [
        ("まもなく期限", "2"),
        ("見るところあり", "4"),
        ("新規", "3"),
        ("リピーター", "3"),
    ]
    names = re.findall(r'<span class="dk-clip" lang="ja">([^<]+)<', html)
    assert names[:3] == ["山口 さくら", "井上 誠", "斎藤 真由美"]
    assert "藤原 千鶴" not in names


def test_vips_have_a_list_of_their_own(enter: Enter) -> None:
    html = enter().get("/queue?list=vip").text
    names = re.findall(r'<span class="dk-clip" lang="ja">([^<]+)<', html)
    assert sorted(names) == ["藤原 千鶴", "黒田 浩"]


def test_approving_needs_no_script_and_goes_on_to_the_next_mail(
    enter: Enter, ledger: Ledger
) -> None:
    visitor = enter()
    page = f"/queue?m={message_id(0)}"
    answer = _press(visitor, page, f"/messages/{message_id(0)}/approve")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/queue?m={message_id(1)}#mail"
    done = ledger.message(0)
    assert (done.state, done.approved_by) == (MessageState.APPROVED, NAMES[Role.APPROVER])


def test_the_undo_strip_takes_the_newest_approval_back(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    _press(visitor, f"/queue?m={message_id(0)}", f"/messages/{message_id(0)}/approve")
    html = visitor.get("/queue").text
    assert "山口 さくら を承認" in html
    assert "あと 5:00" in html
    _press(visitor, "/queue", "/queue/undo")
    assert ledger.message(0).state is MessageState.IN_REVIEW


def test_nobody_undoes_what_another_approved(enter: Enter, ledger: Ledger) -> None:
    visitor, other = enter(Role.APPROVER), enter(Role.ADMIN)
    _press(visitor, f"/queue?m={message_id(0)}", f"/messages/{message_id(0)}/approve")
    at = _forms(visitor.get("/queue").text, "/queue/undo")["at"]
    assert "dk-undo" not in other.get("/queue").text
    other.send("/queue/undo", at=at)
    assert ledger.message(0).state is MessageState.APPROVED


def test_the_strip_is_gone_when_its_time_is_over(enter: Enter, clock: Clock) -> None:
    visitor = enter()
    _press(visitor, f"/queue?m={message_id(0)}", f"/messages/{message_id(0)}/approve")
    clock.now += timedelta(minutes=5)
    assert "dk-undo" not in visitor.get("/queue").text


def test_a_page_that_is_older_than_the_mail_approves_nothing(enter: Enter, ledger: Ledger) -> None:
    visitor, colleague = enter(Role.APPROVER), enter(Role.EDITOR)
    old = _forms(_open(visitor, 6), f"/messages/{message_id(6)}/approve")
    read = ledger.body(6).text.replace("\n", "\r\n")
    colleague.get(f"/messages/{message_id(6)}/edit")
    colleague.send(
        f"/messages/{message_id(6)}/edit", version=old["version"], subject="新", text="新しい文"
    )
    answer = visitor.send(f"/messages/{message_id(6)}/approve", **old, seen_text=read)
    assert answer.status_code == 409
    assert f"{NAMES[Role.EDITOR]}が9:40に「編集」" in answer.text
    assert "<del>大野 由佳 様" in answer.text
    assert "新しい文" in answer.text
    assert ledger.message(6).state is MessageState.IN_REVIEW
    now_read = _forms(answer.text, f"/messages/{message_id(6)}/approve")
    visitor.send(f"/messages/{message_id(6)}/approve", **now_read)
    assert ledger.message(6).state is MessageState.APPROVED


def test_a_stale_save_shows_the_difference_and_keeps_the_clerks_words(
    enter: Enter, ledger: Ledger
) -> None:
    mine, theirs = enter(Role.APPROVER), enter(Role.EDITOR)
    path = f"/messages/{message_id(6)}/edit"
    old = _forms(mine.get(path).text, path)
    subject = ledger.body(6).subject
    theirs.get(path)
    theirs.send(path, version=old["version"], subject=subject, text="ありがとうございます。\n")
    answer = mine.send(path, **old, subject=subject, text="おおきに。\n")
    assert answer.status_code == 409
    assert f"{NAMES[Role.EDITOR]}が9:40に変えました" in answer.text
    assert "<del>" in answer.text
    assert "<ins>" in answer.text
    assert "おおきに。\n</textarea>" in answer.text
    assert ledger.body(6).text == "ありがとうございます。\n"


def test_after_seeing_the_difference_the_clerk_may_insist(enter: Enter, ledger: Ledger) -> None:
    mine, theirs = enter(Role.APPROVER), enter(Role.EDITOR)
    path = f"/messages/{message_id(6)}/edit"
    old = _forms(mine.get(path).text, path)
    theirs.get(path)
    theirs.send(path, version=old["version"], subject="題", text="あ\n")
    refused = mine.send(path, **old, subject="題", text="い\n")
    assert (
        mine.send(path, **_forms(refused.text, path), subject="題", text="い\n").status_code == 303
    )
    assert ledger.body(6).text == "い\n"


def test_saving_without_a_change_changes_nothing(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    path = f"/messages/{message_id(6)}/edit"
    before = ledger.body(6)
    fields = _forms(visitor.get(path).text, path)
    # A browser sends line ends as CRLF.
    text = before.text.replace("\n", "\r\n")
    visitor.send(path, **fields, subject=before.subject, text=text, html=before.html)
    assert ledger.message(6).edited is False
    assert ledger.body(6).text == before.text


def test_words_that_may_not_go_stay_on_the_page(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    path = f"/messages/{message_id(6)}/edit"
    fields = _forms(visitor.get(path).text, path)
    answer = visitor.send(path, **fields, subject="題", text="消えては困る文\u2028\n")
    assert answer.status_code == 409
    assert "使えない制御文字があります" in answer.text
    assert "消えては困る文" in answer.text
    assert ledger.message(6).edited is False


def test_words_that_changed_after_approval_are_shown_first(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter()
    _press(visitor, f"/queue?m={message_id(6)}", f"/messages/{message_id(6)}/approve")
    path = f"/messages/{message_id(6)}/edit"
    fields = _forms(visitor.get(path).text, path)
    visitor.send(path, **fields, subject="題", text="短い文です。\n")
    html = _open(visitor, 6)
    assert "承認が外れました" in html
    assert re.search(r'aria-current="true">承認時との違い \d+<', html)


def test_sending_back_asks_for_a_reason(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    path = f"/messages/{message_id(6)}/send-back"
    assert _press(visitor, path, path, reason=" ").status_code == 409
    assert _press(visitor, path, path, reason="敬称を直してください").status_code == 303
    assert ledger.message(6).state is MessageState.SENT_BACK
    assert "敬称を直してください" in visitor.get(f"/queue?list=back&m={message_id(6)}").text


def test_a_held_mail_says_why_and_can_be_released(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    page = f"/queue?list=held&m={message_id(14)}"
    assert "のしの手配待ち" in visitor.get(page).text
    _press(visitor, page, f"/messages/{message_id(14)}/release")
    assert ledger.message(14).state is MessageState.IN_REVIEW


def test_facts_that_changed_write_the_mail_anew_instead_of_approving(
    enter: Enter, ledger: Ledger, monkeypatch: Any
) -> None:
    visitor = enter()
    house: House = visitor.client.app.state.house  # type: ignore[attr-defined]
    written: list[str] = []

    class Changed:
        verdict, changed = Verdict.ALLOW, ["order_total"]

    def recheck(session: Session, ctx: Context, message_id: str, now: object) -> Changed:
        return Changed()

    def anew(session: Session, ctx: Context, message_id: str, now: object) -> Message:
        written.append(message_id)
        return session.get_one(Message, message_id)

    monkeypatch.setattr("console.pages.mail.render.render_message", anew)
    object.__setattr__(house, "recheck", recheck)
    answer = _press(visitor, f"/queue?m={message_id(6)}", f"/messages/{message_id(6)}/approve")
    assert answer.headers["location"] == f"/messages/{message_id(6)}?anew=1#mail"
    assert written == [message_id(6)]
    assert ledger.message(6).state is MessageState.IN_REVIEW
    assert "作り直しました" in visitor.get(f"/messages/{message_id(6)}?anew=1").text


# --- batches --------------------------------------------------------------------------------


def _question(visitor: Visitor, query: str) -> tuple[str, dict[str, Any]]:
    html = visitor.get(f"/queue/batch?{query}").text
    items = re.findall(r'name="item" value="([^"]+)"', html)
    number = re.search(r'name="number" value="(\d+)"', html)
    assert number is not None
    return html, {"number": number.group(1), "item": items}


def test_without_a_filter_there_is_no_batch_button(enter: Enter) -> None:
    html = enter().get("/queue").text
    assert "絞り込みを選ぶと、まとめて承認できます" in html
    assert "/queue/batch" not in html


def test_button_question_and_form_carry_the_same_number(enter: Enter) -> None:
    visitor = enter()
    html = visitor.get("/queue?kind=order_thanks").text
    assert "7通を一括承認…" in html
    assert "含まないもの: 見るところあり 4、VIP 2" in html
    question, values = _question(visitor, "kind=order_thanks")
    assert "7通をまとめて承認しますか" in question
    assert "7通を承認" in question
    assert (values["number"], len(values["item"])) == ("7", 7)


def test_a_batch_approves_exactly_what_was_shown(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    _html, values = _question(visitor, "kind=order_thanks&rank=first")
    assert visitor.send("/queue/batch", **values).status_code == 303
    approved = [i for i in range(12) if ledger.message(i).state is MessageState.APPROVED]
    assert approved == [0, 6, 7, 8]
    assert "4通を承認" in visitor.get("/queue").text
    _press(visitor, "/queue", "/queue/undo")
    assert ledger.message(0).state is MessageState.IN_REVIEW


def test_a_batch_whose_number_differs_approves_nothing(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    _html, values = _question(visitor, "kind=order_thanks&rank=first")
    answer = visitor.send("/queue/batch", **{**values, "number": 5})
    assert answer.status_code == 409
    assert "5通のはずが、いまは4通です" in answer.text
    assert ledger.message(0).state is MessageState.IN_REVIEW


def test_a_batch_in_which_a_mail_was_edited_meanwhile_approves_nothing(
    enter: Enter, ledger: Ledger, desk_engine: Engine, clock: Clock
) -> None:
    visitor = enter()
    context = visitor.client.app.state.house.ctx_factory  # type: ignore[attr-defined]
    _html, values = _question(visitor, "kind=order_thanks&rank=first")
    with writing(desk_engine) as session:
        review.edit(
            session,
            context(session),
            message_id(6),
            review.Words(text="別の文\n"),
            by=NAMES[Role.EDITOR],
            now=clock.now,
        )
    answer = visitor.send("/queue/batch", **values)
    assert answer.status_code == 409
    with reading(desk_engine) as session:
        states = {session.get_one(Message, message_id(i)).state for i in (0, 6, 7, 8)}
    assert states == {MessageState.IN_REVIEW}


def test_a_flagged_or_vip_mail_slipped_into_a_batch_stops_it(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    _html, values = _question(visitor, "kind=order_thanks&rank=first")
    for place in (2, 11):
        more = [*values["item"], f"{message_id(place)}:{ledger.message(place).version}"]
        answer = visitor.send("/queue/batch", number=len(more), item=more)
        assert answer.status_code == 409
        assert ledger.message(place).state is MessageState.IN_REVIEW
    assert ledger.message(0).state is MessageState.IN_REVIEW


def test_the_list_says_where_an_approval_came_off(enter: Enter, ledger: Ledger) -> None:
    visitor, colleague = enter(Role.APPROVER), enter(Role.EDITOR)
    _press(visitor, f"/queue?m={message_id(6)}", f"/messages/{message_id(6)}/approve")
    version = str(ledger.message(6).version)
    words = {"subject": ledger.body(6).subject, "text": "別の文です。\n"}
    path = f"/messages/{message_id(6)}/edit"
    assert colleague.send(path, version=version, **words).status_code == 303
    html = visitor.get("/queue").text
    row = html[html.index(f'id="q-{message_id(6)}"') :].partition("</a>")[0]
    assert "承認が外れました" in row
    assert html.count("承認が外れました") == 1
