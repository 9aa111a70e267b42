"""Words for what is wrong with a mail's words, for a clerk who mended them."""

from __future__ import annotations

from collections.abc import Mapping

LINT: Mapping[str, tuple[str, str]] = {
    "url_insecure": (
        "リンクは https:// で始めてください: {what}",
        "a link must begin with https://: {what}",
    ),
    "url_ip": ("数字だけのリンク先は使えません: {what}", "no link to a bare number: {what}"),
    "url_shortener": ("短縮URLは使えません: {what}", "no shortened links: {what}"),
    "url_host": (
        "このメールにはこのリンクを書けません: {what}",
        "this link is not allowed here: {what}",
    ),
    "review_pressure": (
        "レビューの内容を頼む言葉や見返りは書けません: {what}",
        "no pressing for a kind review: {what}",
    ),
    "leads_outside": (
        "モールの外への誘いは書けません: {what}",
        "no leading out of the marketplace: {what}",
    ),
    "coupon": (
        "このメールにクーポンは書けません: {what}",
        "no coupon in this mail: {what}",
    ),
    "remote_image": (
        "外部の画像は読み込めません: {what}",
        "no picture may be loaded from outside: {what}",
    ),
    "legal_footer_missing": (
        "広告メールに必要な表示がありません: {what}",
        "an advertisement lacks its legal footer: {what}",
    ),
    "unresolved_variable": (
        "差し込みが置き換わらずに残っています: {what}",
        "a placeholder was left over: {what}",
    ),
    "empty_name": (
        "名前のない「様」だけの行があります。",
        "a line has only the honorific, and no name",
    ),
    "doubled_honorific": ("敬称が二重です: {what}", "the honorific stands twice: {what}"),
    "foreign_shop": (
        "ほかの店舗の名前が入っています: {what}",
        "it names another shop: {what}",
    ),
    "foreign_order": (
        "ほかの店舗の注文番号が入っています: {what}",
        "it names an order of another shop: {what}",
    ),
    "forbidden_word": (
        "このモールで使えない言葉です: {what}",
        "this marketplace forbids: {what}",
    ),
}
"""By the code of a finding; ``{what}`` is the place that was found."""


def lint_sentence(code: str, what: str, locale: str) -> str:
    """The sentence of a code that has words, in ``ja`` or ``en``."""
    return LINT[code][locale == "en"].format(what=what)


def lint_words(code: str, what: str) -> str:
    """The sentence in both languages; a code without words is shown with what it found."""
    pair = LINT.get(code)
    if pair is None:
        return f"{what} ({code})"
    return " / ".join(part.format(what=what) for part in pair)
