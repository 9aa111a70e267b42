"""A made-up order history of any size, the same each time: most buy once, a few very often."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HEADER = (
    *("order_number", "ordered_at", "updated_at", "status", "payment_status"),
    *("fulfilment_status", "payment_method", "customer_id", "email", "name", "kana", "phone"),
    *("postal_code", "address", "item", "sku", "quantity", "unit_price", "shipping", "total"),
    *("currency", "paid_at", "shipped_at"),
)
_FAMILY = ("佐藤", "鈴木", "高橋", "髙﨑", "渡邊", "長谷川")
_GIVEN = ("陽子", "健太", "美咲", "大輔", "結衣", "翔")
_ITEMS = ("深煎りブレンド", "水出しアイスコーヒー", "ドリップバッグ", "カフェインレス")
_CLOCK = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Period:
    """When the orders were placed, evenly spread, and whether their parcels have left."""

    start: datetime
    length: timedelta
    shipped: bool = True


HISTORY = Period(datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")), timedelta(days=730))


def write_orders(path: Path, number: int, period: Period = HISTORY) -> None:
    """Write a CSV of the generic profile with ``number`` orders of one line each."""
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(HEADER)
        rows.writerows(_orders(number, period))


def _orders(number: int, period: Period) -> Iterator[tuple[Any, ...]]:
    dice = random.Random(20_261_122)
    customers = number
    step = period.length // timedelta(minutes=1) / number
    for n in range(number):
        at = period.start + timedelta(minutes=int(n * step))
        # Three of ten orders come from those at the head of the list.
        regular = int(customers * dice.random() ** 4)
        anybody = dice.randrange(customers)
        who = regular if dice.random() < 0.3 else anybody
        yield _order(dice, n, at, who, shipped=period.shipped)


def _order(
    dice: random.Random, n: int, at: datetime, who: int, *, shipped: bool
) -> tuple[Any, ...]:
    name = f"{_FAMILY[who % 6]} {_GIVEN[who // 6 % 6]}"
    quantity, price, shipping = dice.randint(1, 4), dice.choice((480, 1200, 2980, 6800)), 500
    cancelled = dice.random() < 0.03
    words = ("cancelled", "unpaid") if cancelled else ("shipped" if shipped else "paid", "paid")
    stamp, later = at.strftime(_CLOCK), (at + timedelta(hours=20)).strftime(_CLOCK)
    return (
        *(
            f"B-{n:07}",
            stamp,
            later,
            words[0],
            words[1],
            "" if words[0] != "shipped" else "shipped",
        ),
        *("credit card", f"M{who:06}", f"c{who}@okaeri.test", name, "ヨミ カタ"),
        *(f"080{who:08}", f"{who % 9999999:07}", f"東京都千代田区{who}番地"),
        *(_ITEMS[who % 4], f"SKU-{who % 4}", quantity, price, shipping),
        *(quantity * price + shipping, "JPY", "" if cancelled else stamp),
        "" if words[0] != "shipped" else later,
    )
