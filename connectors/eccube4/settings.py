"""What a shop may set for its EC-CUBE channel, read strictly before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.contract import ChannelConfig, NeedsPerson, PaymentKind
from connectors.eccube4.standing import STATUSES, Statuses, states
from connectors.kit.money import BadMoney, exponent

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_ADMIN = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
SEARCHES = ("datetime", "date")


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What the mapping must know; nothing of it needs the network."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
    statuses: Statuses = field(default_factory=lambda: dict(STATUSES))
    payments: Mapping[str, PaymentKind] = field(default_factory=dict)
    currency: str = "JPY"
    """Of orders that name none."""


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """How the shop is reached and read."""

    base_url: str
    admin_path: str
    by_day: bool
    """EC-CUBE 4.0: searched by day, not by instant."""
    page_size: int
    reread: timedelta
    """Orders placed within this are read again whole."""
    timeout: float


def map_settings(config: ChannelConfig) -> MapSettings:
    """Read ``status_map``, ``payment_map`` and ``currency``.

    Raises NeedsPerson naming the setting that cannot be used.
    """
    told = config.settings
    try:
        statuses = {str(k): states(str(v)) for k, v in _table(told, "status_map").items()}
        payments = {str(k): PaymentKind(v) for k, v in _table(told, "payment_map").items()}
    except ValueError as error:
        raise wrong_setting("status_map / payment_map", str(error)) from error
    currency = str(told.get("currency") or "JPY")
    try:
        exponent(currency)
    except BadMoney as error:
        raise wrong_setting("currency", str(error)) from error
    return MapSettings(ZoneInfo(config.zone), {**STATUSES, **statuses}, payments, currency)


def talk_settings(config: ChannelConfig) -> TalkSettings:
    """Read how to talk. Raises NeedsPerson naming the setting that cannot be used."""
    told = config.settings
    admin_path = str(told.get("admin_path") or "admin").strip("/")
    if not _ADMIN.fullmatch(admin_path):
        raise wrong_setting("admin_path", "the path of the admin screens is needed, e.g. admin")
    search_by = str(told.get("search_by") or SEARCHES[0])
    if search_by not in SEARCHES:
        raise wrong_setting("search_by", f"one of {', '.join(SEARCHES)} is needed")
    return TalkSettings(
        base_url=_address(told),
        admin_path=admin_path,
        by_day=search_by == "date",
        page_size=_whole(told, "page_size", 50, 1, 200),
        reread=timedelta(days=_whole(told, "reread_days", 14, 1, 365)),
        timeout=float(_whole(told, "timeout", 30, 1, 300)),
    )


def _address(told: Mapping[str, Any]) -> str:
    """The shop's address: tokens and buyers travel encrypted, or not beyond this machine."""
    base_url = str(told.get("base_url") or "").rstrip("/")
    parts = urlsplit(base_url)
    sound = parts.hostname and not parts.query and not parts.fragment and not parts.username
    if not sound or parts.scheme not in {"https", "http"}:
        raise wrong_setting("base_url", "the shop's address is needed, https://…")
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise wrong_setting("base_url", "only an https address is safe: http would show the orders")
    return base_url


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name) or {}
    if not isinstance(value, Mapping):
        raise wrong_setting(name, "a table is needed")
    return value


def _whole(told: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    given = told.get(name)
    try:
        value = default if given in {None, ""} else int(str(given))
    except ValueError as error:
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
