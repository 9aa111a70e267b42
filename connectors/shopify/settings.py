"""What a shop may set for its Shopify channel, read strictly before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import ChannelConfig, NeedsPerson, PaymentKind
from connectors.shopify.queries import VERSION

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_VERSION = re.compile(r"20\d\d-(01|04|07|10)|unstable")

ATTRIBUTE_FIELDS = frozenset(["kana", "delivery_date", "delivery_band", "gift_wrap", "store"])
"""What themes ask in the cart and keep as attributes of the order."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What the mapping must know; nothing of it needs the network."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    """Unified field to the key of the order's attribute."""
    payments: Mapping[str, PaymentKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """How the shop is reached and read."""

    base_url: str
    shop: str
    version: str
    page_size: int
    bulk_from: int | None
    """A first read of more orders than this is left to a bulk operation; None: never."""
    without_buyers: bool
    timeout: float


def map_settings(config: ChannelConfig) -> MapSettings:
    """Read ``attributes`` and ``payment_map``. Raises NeedsPerson naming the wrong one."""
    attributes = {str(k): str(v) for k, v in _table(config.settings, "attributes").items()}
    if unknown := sorted(attributes.keys() - ATTRIBUTE_FIELDS):
        raise wrong_setting("attributes", f"{', '.join(unknown)}: not a field that can be set")
    try:
        told = _table(config.settings, "payment_map").items()
        payments = {str(k).lower(): PaymentKind(v) for k, v in told}
    except ValueError as error:
        raise wrong_setting("payment_map", str(error)) from error
    return MapSettings(attributes, payments)


def talk_settings(config: ChannelConfig) -> TalkSettings:
    """Read how to talk. Raises NeedsPerson naming the setting that cannot be used."""
    told = config.settings
    shop = str(told.get("shop") or "").strip().lower()
    if not _SHOP.fullmatch(shop):
        raise wrong_setting("shop", "the shop's name.myshopify.com is needed")
    version = str(told.get("api_version") or VERSION)
    if not _VERSION.fullmatch(version):
        raise wrong_setting("api_version", f"a version such as {VERSION} is needed")
    base_url = str(told.get("base_url") or f"https://{shop}").rstrip("/")
    if urlsplit(base_url).scheme not in {"https", "http"}:
        raise wrong_setting("base_url", "an address is needed, https://…")
    bulk = told.get("bulk_from", 1000)
    return TalkSettings(
        base_url=base_url,
        shop=shop,
        version=version,
        page_size=_whole(told, "page_size", 50, 1, 250),
        bulk_from=None if bulk is False else _whole(told, "bulk_from", 1000, 0, 10_000),
        without_buyers=told.get("without_buyers") is True,
        timeout=float(_whole(told, "timeout", 30, 1, 300)),
    )


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name) or {}
    if not isinstance(value, Mapping):
        raise wrong_setting(name, "a table is needed")
    return value


def _whole(told: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    try:
        value = int(told.get(name, default))
    except (TypeError, ValueError) as error:
        raise wrong_setting(name, "a whole number is needed") from error
    if not least <= value <= most:
        raise wrong_setting(name, f"a number from {least} to {most} is needed")
    return value


def wrong_setting(name: str, reason: str) -> NeedsPerson:
    """The error for a setting that cannot be used."""
    return NeedsPerson(
        f"設定 {name} が正しくありません。The setting {name} cannot be used: {reason}.",
        "チャネルの設定を直してください。Correct it in the channel's settings.",
    )
