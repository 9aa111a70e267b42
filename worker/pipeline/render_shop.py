"""How the shop appears in a mail on each channel: name, places, sender, and what is not its own."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from urllib.parse import urlsplit

from worker.mail.facts import ShopFacts
from worker.mail.lint import LintContext
from worker.pipeline.context import Context
from worker.rules.shop import Contact
from worker.rules.states import MailKind
from worker.store.channels import Channel

_MALLS = {
    "rakuten": ("楽天市場", "Rakuten Ichiba"),
    "yahoo": ("Yahoo!ショッピング", "Yahoo! Shopping"),
    "amazon": ("Amazon", "Amazon"),
    "aupay": ("au PAY マーケット", "au PAY Market"),
    "qoo10": ("Qoo10", "Qoo10"),
}
_INQUIRY = {
    "rakuten": ("購入履歴のお問い合わせ", "the inquiry form in your purchase history"),
    "yahoo": (
        "注文履歴のストアへのお問い合わせ",
        "the inquiry to the store in your order history",
    ),
    "aupay": ("購入履歴のお問い合わせ", "the inquiry form in your purchase history"),
    "qoo10": ("購入履歴のお問い合わせ", "the inquiry form in your purchase history"),
}


def shop_facts(ctx: Context, channel: Channel, locale: str) -> ShopFacts:
    """How the shop calls itself on the channel; a marketplace never shows the own shop's places.

    A marketplace's buyer knows the shop by that marketplace's name: without one the mail holds.
    """
    contact = ctx.documents.shop.contact_of(channel.name)
    english, own = locale == "en", channel.family == "own"
    mine = ctx.documents.shop.channels.get(channel.name) or Contact()
    name = channel.title or (
        contact.shop_name or ctx.documents.shop.name if own else mine.shop_name
    )
    mall, inquiry = _MALLS.get(channel.family), _INQUIRY.get(channel.family)
    return ShopFacts(
        shop_name=name or None,
        mall_name=mall[english] if mall else None,
        staff_role=(contact.staff_role_en if english else contact.staff_role) or None,
        staff_name=contact.staff_name or None,
        contact_mail=(contact.mail or None) if own else None,
        contact_phone=contact.phone or None,
        contact_hours=contact.hours or None,
        shop_url=(contact.url or None) if own else None,
        legal_name=(contact.legal_name or None) if own else None,
        postal_address=(contact.postal_address or None) if own else None,
        inquiry_place=inquiry[english] if inquiry else None,
    )


def sender_of(ctx: Context, channel: Channel) -> tuple[str, str]:
    """From and Reply-To as the headers will say; empty where the channel cannot mail.

    A marketplace wants its own registered sender, never the own shop's (mail-rules, 4.1).
    """
    shop = ctx.documents.shop
    own = channel.family == "own"
    contact = shop.contact_of(channel.name) if own else shop.channels.get(channel.name, Contact())
    name, address = parseaddr(contact.sender)
    if not address:
        return "", contact.reply_to
    shown = name or shop_facts(ctx, channel, channel.locale).shop_name or ""
    quoted = shown.replace("\\", "").replace('"', "")
    return (f'"{quoted}" <{address}>' if quoted else address), contact.reply_to


def unsubscribe_at(ctx: Context, channel: Channel) -> str | None:
    """Where an advertisement may be refused: the address a person reads."""
    if channel.family != "own":
        return None
    contact = ctx.documents.shop.contact_of(channel.name)
    address = parseaddr(contact.reply_to or contact.mail or contact.sender)[1]
    return f"mailto:{address}?subject=unsubscribe" if address else None


def lint_context(
    ctx: Context,
    channel: Channel,
    others: Sequence[Channel],
    locale: str,
    *,
    kind: MailKind,
    ad: bool,
) -> LintContext:
    """What the inspector must know: our hosts, our footer, and the names of our other shops."""
    contact = ctx.documents.shop.contact_of(channel.name)
    mine = shop_facts(ctx, channel, locale).shop_name or ""
    foreign = {shop_facts(ctx, other, locale).shop_name or "" for other in others} - {mine, ""}
    hosts = {urlsplit(url).hostname or "" for url in (contact.url, contact.returns_url) if url}
    return LintContext(
        family=channel.family,
        is_advertisement=ad,
        is_shipping_notice=kind is MailKind.SHIPPING_NOTICE,
        own_hosts=frozenset(hosts - {""}),
        legal_name=contact.legal_name,
        postal_address=contact.postal_address,
        unsubscribe_url=unsubscribe_at(ctx, channel) or "",
        # The own name may be the beginning of a marketplace's: "Midori" in "Midori Rakuten".
        foreign_names=sorted(name for name in foreign if name not in mine),
    )
