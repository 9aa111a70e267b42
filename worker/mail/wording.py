"""Turns facts into the phrases that stand behind the placeholders; None means not known."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from worker.mail import names, phrases
from worker.mail.facts import LineFacts, OrderFacts, TextFacts

_WINDOW = re.compile(r"【[^】]*】|\[[^\]]*\]|［[^］]*］|《[^》]*》|[★☆■◆●◎♪]+")
_ITEM_SHORT = {"ja": 16, "en": 32}
_ITEM_LONGEST = 40

_LABELS = {
    "ja": {
        "number": "ご注文番号: {}",
        "date": "ご注文日: {}",
        "quantity": "{}点",
        "subtotal": "商品合計: {}",
        "shipping": "送料: {}",
        "fee": "手数料: {}",
        "discount": "お値引き: {}",
        "points": "ポイントご利用: {}",
        "total": "お支払い合計: {}(税込)",
        "joint": "、",
    },
    "en": {
        "number": "Order number: {}",
        "date": "Ordered on: {}",
        "quantity": "Quantity {}",
        "subtotal": "Items: {}",
        "shipping": "Shipping: {}",
        "fee": "Fees: {}",
        "discount": "Reductions: {}",
        "points": "Points used: {}",
        "total": "Total: {} (tax included)",
        "joint": ", ",
    },
}


def local_day(instant: datetime, facts: TextFacts) -> date:
    """The shop's calendar day of an instant."""
    return instant.astimezone(facts.zone).date()


def today(facts: TextFacts) -> date:
    """The shop's calendar day on which the text is written."""
    return local_day(facts.now, facts)


def order_number(facts: TextFacts, locale: str) -> str | None:
    """The number people read; for several orders the first and how many more."""
    if not facts.orders:
        return None
    first, more = names.clean(facts.orders[0].number), len(facts.orders) - 1
    if not more:
        return first or None
    return f"{first} ほか{more}件" if locale == "ja" else f"{first} and {more} more"


def ordered_on(facts: TextFacts, locale: str) -> str | None:
    """The day of the first order in full."""
    if not facts.orders:
        return None
    return phrases.full_date(local_day(facts.orders[0].ordered_at, facts), locale)


def order_lines(facts: TextFacts, locale: str) -> str | None:
    """Items and amounts of all orders; None where one has no total.

    A source may tell no items (one row per order): the total stands alone then, which is true.
    """
    if not facts.orders or any(o.total is None for o in facts.orders):
        return None
    several = len(facts.orders) > 1
    return "\n\n".join(_order(order, facts, locale, headed=several) for order in facts.orders)


def _order(order: OrderFacts, facts: TextFacts, locale: str, *, headed: bool) -> str:
    label = _LABELS[locale]
    head = [
        label["number"].format(names.clean(order.number)),
        label["date"].format(phrases.full_date(local_day(order.ordered_at, facts), locale)),
    ]
    lines = [row for line in order.lines for row in _item(line, order.currency, locale)]
    return "\n".join([*head, ""] * headed + lines + _sums(order, locale))


def _item(line: LineFacts, currency: str, locale: str) -> list[str]:
    count = _LABELS[locale]["quantity"].format(line.quantity)
    amount = "" if line.amount is None else f"  {phrases.money(line.amount, currency, locale)}"
    return [f"・{names.clean(line.name)}", f"  {count}{amount}"]


def _sums(order: OrderFacts, locale: str) -> list[str]:
    off = {
        "discount": None if order.discount is None else -abs(order.discount),
        "points": None if order.points is None else -abs(order.points),
    }
    rows = {"subtotal": order.subtotal, "shipping": order.shipping, "fee": order.fee, **off}
    shown = [
        _LABELS[locale][name].format(phrases.money(value, order.currency, locale))
        for name, value in rows.items()
        if value or (name == "shipping" and value is not None)
    ]
    total = phrases.money(order.total or 0, order.currency, locale)
    return [*shown, _LABELS[locale]["total"].format(total)]


def item_names(facts: TextFacts, locale: str) -> str | None:
    """Item names and quantities without any amount."""
    rows = [
        f"・{names.clean(line.name)}  {_LABELS[locale]['quantity'].format(line.quantity)}"
        for order in facts.orders
        for line in order.lines
    ]
    return "\n".join(rows) or None


def payment_method(facts: TextFacts, locale: str) -> str | None:
    """How the orders are paid, each way once; None while one is unknown."""
    methods = [names.clean(order.payment_method) for order in facts.orders]
    if not methods or not all(methods):
        return None
    return _LABELS[locale]["joint"].join(dict.fromkeys(methods))


def ship_plan(facts: TextFacts, locale: str) -> str | None:
    """When it goes, with its particle, to stand before お送りする."""
    plan = facts.ship_plan
    if plan.designated_on:
        day = phrases.near_date(plan.designated_on, today(facts), locale)
        if locale == "ja":
            return f"ご指定の{day}のお届けに合わせて"
        return f"in time for the delivery day you chose, {day}"
    if plan.ship_by is None:
        return None
    day = phrases.near_date(plan.ship_by, today(facts), locale)
    return f"{day}までに" if locale == "ja" else f"by {day}"


def delivery_plan(facts: TextFacts, locale: str) -> str | None:
    """The same plan as a short note behind a label."""
    plan = facts.ship_plan
    day = plan.designated_on or plan.ship_by
    if day is None:
        return None
    near = phrases.near_date(day, today(facts), locale)
    if plan.designated_on is None:
        return f"{near}までに発送予定" if locale == "ja" else f"leaves us by {near}"
    band = names.clean(plan.designated_band)
    if locale == "ja":
        return f"{near}{f' {band}' if band else ''} お届けご指定"
    return f"delivery on {near}{f', {band}' if band else ''}, as you chose"


def arrival(facts: TextFacts, locale: str) -> str | None:
    """About when it reached the door, with its particle."""
    if facts.arrival_on is None:
        return None
    day = phrases.near_date(facts.arrival_on, today(facts), locale)
    return f"{day}ごろに" if locale == "ja" else f"around {day}"


def previous_order(facts: TextFacts, locale: str) -> str | None:
    """When the order before this one was, with の in Japanese."""
    if facts.previous_ordered_at is None:
        return None
    day = local_day(facts.previous_ordered_at, facts)
    phrase = phrases.past_month(day, today(facts), locale)
    return f"{phrase}の" if locale == "ja" else phrase


def customer_since(facts: TextFacts, locale: str) -> str | None:
    """Month of the very first order."""
    if facts.first_ordered_at is None:
        return None
    return phrases.month_of(local_day(facts.first_ordered_at, facts), locale)


def last_delivered(facts: TextFacts, locale: str) -> str | None:
    """When the last parcel arrived, with に in Japanese where the phrase takes it."""
    if facts.last_delivered_on is None:
        return None
    phrase = phrases.past_month(facts.last_delivered_on, today(facts), locale)
    return f"{phrase}に" if locale == "ja" and phrase[-1] == "月" and "年" in phrase else phrase


def last_item(facts: TextFacts, locale: str) -> str | None:
    """The item's name without the shop window around it: 【送料無料】 and trailing words go."""
    whole = names.clean(facts.last_item_name)
    words = _WINDOW.sub(" ", whole).split() or whole.split()
    short = words[0][:_ITEM_LONGEST] if words else ""
    for word in words[1:]:
        if len(short) + 1 + len(word) > _ITEM_SHORT[locale]:
            break
        short = f"{short} {word}"
    return short or None


def months_since_last(facts: TextFacts, locale: str) -> str | None:
    """How long ago the last parcel arrived; None within the first month."""
    if facts.last_delivered_on is None:
        return None
    months = phrases.months_between(facts.last_delivered_on, today(facts))
    return phrases.span_of_months(months, locale) or None


def coupon_value(facts: TextFacts, locale: str) -> str | None:
    """The reduction: an amount, else a percentage."""
    coupon = facts.coupon
    if coupon.amount is not None:
        return phrases.money(coupon.amount, coupon.currency, locale)
    return None if coupon.percent is None else f"{coupon.percent}%"


def coupon_min_spend(facts: TextFacts, locale: str) -> str | None:
    """The smallest purchase it is good for; None while nobody said there is none."""
    least = facts.coupon.min_spend
    if least is None:
        return None
    if least == 0:
        return "すべての金額" if locale == "ja" else "any amount"
    amount = phrases.money(least, facts.coupon.currency, locale)
    return f"{amount}(税込)以上" if locale == "ja" else f"{amount} or more (tax included)"


def coupon_targets(facts: TextFacts, locale: str) -> str:
    """What it may be used for."""
    return names.clean(facts.coupon.targets) or ("全商品" if locale == "ja" else "all items")


def coupon_expires(facts: TextFacts, locale: str) -> str | None:
    """Last valid minute: the stored end is exclusive."""
    if facts.coupon.expires_at is None:
        return None
    last = (facts.coupon.expires_at - timedelta(minutes=1)).astimezone(facts.zone)
    day = phrases.full_date(last.date(), locale)
    if locale == "ja":
        return f"{day}{last:%H:%M}まで"
    return (
        f"until {last:%H:%M} on {day}{' (Japan time)' if str(facts.zone) == 'Asia/Tokyo' else ''}"
    )
