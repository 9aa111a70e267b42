"""Reports of sales: by rank, by channel, new against repeat, by currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console import formats
from console.views.names import Badge
from console.views.report_charts import Chart, Column, nice_top, stacked
from console.views.report_tables import (
    Cell,
    Scale,
    Section,
    count,
    months_with_years,
    number_head,
    percent,
    plain,
    scale_for,
)
from console.words import Words
from worker.pipeline.reports import Figures
from worker.rules.reporting import first_day, months_until
from worker.store.report_queries import Sold

NOBODY = ""
"""Stands for the rank of orders without a customer (Amazon) or not yet ranked."""


@dataclass(frozen=True)
class Asked:
    """What a page was asked for, and the words to answer in."""

    figures: Figures
    months: range
    channel_id: int | None
    words: Words
    currency: str
    ranks: Mapping[str, Badge]
    shops: Mapping[int, str]

    @property
    def sold(self) -> list[Sold]:
        """Rows of the period and the shop."""
        return [row for row in self.of_shop if row.month in self.months]

    @property
    def of_shop(self) -> list[Sold]:
        """Rows of the shop, of any month."""
        return [row for row in self.figures.sold if self.takes(row.channel_id)]

    def takes(self, channel_id: int) -> bool:
        """Whether the channel is asked for."""
        return self.channel_id in (None, channel_id)

    @property
    def since(self) -> date:
        """The first day of the period."""
        return first_day(self.months[0])

    def money(self, amount: int) -> str:
        """Ledger money with its unit."""
        return formats.money(amount, self.currency, self.words.locale)


def former_months(asked: Asked) -> range:
    """As many months before the period."""
    return months_until(first_day(asked.months[0] - 1), len(asked.months))


def former_spend(asked: Asked) -> int | None:
    """Sales of the period before, up to the same day of its last month; None: no whole record."""
    before = former_months(asked)
    rows = asked.of_shop
    if not rows or min(row.month for row in rows) > before[0]:
        return None
    return sum(
        row.spend for row in rows if row.month in before and (row.month != before[-1] or row.early)
    )


def by_rank(asked: Asked) -> Section:
    """Sales by the rank at each order, month by month, with shares."""
    words, t = asked.words, Counter[tuple[int, str]]()
    for row in asked.sold:
        t[row.month, row.rank or NOBODY] += row.spend
    keys = _rank_keys(asked, {rank for _, rank in t})
    sums = {month: sum(t[month, key] for key in keys) for month in asked.months}
    scale = scale_for(max(sums.values()), asked.currency, words.locale)
    names = [_rank_name(asked, key) for key in keys]
    rows = [
        (head, *(scale.cell(t[month, key]) for key in keys), scale.cell(sums[month], strong=True))
        for head, month in zip(
            months_with_years(asked.months, words.locale), asked.months, strict=True
        )
    ]
    whole = sum(sums.values())
    totals = [sum(t[month, key] for month in asked.months) for key in keys]
    share_row = (
        plain(words("reports.share"), strong=True),
        *(percent(part, whole) for part in totals),
        scale.cell(whole, strong=True),
    )
    head = (
        plain(words("reports.month")),
        *map(number_head, names),
        number_head(words("reports.sum", unit=scale.unit)),
    )
    looks = [_look(asked, key) for key in keys]
    columns = [
        Column(month, tuple(t[month, key] for key in keys), scale.words(sums[month]))
        for month in asked.months
    ]
    return Section(
        "rank",
        words("reports.rank"),
        words("reports.rank_sub"),
        head,
        (*rows, share_row),
        chart=_stack(words("reports.rank_alt"), columns, looks, scale, words.locale),
        legend=tuple(
            reversed([(_swatch(look), name) for look, name in zip(looks, names, strict=True)])
        ),
        note=_sales_note(asked),
        wide=True,
    )


def _stack(
    title: str, columns: Sequence[Column], looks: Sequence[str], scale: Scale, locale: str
) -> Chart:
    top = nice_top(max(sum(column.values) for column in columns))
    ticks = [scale.words(top * place // 4) for place in range(5)]
    return stacked(title, columns, looks, ticks, top, locale)


def _rank_keys(asked: Asked, seen: set[str]) -> list[str]:
    """From the base up: nobody's, the lowest rung, the highest last; former ones too."""
    rungs = list(asked.ranks)[::-1]
    former = sorted(seen - {*rungs, NOBODY})
    return [*([NOBODY] if NOBODY in seen else []), *former, *rungs]


def _rank_name(asked: Asked, key: str) -> str:
    if key == NOBODY:
        return asked.words("reports.nobody")
    return asked.ranks[key].label if key in asked.ranks else key


def _look(asked: Asked, key: str) -> str:
    return f"f-{asked.ranks[key].look}" if key in asked.ranks else "f-grey"


def _swatch(look: str) -> str:
    return look.replace("f-", "dk-sw-")


def _sales_note(asked: Asked) -> str:
    words = asked.words
    unsure = sum(row.orders for row in asked.sold if row.unsure)
    out = Counter[str]()
    for row in asked.sold:
        if row.currency != asked.currency and row.own and not row.spend:
            out[row.currency] += row.orders
    parts = [words("reports.unsure_orders", n=unsure)] if unsure else []
    parts += [
        words("reports.no_rate", currency=currency, n=number)
        for currency, number in sorted(out.items())
    ]
    return " ".join(parts)


def by_channel(asked: Asked) -> Section:
    """Orders and sales by channel, with shares; Amazon is in it."""
    words = asked.words
    orders, spend = Counter[int](), Counter[int]()
    for row in asked.sold:
        orders[row.channel_id] += row.orders
        spend[row.channel_id] += row.spend
    scale = scale_for(0, asked.currency, words.locale)
    rows = [
        (
            plain(asked.shops.get(channel, "")),
            count(orders[channel]),
            percent(orders[channel], orders.total()),
            scale.cell(spend[channel]),
            percent(spend[channel], spend.total()),
            scale.cell(round(spend[channel] / orders[channel])),
        )
        for channel, _ in sorted(spend.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    total = (
        plain(words("reports.all"), strong=True),
        count(orders.total(), strong=True),
        percent(orders.total(), orders.total()),
        scale.cell(spend.total(), strong=True),
        percent(spend.total(), spend.total()),
        scale.cell(round(spend.total() / max(1, orders.total()))),
    )
    head = (
        plain(words("reports.shop")),
        number_head(words("reports.orders")),
        number_head(words("reports.share")),
        number_head(words("reports.sales_in", unit=scale.unit)),
        number_head(words("reports.share")),
        number_head(words("reports.each")),
    )
    return Section(
        "channel", words("reports.channel"), words("reports.channel_sub"), head, (*rows, total)
    )


def by_again(asked: Asked) -> Section:
    """First orders against later ones, month by month."""
    words = asked.words
    orders, spend = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for row in asked.sold:
        key = _again_key(row)
        orders[row.month, key] += row.orders
        spend[row.month, key] += row.spend
    keys = ["new", "again"] + (["nobody"] if any(key == "nobody" for _, key in orders) else [])
    sums = {month: sum(spend[month, key] for key in keys) for month in asked.months}
    scale = scale_for(max(sums.values()), asked.currency, words.locale)
    months = months_with_years(asked.months, words.locale)
    rows = [
        (
            head,
            *(count(orders[month, key]) for key in keys),
            *(scale.cell(spend[month, key]) for key in keys),
            percent(spend[month, "again"], spend[month, "again"] + spend[month, "new"]),
        )
        for head, month in zip(months, asked.months, strict=True)
    ]
    head = (
        plain(words("reports.month")),
        *(number_head(words(f"reports.{key}_orders")) for key in keys),
        *(number_head(words(f"reports.{key}_sales", unit=scale.unit)) for key in keys),
        number_head(words("reports.again_share")),
    )
    looks = {"new": "f-first", "again": "f-accent", "nobody": "f-grey"}
    columns = [
        Column(month, tuple(spend[month, key] for key in keys), scale.words(sums[month]))
        for month in asked.months
    ]
    drawn = [looks[key] for key in keys]
    return Section(
        "again",
        words("reports.again"),
        words("reports.again_sub"),
        head,
        tuple(rows),
        chart=_stack(words("reports.again_alt"), columns, drawn, scale, words.locale),
        wide=True,
        legend=tuple((_swatch(looks[key]), words(f"reports.is_{key}")) for key in reversed(keys)),
    )


def _again_key(row: Sold) -> str:
    return "nobody" if row.again is None else "again" if row.again else "new"


def by_currency(asked: Asked) -> Section | None:
    """Orders by the currency they were placed in; None where there is only the ledger's."""
    words = asked.words
    orders, own, spend = Counter[str](), Counter[str](), Counter[str]()
    for row in asked.sold:
        orders[row.currency] += row.orders
        own[row.currency] += row.own
        spend[row.currency] += row.spend
    if set(orders) <= {asked.currency}:
        return None
    rows = [
        (
            plain(currency),
            count(number),
            Cell(formats.money(own[currency], currency, words.locale), own[currency], number=True),
            Cell(asked.money(spend[currency]), spend[currency], number=True),
        )
        for currency, number in orders.most_common()
    ]
    head = (
        plain(words("reports.currency_name")),
        *map(number_head, map(words, ("reports.orders", "reports.own_money", "reports.converted"))),
    )
    return Section(
        "currency", words("reports.currency"), words("reports.currency_sub"), head, tuple(rows)
    )
