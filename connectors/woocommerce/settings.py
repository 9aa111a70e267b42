"""What a shop may set for its WooCommerce channel, read strictly before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import ChannelConfig, Fulfilment, Life, NeedsPerson, Payment, PaymentKind

READ_BY = ("modified", "created")
AUTHS = ("basic", "query", "oauth1")

META_FIELDS = frozenset(
    [
        "delivery_date",
        "delivery_band",
        "gift_wrap",
        "carrier",
        "tracking_number",
        "subscription_number",
        "store",
        "marketing_consent",
    ]
)
"""Fields of an order that plugins keep under names of their own."""

KANA_KEYS: tuple[tuple[str, str], ...] = (
    ("_billing_yomigana_last_name", "_billing_yomigana_first_name"),
    ("_billing_last_name_kana", "_billing_first_name_kana"),
)
RECIPIENT_KANA_KEYS: tuple[tuple[str, str], ...] = (
    ("_shipping_yomigana_last_name", "_shipping_yomigana_first_name"),
    ("_shipping_last_name_kana", "_shipping_first_name_kana"),
)


@dataclass(frozen=True, slots=True)
class States:
    """What a status word says of the three states; None where it is silent."""

    life: Life | None = None
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None


STATUSES: Mapping[str, States] = {
    "pending": States(Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
    "on-hold": States(Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
    "processing": States(Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED),
    "completed": States(Life.OPEN, Payment.PAID, Fulfilment.SHIPPED),
    "cancelled": States(Life.CANCELLED),
    "failed": States(Life.CANCELLED),
    "trash": States(Life.CANCELLED),
    "refunded": States(Life.OPEN, Payment.REFUNDED),
}
"""The words of WooCommerce itself; those of plugins stand in the setting ``status_map``."""

PAYMENTS: Mapping[str, PaymentKind] = {
    "bacs": PaymentKind.PREPAYMENT,
    "cheque": PaymentKind.PREPAYMENT,
    "cod": PaymentKind.COD,
}


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What the mapping must know; nothing of it needs the network."""

    zone: str = "Asia/Tokyo"
    statuses: Mapping[str, States] = field(default_factory=lambda: dict(STATUSES))
    payments: Mapping[str, PaymentKind] = field(default_factory=lambda: dict(PAYMENTS))
    kana_keys: tuple[tuple[str, str], ...] = KANA_KEYS
    recipient_kana_keys: tuple[tuple[str, str], ...] = RECIPIENT_KANA_KEYS
    meta_keys: Mapping[str, str] = field(default_factory=dict)
    """Unified field to the meta key that holds it."""


def map_settings(config: ChannelConfig) -> MapSettings:
    """Read ``status_map``, ``payment_map``, ``kana_keys`` and ``meta_keys``.

    Raises NeedsPerson naming the setting that cannot be used.
    """
    told = config.settings
    try:
        statuses = {str(k): _states(str(v)) for k, v in _table(told, "status_map").items()}
        payments = {str(k): PaymentKind(v) for k, v in _table(told, "payment_map").items()}
    except ValueError as error:
        raise wrong_setting("status_map / payment_map", str(error)) from error
    meta = {str(k): str(v) for k, v in _table(told, "meta_keys").items()}
    if unknown := sorted(meta.keys() - META_FIELDS):
        raise wrong_setting("meta_keys", f"{', '.join(unknown)}: not a field that can be set")
    return MapSettings(
        zone=config.zone,
        statuses={**STATUSES, **statuses},
        payments={**PAYMENTS, **payments},
        kana_keys=_pairs(told, "kana_keys", KANA_KEYS),
        recipient_kana_keys=_pairs(told, "recipient_kana_keys", RECIPIENT_KANA_KEYS),
        meta_keys=meta,
    )


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name) or {}
    if not isinstance(value, Mapping):
        raise wrong_setting(name, "a table is needed")
    return value


def _states(text: str) -> States:
    """Read ``open/paid/shipped``; ``-`` is silent. Raises ValueError."""
    life, payment, fulfilment = text.split("/")
    return States(
        None if life == "-" else Life(life),
        None if payment == "-" else Payment(payment),
        None if fulfilment == "-" else Fulfilment(fulfilment),
    )


def _pairs(
    told: Mapping[str, Any], name: str, default: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    value = told.get(name)
    if value is None:
        return default
    if not isinstance(value, Sequence) or any(
        isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2 for pair in value
    ):
        raise wrong_setting(name, "pairs of meta keys are needed: [[family, given], …]")
    return tuple((str(family), str(given)) for family, given in value)


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """How the shop is reached and read."""

    base_url: str
    auth: str
    read_by: str
    repoll_days: int
    page_size: int
    plain_permalinks: bool
    timeout: float


def talk_settings(config: ChannelConfig) -> TalkSettings:
    """Read how to talk. Raises NeedsPerson naming the setting that cannot be used."""
    told = config.settings
    base_url = str(told.get("base_url") or "").rstrip("/")
    scheme = urlsplit(base_url).scheme
    if scheme not in {"https", "http"} or not urlsplit(base_url).hostname:
        raise wrong_setting("base_url", "the shop's address is needed, https://…")
    return TalkSettings(
        base_url=base_url,
        auth=_choice(told, "auth", AUTHS, "basic" if scheme == "https" else "oauth1"),
        read_by=_choice(told, "read_by", READ_BY, "modified"),
        repoll_days=_whole(told, "repoll_days", 45, 1, 730),
        page_size=_whole(told, "page_size", 100, 1, 100),
        plain_permalinks=told.get("plain_permalinks") is True,
        timeout=float(_whole(told, "timeout", 30, 1, 300)),
    )


def _choice(told: Mapping[str, Any], name: str, allowed: Sequence[str], default: str) -> str:
    value = str(told.get(name) or default)
    if value not in allowed:
        raise wrong_setting(name, f"one of {', '.join(allowed)} is needed")
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
