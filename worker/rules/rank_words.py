"""Ranks in words: what the rank rests on, and what is missing to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.rules.ranks import meets, window_name
from worker.rules.shop import Condition, Ladder, Rung


def yen(amount: int, locale: str) -> str:
    """``61,200円`` or ``¥61,200``."""
    return f"{amount:,}円" if locale == "ja" else f"¥{amount:,}"


def _label(rung: Rung, locale: str) -> str:
    return rung.label if locale == "ja" else rung.label_en


def _window(condition: Condition, locale: str) -> str:
    if condition.months is not None:
        return f"{condition.months}か月" if locale == "ja" else f"{condition.months} months"
    if condition.days is not None:
        return f"{condition.days}日間" if locale == "ja" else f"{condition.days} days"
    return "通算" if locale == "ja" else "all time"


def _measured(condition: Condition, facts: Mapping[str, Any]) -> tuple[int, int]:
    name = window_name(condition)
    found = facts.get("windows", {}).get(name) if name else [facts["orders"], facts["spend"]]
    orders, spend = found or (0, 0)
    return int(orders), int(spend)


def _had(orders: int, spend: int, window: str, locale: str) -> str:
    if locale == "ja":
        return f"{window}に{orders}回、{yen(spend, locale)}"
    noun = "order" if orders == 1 else "orders"
    span = "" if window == "all time" else f" in {window}"
    return f"{orders} {noun} and {yen(spend, locale)}{span}"


def rank_words(rank: str | None, facts: Mapping[str, Any], ladder: Ladder, locale: str) -> str:
    """Say why: 「VIP: 24か月に6回、61,200円」 or "VIP: 6 orders and ¥61,200 in 24 months"."""
    rung = next((rung for rung in ladder.rungs if rung.id == rank), None)
    if rung is None:
        return "まだ数える受注がありません" if locale == "ja" else "No counting order yet"
    label = _label(rung, locale)
    if facts.get("pin"):
        until = facts["pin"].get("until")
        if locale == "ja":
            return f"{label}: 固定ランク" + (f"({until}まで)" if until else "")
        return f"{label}: pinned by staff" + (f" until {until}" if until else "")
    met = [c for c in rung.any_of if meets(c, *_measured(c, facts))]
    if met:
        return f"{label}: {_had(*_measured(met[0], facts), _window(met[0], locale), locale)}"
    if facts.get("kept"):
        kept = "猶予期間のため維持" if locale == "ja" else "kept during the grace period"
        return f"{label}: {kept}"
    return f"{label}: {_visits(facts, locale)}"


def _visits(facts: Mapping[str, Any], locale: str) -> str:
    visits, spend = int(facts.get("visits", 0)), int(facts.get("spend", 0))
    if locale == "ja":
        return f"購入{visits}回、累計{yen(spend, locale)}"
    noun = "visit" if visits == 1 else "visits"
    return f"{visits} {noun}, {yen(spend, locale)} in all"


def missing_words(rank: str | None, facts: Mapping[str, Any], ladder: Ladder, locale: str) -> str:
    """Say what is missing to the next rank, 「VIPまで: 24か月であと2回」; empty at the top."""
    place = next((i for i, rung in enumerate(ladder.rungs) if rung.id == rank), 0)
    if place == 0:
        return ""
    rung = ladder.rungs[place - 1]
    ways = [_way(condition, facts, locale) for condition in rung.any_of]
    ways = [way for way in ways if way] or _visit_way(rung, facts, locale)
    if not ways:
        return ""
    if locale == "ja":
        return f"{_label(rung, locale)}まで: " + "、または".join(ways)
    return f"To {_label(rung, locale)}: " + ", or ".join(ways)


def _visit_way(rung: Rung, facts: Mapping[str, Any], locale: str) -> list[str]:
    more = rung.min_visit - int(facts.get("visits", 0))
    if more <= 0:
        return []
    return [f"あと{more}回" if locale == "ja" else f"{more} more"]


def _way(condition: Condition, facts: Mapping[str, Any], locale: str) -> str:
    orders, spend = _measured(condition, facts)
    window = _window(condition, locale)
    parts: list[str] = []
    if condition.orders is not None and orders < condition.orders:
        more = condition.orders - orders
        parts.append(f"あと{more}回" if locale == "ja" else f"{more} more")
    if condition.spend is not None and spend < condition.spend:
        short = yen(condition.spend - spend, locale)
        parts.append(f"あと{short}" if locale == "ja" else f"{short} more")
    if condition.average is not None and spend < condition.average * orders:
        least = yen(condition.average, locale)
        parts.append(f"平均{least}以上" if locale == "ja" else f"an average of {least}")
    if not parts:
        return ""
    if locale == "ja":
        return f"{window}で{'、'.join(parts)}"
    return f"{' and '.join(parts)} within {window}"
