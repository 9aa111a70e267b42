"""How the desk writes dates, money and counts in both languages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_DAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "TWD", "VND"})


def day(value: date, locale: str) -> str:
    """``2026/11/24(火)`` or ``2026/11/24 (Tue)``."""
    weekday = _DAYS[locale][value.weekday()]
    written = f"{value.year}/{value.month}/{value.day}"
    return f"{written}({weekday})" if locale == "ja" else f"{written} ({weekday})"


def short_day(value: date) -> str:
    """``11/24``: where the year is plain."""
    return f"{value.month}/{value.day}"


def clock(value: datetime, zone: ZoneInfo) -> str:
    """``9:05`` in the shop's zone."""
    local = value.astimezone(zone)
    return f"{local.hour}:{local.minute:02}"


def moment(value: datetime, zone: ZoneInfo, locale: str) -> str:
    """Day and time in the shop's zone, with the year."""
    return f"{day(value.astimezone(zone).date(), locale)} {clock(value, zone)}"


def near(value: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The time alone today, else day and time, with the year where it is another."""
    local, today = value.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return clock(value, zone)
    written = short_day(local.date())
    if local.year != today.year:
        written = f"{local.year}/{written}"
    return f"{written} {clock(value, zone)}"


def money(amount: int, currency: str, locale: str) -> str:
    """``12,800円`` or ``12,800 yen``; other currencies with their code and decimals."""
    if currency == "JPY":
        return f"{amount:,}円" if locale == "ja" else f"{amount:,} yen"
    if currency in _WITHOUT_DECIMALS:
        return f"{amount:,} {currency}"
    return f"{Decimal(amount) / 100:,.2f} {currency}"


def nth(number: int, locale: str) -> str:
    """``5回目`` or ``5th``."""
    if locale == "ja":
        return f"{number}回目"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ending}"


def shortened(address: str) -> str:
    """An address for a glance: enough to know it by, not enough to copy it."""
    name, at, host = address.partition("@")
    return f"{name[:3]}…{at}{host}" if at and len(name) > 3 else address
