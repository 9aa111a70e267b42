"""Reads a finished mail as a marketplace's inspector and the law on advertising would."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser
from urllib.parse import urlsplit

from worker.mail.placeholders import QUOTED
from worker.mail.render import DOUBLED_HONORIFIC, Rendered


class Severity(StrEnum):
    """An error refuses the mail, a warning is shown to staff."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; ``detail`` is the words or the host meant."""

    code: str
    severity: Severity
    detail: str


@dataclass(frozen=True, slots=True)
class LintContext:
    """What the inspector must know of the shop.

    ``own_hosts`` are the own shop's hosts; ``shop_name`` and ``order_numbers`` are the ones of
    this channel, ``foreign_names`` and ``foreign_numbers`` those of the others.
    """

    family: str
    is_advertisement: bool = False
    is_shipping_notice: bool = False
    own_hosts: frozenset[str] = frozenset()
    legal_name: str = ""
    postal_address: str = ""
    unsubscribe_url: str = ""
    foreign_names: Collection[str] = ()
    foreign_numbers: Collection[str] = ()


MALL_HOSTS: dict[str, tuple[str, ...]] = {
    "rakuten": ("rakuten.co.jp",),
    "yahoo": ("shopping.yahoo.co.jp", "store.shopping.yahoo.co.jp"),
    "aupay": ("wowma.jp", "au.com"),
    "amazon": (),
    "qoo10": (),
}
TRACKING_HOSTS = (
    "kuronekoyamato.co.jp",
    "sagawa-exp.co.jp",
    "japanpost.jp",
    "seino.co.jp",
    "fukutsu.co.jp",
)
_SHORTENERS = ("bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "x.gd", "lin.ee")

_END = r"[^\s<>\"'()（）「」『』【】、。]+"
_URL = re.compile(rf"(?:https?|ftp)://{_END}|\bwww\.{_END}", re.IGNORECASE)
_LEADS_OUT = re.compile(
    r"公式サイト|公式ショップ|公式通販|自社サイト|本店の(?:方|ほう)が|本店サイト|LINE\s*(?:登録|@|公式|友だち)"
    r"|友だち追加|Instagram|インスタグラム|直接ご?注文|お?電話での?ご?注文|次回は",
    re.IGNORECASE,
)
_REVIEW_PRESSURE = re.compile(
    r"[★☆⭐]\s*[5５]|[★⭐]{5}|高評価|星\s*[5５五]つ?|レビュー[^。\n]{0,20}(?:プレゼント|進呈|差し上げ|クーポン|ポイント)"
    r"|(?:five|5)[- ]?stars?\b|review[^.\n]{0,30}(?:gift|coupon|reward|points)",
    re.IGNORECASE,
)
COUPON_CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]\b")
_COUPON_WORDS = re.compile(
    r"クーポン(?:コード|を|の|で|が|は)|coupon|promo(?:tion)?\s*code|割引コード", re.IGNORECASE
)
_DISCOUNT = re.compile(
    r"\d[\d,]*\s*円\s*(?:引き|割引|オフ|OFF)|\d+\s*[%％]\s*(?:引き|割引|オフ|OFF)"
    r"|(?:[¥$€]\s?[\d,.]+|\d+\s?%)\s*off\b|ポイント\s*\d+\s*倍|送料無料キャンペーン",
    re.IGNORECASE,
)
_CAMPAIGN = re.compile(
    r"(?:タイム|期間限定|大)セール|セール開催|キャンペーン実施|本日限り|今だけ"
    r"|\bsale (?:now|starts|ends)\b",
    re.IGNORECASE,
)
_RECOMMENDS = re.compile(
    r"おすすめ(?:商品|の品|ランキング)|人気ランキング|こちらもいかが|新商品のご(?:案内|紹介)"
    r"|you may also like|recommended for you",
    re.IGNORECASE,
)
_INVITES = re.compile(
    r"メルマガ(?:登録|会員)|LINE\s*(?:登録|公式|友だち)|友だち追加|Instagram|フォロー(?:して|お願い)"
    r"|newsletter sign|follow us",
    re.IGNORECASE,
)
_EMPTY_NAME = re.compile(r"^[ \u3000]*(?:様|さま|殿|御中)[ \u3000]*$", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{|\}\}|\{%|%\}|\[[A-Z_]{4,}\]|<#\w+#>|<%[^%]{1,30}%>|##\w+##")


class _Reader(HTMLParser):
    """Collects what an HTML part links to, loads and says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links and everything that would be fetched."""
        self._style = tag == "style"
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and not found.get("href", "").startswith(("mailto:", "tel:")):
            self.links.append(found.get("href", ""))
        self.loads += [found[name] for name in ("src", "background", "srcset") if found.get(name)]

    def handle_endtag(self, tag: str) -> None:
        """A style sheet's words are not the mail's."""
        self._style = False if tag == "style" else self._style

    def handle_data(self, data: str) -> None:
        """Note what a reader sees."""
        if not self._style:
            self.words.append(data)


@dataclass(frozen=True, slots=True)
class _Reading:
    words: str
    shop_words: str
    links: tuple[str, ...]
    loads: tuple[str, ...]


def _read(mail: Rendered) -> _Reading:
    reader = _Reader()
    if mail.body_html is not None:
        reader.feed(mail.body_html)
        reader.close()
    words = "\n".join((mail.subject, mail.body_text, *reader.words))
    links = (*_URL.findall(words), *reader.links)
    return _Reading(words, _without_quotes(words, mail), links, tuple(reader.loads))


def _without_quotes(words: str, mail: Rendered) -> str:
    """Leave out item names and the like: a buyer's order is no advertisement of ours."""
    for name in QUOTED.intersection(mail.used):
        for row in mail.used[name].split("\n"):
            words = words.replace(row, "") if len(row) > 1 else words
    return words


def lint_content(mail: Rendered, context: LintContext) -> list[Finding]:
    """List everything in the mail that its channel or the law does not allow."""
    reading = _read(mail)
    found = [
        *_links(reading, context),
        *_forbidden_words(reading, context),
        *_loaded(reading, context),
        *_missing_footer(reading, context),
        *_broken(reading),
        *_foreign(reading, context),
    ]
    return list(dict.fromkeys(found))


def _links(reading: _Reading, context: LintContext) -> Iterator[Finding]:
    for link in reading.links:
        host = _host(link)
        if not link.lower().startswith("https://"):
            yield Finding("url_insecure", Severity.ERROR, link[:100])
        if _is_number(host):
            yield Finding("url_ip", Severity.ERROR, host)
        elif _within(host, _SHORTENERS):
            yield Finding("url_shortener", Severity.ERROR, host)
        elif not _within(host, _allowed_hosts(context)):
            yield Finding("url_host", Severity.ERROR, host or link[:100])


def _allowed_hosts(context: LintContext) -> tuple[str, ...]:
    tracking = TRACKING_HOSTS if context.is_shipping_notice else ()
    if context.family == "own":
        # The unsubscribe page may stand on the host that sends the mails.
        page = context.unsubscribe_url
        extra = (_host(page),) if page.startswith("https://") else ()
        return (*context.own_hosts, *extra, *tracking)
    return MALL_HOSTS.get(context.family, ()) + tracking


def _forbidden_words(reading: _Reading, context: LintContext) -> Iterator[Finding]:
    for match in _REVIEW_PRESSURE.finditer(reading.shop_words):
        yield Finding("review_pressure", Severity.ERROR, match.group(0))
    code = COUPON_CODE.search(reading.words)
    if context.family != "own":
        for match in _LEADS_OUT.finditer(reading.shop_words):
            yield Finding("leads_outside", Severity.ERROR, match.group(0))
        if code or _COUPON_WORDS.search(reading.shop_words):
            yield Finding("coupon", Severity.ERROR, "クーポン")
    elif code and not context.is_advertisement:
        yield Finding("coupon", Severity.ERROR, "***")


def _loaded(reading: _Reading, context: LintContext) -> Iterator[Finding]:
    severity = Severity.WARNING if context.family == "own" else Severity.ERROR
    for load in reading.loads:
        yield Finding("remote_image", severity, _host(load) or load[:100])


def _missing_footer(reading: _Reading, context: LintContext) -> Iterator[Finding]:
    if not context.is_advertisement or context.family != "own":
        return
    for name in ("legal_name", "postal_address", "unsubscribe_url"):
        value = str(getattr(context, name))
        if value.startswith("mailto:"):
            value = value.removeprefix("mailto:").partition("?")[0]
        if not value or value not in reading.words:
            yield Finding("legal_footer_missing", Severity.ERROR, name)


def _broken(reading: _Reading) -> Iterator[Finding]:
    if match := _VARIABLE.search(reading.shop_words):
        yield Finding("unresolved_variable", Severity.ERROR, match.group(0))
    if _EMPTY_NAME.search(reading.words):
        yield Finding("empty_name", Severity.ERROR, "様")
    if match := DOUBLED_HONORIFIC.search(reading.words):
        yield Finding("doubled_honorific", Severity.ERROR, match.group(0))


def _foreign(reading: _Reading, context: LintContext) -> Iterator[Finding]:
    for name in context.foreign_names:
        if name and name in reading.shop_words:
            yield Finding("foreign_shop", Severity.ERROR, name)
    for number in context.foreign_numbers:
        if number and number in reading.words:
            yield Finding("foreign_order", Severity.ERROR, number)


def is_advertisement(mail: Rendered, own_hosts: Collection[str] = ()) -> tuple[str, ...]:
    """Name what makes the mail an advertisement; empty when nothing does.

    One line with the shop's own address, as a signature has it, is none by itself.
    """
    reading = _read(mail)
    evidence = [
        name
        for name, pattern in (
            ("coupon", _COUPON_WORDS),
            ("discount", _DISCOUNT),
            ("campaign", _CAMPAIGN),
            ("recommendation", _RECOMMENDS),
            ("invitation", _INVITES),
        )
        if pattern.search(reading.shop_words)
    ]
    if COUPON_CODE.search(reading.words) and "coupon" not in evidence:
        evidence.append("coupon")
    if link := _advertising_link(reading, mail, tuple(own_hosts)):
        evidence.append(link)
    return tuple(evidence)


def _advertising_link(reading: _Reading, mail: Rendered, own_hosts: tuple[str, ...]) -> str | None:
    """Name what leads to the shelves; the page with the terms does not."""
    terms = mail.used.get("returns_text", "")

    def leads(link: str) -> bool:
        return _within(_host(link), own_hosts) and link not in terms

    if any(urlsplit(link).path.strip("/") for link in filter(leads, reading.links)):
        return "product_link"
    return "shop_links" if sum(map(leads, _URL.findall(mail.body_text))) > 1 else None


def _host(link: str) -> str:
    return (urlsplit(link if "//" in link else f"//{link}").hostname or "").lower()


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.isdigit()
    return True


def _within(host: str, parents: tuple[str, ...]) -> bool:
    return any(host == parent or host.endswith(f".{parent}") for parent in parents)
