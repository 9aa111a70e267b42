"""テンプレート on the desk, by forms alone: written, mended, tried, published, taken back."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import Engine, select

from console.headers import MAIL_POLICY
from tests.console.conftest import Enter, Ledger, Visitor
from tests.console.sample import message_id
from tests.console.texts import GREETING, VIP, app
from worker.rules.states import MessageState, Role
from worker.store.drafts import DocumentDraft
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageBody
from worker.store.running import Audit, Release

__all__ = ["app"]
EDIT, SAVE, LOOK = (f"/templates/{what}/{VIP}" for what in ("edit", "save", "look"))
SPRING = "朝夕の冷え込む折、温かなお茶でほっとしていただけましたら幸いです。"


def fields(page: str) -> dict[str, str]:
    """The form of the editor as a browser without script would send it."""
    found = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input[^>]*\bname="(\w+)"[^>]*? value="([^"]*)"', page)
    }
    area = re.compile(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', re.DOTALL)
    for name, written in area.findall(page):
        found[name] = html.unescape(written)
    found["follows"] = "true" if re.search(r'name="follows" value="true" checked', page) else ""
    return {k: v for k, v in found.items() if k not in ("csrf", "q", "to", "back") and v != ""}


def words(page: str) -> dict[str, str]:
    """The form with a sentence more in the greeting."""
    given = fields(page)
    given["text"] = given["text"].replace(GREETING, f"{GREETING}\n{SPRING}")
    return given


def drafts(engine: Engine) -> list[DocumentDraft]:
    with reading(engine) as session:
        rows = list(session.scalars(select(DocumentDraft)))
        session.expunge_all()
        return rows


def actions(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        return [(a.by, a.action, a.subject) for a in session.scalars(select(Audit))]


def publish(visitor: Visitor, **given: str) -> int:
    """Answer the question as it is shown."""
    page = visitor.get("/templates/publish").text
    shown = fields(page)
    shown = {name: value for name, value in shown.items() if name in ("draft", "number")}
    answer = visitor.send("/templates/publish", **{**shown, "note": "季節の言葉", **given})
    return answer.status_code


def test_the_field_of_texts_leads_to_the_editor_in_both_languages(enter: Enter) -> None:
    page = enter().get("/templates").text
    assert f'href="{EDIT}"' in page
    for said in ("サンクスメール", "回数が不確か", "同梱カード", "下書きはありません", "定型文"):
        assert said in page
    page = enter(Role.VIEWER, "en").get("/templates?locale=en").text
    assert 'href="/templates/edit/en/order_thanks/own/vip"' in page
    assert "Parcel card" in page
    assert "No drafts" in page


def test_the_words_are_shown_with_japanese_names_and_stored_with_one(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    page = visitor.get(EDIT).text
    assert GREETING in page
    assert visitor.send(SAVE, **words(page)).status_code == 303
    (draft,) = drafts(desk_engine)
    text = draft.parts["templates/mail/ja/order_thanks/own/vip/body.txt"]
    assert "いつも{{ shop_name }}をお引き立てくださり" in text
    assert f"<br>{SPRING}" in draft.parts["templates/mail/ja/order_thanks/own/vip/body.html"]
    assert actions(desk_engine) == [("中村", "draft_template", f"template:{VIP}")]
    page = visitor.get("/templates").text
    assert "下書き 1件" in page
    assert "見本7つとも問題なし" in page


def test_a_finding_stands_at_its_line_and_its_button_mends_it_without_script(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    given = words(visitor.get(EDIT).text)
    given["text"] = given["text"].replace("{{ お客様名 }}", "{{ お客様名 }}様\n{{ 店めい }}", 1)
    page = visitor.send(LOOK, **given).text
    assert "「様」が2回になります。" in page
    assert "1行目" in page
    assert "「店めい」という差し込みはありません。" in page
    button = re.search(r'name="mend" value="(text:1:doubled_honorific:\d+)"', page)
    assert button is not None
    page = visitor.send(LOOK, **given, mend=button[1]).text
    assert "{{ お客様名 }}\n{{ 店めい }}" in fields(page)["text"]
    assert drafts(desk_engine) == []


def test_the_mail_is_shown_for_each_sample_and_for_a_real_order(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    page = visitor.get(EDIT).text
    assert "高橋 美咲 様" in page
    given = words(page)
    page = visitor.send(LOOK, **given, pick="nameless").text
    paper = page.partition('id="paper"')[2]
    assert "高橋 美咲 様" not in paper
    assert SPRING in paper
    order = re.search(r'<option value="(\d+)">福田 静', page)
    assert order is not None
    shown = visitor.send(LOOK, **{**given, "order": order[1]}).text
    assert "福田 静 様" in shown
    told = visitor.client.post(
        LOOK,
        data={"csrf": visitor.csrf, **given},
        headers={"accept": "application/json", "origin": "http://desk.test"},
    ).json()
    assert (told["errors"], told["findings"]) == (0, [])
    assert SPRING in told["paper"]


def test_the_html_is_framed_and_the_editor_has_a_number_used_once(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    first, second = visitor.get(EDIT), visitor.get(EDIT)
    policies = [a.headers["content-security-policy"] for a in (first, second)]
    assert all("style-src 'self' 'nonce-" in policy for policy in policies)
    assert policies[0] != policies[1]
    assert not any("unsafe" in policy for policy in policies)
    assert first.headers["x-frame-options"] == "DENY"
    frame = visitor.send(f"/templates/frame/{VIP}", **words(first.text))
    assert frame.headers["content-security-policy"] == MAIL_POLICY
    assert SPRING in frame.text


def test_what_is_published_rewrites_what_waits_and_leaves_what_was_approved(
    enter: Enter, desk_engine: Engine, ledger: Ledger
) -> None:
    vip = message_id(11)
    with writing(desk_engine) as session:
        copy_of(session.get_one(Message, vip), MessageState.APPROVED)
    before = ledger.body(11).text
    visitor = enter()
    visitor.send(SAVE, **words(visitor.get(EDIT).text))
    page = visitor.get("/templates/publish").text
    assert "確認待ちのメールはありません" in page
    assert "承認済みの1通も確認待ちに戻して作り直す" in page
    assert re.search(rf"<ins>\n?{SPRING}\n?</ins>", page)
    assert publish(visitor) == 303
    assert drafts(desk_engine) == []
    assert (ledger.message(11).state, ledger.body(11).text) == (MessageState.APPROVED, before)
    assert actions(desk_engine)[-1] == ("森本", "publish_templates", "")
    page = visitor.get("/templates").text
    assert "公開中 第1版" in page
    assert "季節の言葉" in visitor.get("/templates/versions").text


def copy_of(message: Message, state: MessageState) -> None:
    message.state, message.approved_hash = state, "x" * 64
    message.why = {"basis": {"rank": "vip", "occasions": []}}


def test_waiting_mails_get_the_new_words_and_the_number_is_a_promise(
    enter: Enter, desk_engine: Engine, ledger: Ledger
) -> None:
    visitor = enter()
    visitor.send(SAVE, **words(visitor.get(EDIT).text))
    page = visitor.get("/templates/publish").text
    assert "1通を新しい文面で作り直す" in page
    assert publish(visitor, number="2") == 409
    with reading(desk_engine) as session:
        assert session.scalar(select(Release.id)) is None
    assert publish(visitor, waiting="rewrite") == 303
    assert SPRING in ledger.body(11).text
    assert ledger.message(11).state is MessageState.IN_REVIEW


def test_an_earlier_wording_comes_back_by_one_button_and_an_answer(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter()
    assert "この文面は変えていません" in visitor.get(f"/templates/history/{VIP}").text
    visitor.send(SAVE, **words(visitor.get(EDIT).text))
    publish(visitor)
    page = visitor.get(f"/templates/history/{VIP}").text
    assert "第1版" in page
    answer = visitor.send(f"/templates/restore/{VIP}", release="0")
    assert answer.headers["location"].startswith("/templates/publish?draft=")
    question = visitor.get(answer.headers["location"]).text
    assert re.search(rf"<del>\n?{SPRING}", question)
    assert publish(visitor) == 303
    assert SPRING not in visitor.get(EDIT).text


def test_a_stale_save_is_refused_with_the_difference_and_keeps_these_words(
    enter: Enter, desk_engine: Engine
) -> None:
    mine, other = enter(), enter(Role.EDITOR)
    page = mine.get(EDIT).text
    theirs = fields(other.get(EDIT).text)
    other.send(SAVE, **{**theirs, "text": theirs["text"].replace("厚く御礼", "深く御礼")})
    answer = mine.send(SAVE, **words(page))
    assert answer.status_code == 409
    assert "ほかの人が先に変えました" in answer.text
    assert "中村が9:40に変えました" in answer.text
    assert SPRING in fields(answer.text)["text"]
    (draft,) = drafts(desk_engine)
    assert (draft.author, draft.version) == ("中村", 1)
    assert mine.send(SAVE, **fields(answer.text)).status_code == 303
    assert [d.author for d in drafts(desk_engine)] == ["森本"]


def test_an_error_keeps_a_draft_from_being_published(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter()
    given = words(visitor.get(EDIT).text)
    visitor.send(SAVE, **{**given, "text": given["text"] + "\n{{ 知らない }}\n"})
    page = visitor.get("/templates/publish").text
    assert "直すところ 1" in page
    assert "件を公開</button>" not in page
    assert publish(visitor) == 409
    with reading(desk_engine) as session:
        assert session.scalar(select(Release.id)) is None


def test_a_test_goes_to_the_shops_own_mailbox_only(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    page = visitor.get(EDIT).text
    given = words(page)
    path = f"/templates/test/{VIP}"
    assert "not_own" not in page
    refused = visitor.send(path, **given, to="customer0@mail.example")
    assert refused.status_code == 409
    assert "店舗の設定にあるアドレスにだけ" in refused.text
    to = re.findall(r"<option>([^<]+@[^<]+)</option>", page)[0]
    assert "テスト送信を受け付けました" in visitor.send(path, **given, to=to).text
    with reading(desk_engine) as session:
        message = session.scalars(select(Message).where(Message.step == "test")).one()
        body = session.get_one(MessageBody, message.id)
        assert (message.state, body.recipient) == (MessageState.APPROVED, to)
        assert body.subject.startswith("【テスト送信】【みどり茶舗】いつも")
        assert SPRING in body.text
        shown = f"/messages/{message.id}?view=life"
    assert [a for _, a, _ in actions(desk_engine)] == ["test_template"]
    assert "テスト送信" in visitor.get(shown).text


@pytest.mark.parametrize(
    ("path", "role"),
    [
        (SAVE, Role.VIEWER),
        (LOOK, Role.VIEWER),
        (f"/templates/test/{VIP}", Role.VIEWER),
        (f"/templates/drop/{VIP}", Role.VIEWER),
        (f"/templates/restore/{VIP}", Role.VIEWER),
        ("/templates/publish", Role.EDITOR),
    ],
)
def test_each_step_asks_for_its_role_and_token(
    enter: Enter, desk_engine: Engine, path: str, role: Role
) -> None:
    low = enter(role)
    page = low.get(EDIT).text
    assert ('id="save"' in page) is (role is Role.EDITOR)
    assert low.send(path, version="1").status_code == 403
    allowed = enter()
    allowed.csrf = "of somebody else"
    assert allowed.send(path, version="1").status_code == 403
    assert actions(desk_engine) == []


def test_a_draft_is_thrown_away_and_hostile_words_stay_words(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    given = words(visitor.get(EDIT).text)
    hostile = "<script>alert(1)</script>"
    visitor.send(SAVE, **{**given, "text": given["text"] + f"\n{hostile}\n", "note": hostile})
    for path in (EDIT, "/templates", "/templates/publish"):
        page = visitor.get(path).text
        assert hostile not in page
        assert "&lt;script&gt;" in page
    assert visitor.send(f"/templates/drop/{VIP}", version="7").status_code == 409
    assert visitor.send(f"/templates/drop/{VIP}", version="1").status_code == 303
    assert drafts(desk_engine) == []


@pytest.mark.parametrize("path", ["/templates/edit/ja/nothing", "/templates/history/../../etc"])
def test_a_text_that_is_none_is_said_so(enter: Enter, path: str) -> None:
    answer = enter().get(path)
    assert answer.status_code in (404, 409)


def test_a_new_text_begins_with_the_one_that_was_shared(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter()
    page = visitor.get("/templates/edit/ja/order_thanks/own/vip.gift").text
    assert "いまは「共通 贈り物」の文面を使っています" in page
    given = fields(page)
    given["text"] += f"\n{SPRING}\n"
    answer = visitor.send("/templates/save/ja/order_thanks/own/vip.gift", **given, then="publish")
    assert answer.headers["location"].startswith("/templates/publish?draft=")
    assert "新しい文面です" in visitor.get(answer.headers["location"]).text
