"""Placeholders about the person: how to address them, and what they bought before."""

from __future__ import annotations

from collections.abc import Callable

from worker.mail import names, phrases, wording
from worker.mail.declared.shape import Placeholder, block, line
from worker.mail.facts import PersonName, TextFacts


def _name(facts: TextFacts, locale: str) -> str | None:
    return _addressed(names.full_honorific, facts.customer, locale)


def _family(facts: TextFacts, locale: str) -> str | None:
    return _addressed(names.family_honorific, facts.customer, locale)


def _recipient(facts: TextFacts, locale: str) -> str | None:
    if facts.recipient is None:
        return None
    text = _addressed(names.full_honorific, facts.recipient, locale)
    return None if text in names.NAMELESS else text


def _addressed(
    how: Callable[[PersonName, str], str], person: PersonName, locale: str
) -> str | None:
    # A refused name is an unknown name: the mail holds, and the desk shows why.
    try:
        return how(person, locale)
    except names.NameRefused:
        return None


def _visit_number(facts: TextFacts, _locale: str) -> str | None:
    return None if facts.visit_number is None else str(facts.visit_number)


def _visit_ordinal(facts: TextFacts, locale: str) -> str | None:
    if facts.visit_number is None:
        return None
    return f"{facts.visit_number}回目" if locale == "ja" else phrases.ordinal(facts.visit_number)


PEOPLE: tuple[Placeholder, ...] = (
    Placeholder(
        "customer_name_honorific",
        "お客様名",
        "Customer's name",
        "Full name with one honorific; お客様 without a name, 御中 for organisations",
        ("customer",),
        "高橋 美咲 様",
        "Misaki Takahashi",
        _name,
        personal=True,
    ),
    Placeholder(
        "customer_family_honorific",
        "お客様名(姓)",
        "Customer's name, short",
        "Family name with one honorific; English has the full name",
        ("customer",),
        "高橋様",
        "Misaki Takahashi",
        _family,
        personal=True,
        aliases=("お客様名_姓",),
    ),
    Placeholder(
        "recipient_name_honorific",
        "お届け先名",
        "Recipient's name",
        "Who receives the gift",
        ("recipient",),
        "佐々木 恵子 様",
        "Keiko Sasaki",
        _recipient,
        personal=True,
    ),
    Placeholder(
        "visit_number",
        "今回で何回目",
        "Visit number",
        "Which visit this is, as a bare number",
        ("visit_number",),
        "3",
        "3",
        _visit_number,
        personal=True,
    ),
    Placeholder(
        "visit_ordinal_text",
        "今回で○回目",
        "Visit number, in words",
        "Which visit this is: 3回目, 3rd",
        ("visit_number",),
        "3回目",
        "3rd",
        _visit_ordinal,
        personal=True,
    ),
    Placeholder(
        "previous_order_text",
        "前回のご注文の時期",
        "Previous order",
        "When the order before this one was, with の",
        ("previous_ordered_at",),
        "今年3月の",
        "in March this year",
        wording.previous_order,
        personal=True,
    ),
    Placeholder(
        "customer_since_text",
        "最初のご注文",
        "First order",
        "Month of the very first order",
        ("first_ordered_at",),
        "2024年5月",
        "May 2024",
        wording.customer_since,
        personal=True,
    ),
    Placeholder(
        "last_item_short_name",
        "前回のお品名(短)",
        "Last item, short",
        "Short name of what was bought last",
        ("last_item_name",),
        "煎茶ティーバッグ",
        "Sencha tea bags",
        wording.last_item,
        personal=True,
        quoted=True,
        aliases=("前回のお品名",),
    ),
    Placeholder(
        "last_delivered_text",
        "前回お届けの時期",
        "Last delivery",
        "When the last parcel arrived, with に",
        ("last_delivered_on",),
        "今年6月に",
        "in June this year",
        wording.last_delivered,
        personal=True,
    ),
    Placeholder(
        "months_since_last_text",
        "前回からの月数",
        "Time since the last delivery",
        "How long ago the last parcel arrived",
        ("last_delivered_on",),
        "5か月",
        "5 months",
        wording.months_since_last,
        personal=True,
    ),
    Placeholder(
        "letter_subject",
        "個別メールの件名",
        "Subject of a personal mail",
        "As the clerk wrote it",
        ("letter_subject",),
        "お問い合わせの件につきまして",
        "About your question",
        line("letter_subject"),
        personal=True,
    ),
    Placeholder(
        "letter_body",
        "個別メールの本文",
        "Body of a personal mail",
        "As the clerk wrote it",
        ("letter_body",),
        "お尋ねの件、お調べいたしました。",
        "We have looked into your question.",
        block("letter_body"),
        personal=True,
    ),
    Placeholder(
        "personal_line",
        "ひとこと",
        "Personal line",
        "A line staff wrote for this mail, never from free notes",
        ("personal_line",),
        "先日はお写真までお送りいただき、ありがとうございました。",
        "Thank you again for sending us the photograph the other day.",
        block("personal_line"),
        optional=True,
        personal=True,
    ),
    Placeholder(
        "question_line",
        "次に伺うこと",
        "Question to ask",
        "What staff chose to ask next, from the contact log",
        ("question_line",),
        "お母さまのお口には合いましたでしょうか。",
        "Did your mother enjoy it?",
        block("question_line"),
        optional=True,
        personal=True,
    ),
)
