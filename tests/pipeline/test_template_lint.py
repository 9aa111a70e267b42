"""What is wrong with a text is told at its line, with what mends it, before it is published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_channel
from tests.folders import ROOT
from tests.pipeline import planning as p
from tests.pipeline.templates import NOW, VIP
from worker.pipeline.template_lint import Inspection, behind, inspect, mended
from worker.pipeline.template_names import FRAME, TextName, parts_in, text_name
from worker.pipeline.template_preview import show_order, show_sample
from worker.pipeline.template_samples import SAMPLES, samples_for

RAKUTEN = text_name("ja/order_thanks/rakuten/vip")
OWN = text_name("ja/milestone/own/any")


def seen(session: Session, name: TextName, **changes: str) -> Inspection:
    parts = {**parts_in(p.ctx().texts, name), **changes}
    return inspect(session, p.ctx(), name, parts, NOW)


def codes(found: Inspection) -> list[tuple[str, int, str, str]]:
    return [(f.part, f.line, f.code, f.severity) for f in found.findings]


def shipped() -> list[str]:
    root = ROOT / "templates/mail"
    texts = [str(d.relative_to(root)) for d in root.glob("*/*/*/*") if d.is_dir()]
    blocks = [f for f in root.glob("*/_blocks/*/*.txt") if f.stem not in FRAME]
    return sorted([*texts, *(str(Path(f).relative_to(root).with_suffix("")) for f in blocks)])


def test_no_shipped_text_has_anything_to_mend(session: Session) -> None:
    for family in ("own", "rakuten", "yahoo"):
        make_channel(session, f"{family}:main", family=family)
    found = {}
    for written in shipped():
        look = seen(session, text_name(written))
        if look.findings or not all(look.samples.values()):
            found[written] = codes(look)
    assert found == {}


def test_each_fault_is_told_at_its_line_and_the_button_mends_it(session: Session) -> None:
    text = (
        "{{ お客様名 }}\n\nいつもありがとうございます。\n"
        "これからも{{ お客様名_姓 }}様のお茶の時間を。\n"
        "次は、ぜひ公式サイトもご覧ください。\n{{ 注文番後 }}\n"
        '{% include "ad_footer" %}\n'
    )
    look = seen(session, RAKUTEN, text=text)
    assert codes(look) == [
        ("text", 4, "doubled_honorific", "error"),
        ("text", 5, "forbidden_word", "error"),
        ("text", 6, "unknown_placeholder", "error"),
        ("text", 7, "block_missing", "error"),
    ]
    for finding in reversed(look.findings):
        assert finding.mend is not None
        text = mended(text, finding.mend)
    assert text == (
        "{{ お客様名 }}\n\nいつもありがとうございます。\n"
        "これからも{{ お客様名_姓 }}のお茶の時間を。\n{{ 注文番号 }}\n"
    )
    assert codes(seen(session, RAKUTEN, text=text)) == []


def test_an_advertisement_without_its_footer_is_refused_and_gets_it(session: Session) -> None:
    text = "{{ お客様名 }}\n\nクーポンをどうぞ。\n{{ coupon_code }}\n"
    look = seen(session, OWN, text=text)
    assert ("text", 4, "legal_footer_missing", "error") in codes(look)
    (finding,) = [f for f in look.findings if f.code == "legal_footer_missing"]
    assert finding.mend is not None
    fixed = mended(text, finding.mend)
    assert fixed.endswith('\n\n{% include "ad_footer" %}\n')
    html = parts_in(p.ctx().texts, OWN)["html"]
    assert codes(seen(session, OWN, text=fixed, html=html)) == []


def test_a_letter_to_nobody_and_words_that_advertise_are_warned_of(session: Session) -> None:
    look = seen(session, VIP, text="今だけ500円引き、タイムセール開催。\n")
    told = {(f.code, f.severity, f.what) for f in look.findings}
    assert ("honorific_missing", "warning", "様") in told
    assert ("advertises", "warning", "discount") in told
    assert look.errors == 0
    (mend,) = [f.mend for f in look.findings if f.code == "honorific_missing"]
    assert mend is not None
    assert mended("本文\n", mend) == "{{ お客様名 }}\n\n本文\n"


def test_a_value_such_mails_never_know_is_an_error_with_its_line(session: Session) -> None:
    look = seen(session, VIP, text="{{ お客様名 }}\n\n{{ coupon_code }}\n")
    assert ("text", 3, "missing_value", "error") in codes(look)
    assert set(look.samples.values()) == {False}
    uncertain = text_name("ja/order_thanks/own/repeat.uncertain")
    look = seen(session, uncertain, text="{{ お客様名 }}\n\n{{ 今回で_回目 }}\n")
    assert ("text", 3, "missing_value", "error") in codes(look)


def test_the_marker_of_tests_is_reserved_and_subjects_are_measured(session: Session) -> None:
    look = seen(session, VIP, subject="【テスト送信】こんにちは\n")
    assert ("subject", 1, "reserved_marker", "error") in codes(look)
    look = seen(session, VIP, subject="あ" * 61 + "\n")
    assert codes(look) == [("subject", 1, "subject_long", "warning")]
    assert look.subject == "あ" * 61


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ 7 * 7 }}\n", "multiplies"),
        ("{% for x in y %}{% endfor %}\n", "not_allowed"),
        ("{{ お客様名\n", "syntax"),
        ("[KOKYAKU_NAME] {{ お客様名 }}\n", "unresolved_variable"),
        ("{{ お客様名 }} https://elsewhere.example/\n", "url_host"),
    ],
)
def test_whatever_a_mail_may_not_hold_is_refused(session: Session, text: str, code: str) -> None:
    assert code in {f.code for f in seen(session, VIP, text=text).findings if f.severity == "error"}


def test_html_written_by_hand_is_warned_of_when_the_words_change() -> None:
    before = {"text": "前\n", "html": "<p>前</p>"}
    assert behind(before, {"text": "後\n", "html": "<p>前</p>"}) is not None
    assert behind(before, {"text": "後\n", "html": "<p>後</p>"}) is None
    assert behind(before, before) is None


def test_a_text_is_tried_on_those_it_is_for() -> None:
    assert [s.id for s in samples_for(VIP)] == [
        "vip", "fifth", "tenth", "nameless", "long_name", "several", "gift",
    ]  # fmt: skip
    assert samples_for(text_name("ja/order_thanks/own/any")) == SAMPLES
    assert len(SAMPLES) == 9


def test_the_awkward_customers_are_addressed_as_their_mails_would(session: Session) -> None:
    parts = parts_in(p.ctx().texts, VIP)

    def first_line(sample: str) -> str:
        shown = show_sample(session, p.ctx(), VIP, parts, sample)
        assert shown.mail is not None
        return shown.mail.body_text.split("\n")[0]

    assert first_line("vip") == "高橋 美咲 様"
    assert first_line("nameless") == "お客様"
    assert len(first_line("long_name")) == 42
    several = show_sample(session, p.ctx(), VIP, parts, "several").mail
    assert several is not None
    assert "20261122-0143" in several.body_text


def test_a_text_is_tried_on_a_real_order_and_nothing_is_stored(session: Session) -> None:
    channel = p.a_shop(session)
    order = p.a_visit(session, channel, p.a_person(session), 6, rank="vip")
    parts = {**parts_in(p.ctx().texts, VIP), "text": "{{ お客様名 }}\n{{ 注文番号 }}\n"}
    shown = show_order(session, p.ctx(), VIP, parts, order.id, NOW)
    assert shown.mail is not None
    assert shown.mail.body_text == f"山田 花子 様\n{order.number}\n"
    assert not session.new
    assert not session.dirty
    with pytest.raises(ValueError, match="受注ではありません"):
        show_order(session, p.ctx(), RAKUTEN, parts, order.id, NOW)
    with pytest.raises(ValueError, match="受注ではありません"):
        show_order(session, p.ctx(), replace(VIP, rank="first"), parts, order.id + 1, NOW)
