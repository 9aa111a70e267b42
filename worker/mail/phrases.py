"""Dates, money and time words as whole phrases with their particle, in Japanese and English."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

_WEEKDAYS = "月火水木金土日"
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def month_name(month: int) -> str:
    """English month name, 1 is January."""
    return _MONTH_NAMES[month - 1]


def full_date(day: date, locale: str) -> str:
    """``2026年11月22日(日)`` or ``Sunday, 22 November 2026``."""
    if locale == "ja":
        return f"{day.year}年{day.month}月{day.day}日({_WEEKDAYS[day.weekday()]})"
    return f"{_short(day)} {day.year}"


def near_date(day: date, today: date, locale: str) -> str:
    """The date without its year, except where half a year or more lies between."""
    if abs((day - today).days) > 180:
        return full_date(day, locale)
    if locale == "ja":
        return f"{day.month}月{day.day}日({_WEEKDAYS[day.weekday()]})"
    return _short(day)


def _short(day: date) -> str:
    return f"{_DAY_NAMES[day.weekday()]}, {day.day} {month_name(day.month)}"


def month_of(day: date, locale: str) -> str:
    """``2024年5月`` or ``May 2024``."""
    return f"{day.year}年{day.month}月" if locale == "ja" else f"{month_name(day.month)} {day.year}"


def months_between(earlier: date, later: date) -> int:
    """Count whole calendar months, never negative."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return max(0, months - (later.day < earlier.day))


def past_month(day: date, today: date, locale: str) -> str:
    """``先月``, ``今年3月``, ``昨年12月``, ``2024年5月``; English with its preposition."""
    steps = (today.year - day.year) * 12 + today.month - day.month
    if steps <= 0:
        return "今月" if locale == "ja" else "earlier this month"
    if steps == 1:
        return "先月" if locale == "ja" else "last month"
    if day.year == today.year:
        return f"今年{day.month}月" if locale == "ja" else f"in {month_name(day.month)} this year"
    if day.year == today.year - 1:
        return f"昨年{day.month}月" if locale == "ja" else f"in {month_name(day.month)} last year"
    return month_of(day, locale) if locale == "ja" else f"in {month_of(day, locale)}"


def span_of_months(months: int, locale: str) -> str:
    """``5か月``, ``1年``, ``1年3か月``; English in words with a number."""
    years, rest = divmod(months, 12)
    if locale == "ja":
        return (f"{years}年" if years else "") + (f"{rest}か月" if rest else "")
    parts = [_counted(years, "year")] * bool(years) + [_counted(rest, "month")] * bool(rest)
    return " and ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def money(minor: int, currency: str, locale: str) -> str:
    """``12,800円`` or ``¥12,800``; other currencies as the locale writes them."""
    if currency == "JPY":
        sign, amount = "-" if minor < 0 else "", f"{abs(minor):,}"
        return f"{sign}{amount}円" if locale == "ja" else f"{sign}¥{amount}"
    major = Decimal(minor).scaleb(-get_currency_precision(currency))
    return str(format_currency(major, currency, locale=locale))


def ordinal(number: int) -> str:
    """English ordinal: 1st, 2nd, 11th."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
