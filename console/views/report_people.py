"""Reports of people: ranks that moved, the second order, time to the nth, the largest, dormants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from console import formats
from console.views.names import rank_label
from console.views.report_charts import Heat, shade_of, up_and_down
from console.views.report_sales import Asked
from console.views.report_tables import (
    Cell,
    Section,
    count,
    months_with_years,
    number_head,
    percent,
    plain,
    scale_for,
)
from worker.pipeline.reports import Top
from worker.rules.reporting import SILENT, WITHIN, has_passed, share

_SHOWN_MOVES = 12


def moves(asked: Asked) -> Section:
    """Who rose and who fell, by month; beside it, this month's movement between the ranks."""
    words, places = asked.words, {rank: place for place, rank in enumerate(asked.ranks)}
    up, down = Counter[int](), Counter[int]()
    for row in asked.figures.moves:
        if row.from_rank in places and row.to_rank in places:
            rises = places[row.to_rank] < places[row.from_rank]
            (up if rises else down)[row.month] += row.changes
    months = list(asked.months)
    rows = [
        (head, count(up[month]), count(down[month]))
        for head, month in zip(months_with_years(months, words.locale), months, strict=True)
    ]
    head = (
        plain(words("reports.month")),
        number_head(words("reports.up")),
        number_head(words("reports.down")),
    )
    drawn = [(month, up[month], down[month]) for month in months[-_SHOWN_MOVES:]]
    chart = up_and_down(words("reports.moves_alt"), drawn, words.locale)
    return Section(
        "moves", words("reports.moves"), words("reports.moves_sub"), head, tuple(rows), chart=chart
    )


def matrix(asked: Asked) -> Section:
    """Rank at the end of last month against rank now."""
    words, ranks = asked.words, list(asked.ranks)[::-1]
    moved = {(was, now): number for was, now, number in asked.figures.net_moves}
    now_and_new = {rank: (number, new) for rank, number, new in asked.figures.ranks}

    def people(was: str, now: str) -> int:
        if was != now:
            return moved.get((was, now), 0)
        number, new = now_and_new.get(now, (0, 0))
        return number - new - sum(n for (_, to), n in moved.items() if to == now)

    rows = [
        (
            Cell("", rank_label(asked.ranks, was), badge=asked.ranks[was]),
            *(
                Cell(f"{people(was, now):,}", people(was, now), number=True,
                     strong=was != now and people(was, now) > 0, muted=was == now)
                for now in ranks
            ),
        )
        for was in ranks
    ]  # fmt: skip
    new_row = (
        plain(words("reports.since_this_month")),
        *(count(now_and_new.get(now, (0, 0))[1]) for now in ranks),
    )
    head = (
        plain(words("reports.from_to")),
        *(
            Cell("", words("reports.to", rank=rank_label(asked.ranks, now)), number=True,
                 badge=asked.ranks[now])
            for now in ranks
        ),
    )  # fmt: skip
    return Section(
        "matrix", words("reports.matrix"), words("reports.matrix_sub"), head, (*rows, new_row)
    )


def second_orders(asked: Asked) -> Section:
    """Of whom who ordered first in a month, how many came again within so many days."""
    words, today = asked.words, asked.figures.today
    people, came = Counter[int](), Counter[tuple[int, int]]()
    unsure = 0
    for row in asked.figures.cohorts:
        if row.month not in asked.months or not asked.takes(row.channel_id):
            continue
        if row.unsure:
            unsure += row.people
            continue
        people[row.month] += row.people
        for limit, number in zip(WITHIN, row.came, strict=True):
            came[row.month, limit] += number
    shown = [
        value
        for month in people
        for limit in WITHIN
        if has_passed(month, limit, today)
        and (value := share(came[month, limit], people[month])) is not None
    ]
    low, high = min(shown, default=0.0), max(shown, default=0.0)

    def cell(month: int, limit: int) -> Cell:
        if not people[month] or not has_passed(month, limit, today):
            return Cell("", None, number=True, heat=Heat("", 0))
        part = share(came[month, limit], people[month])
        plain_cell = percent(came[month, limit], people[month])
        heat = Heat(plain_cell.text, shade_of(part, low, high))
        return Cell(plain_cell.text, plain_cell.value, number=True, heat=heat)

    months = list(asked.months)
    rows = [
        (
            head,
            Cell(words("reports.people", n=people[month]), people[month], number=True),
            *(cell(month, limit) for limit in WITHIN),
        )
        for head, month in zip(months_with_years(months, words.locale), months, strict=True)
    ]
    head = (
        plain(words("reports.first_month")),
        number_head(words("reports.newcomers")),
        *(number_head(words("reports.days", n=limit)) for limit in WITHIN),
    )
    note = words("reports.not_yet")
    if unsure:
        note += words("reports.unsure_people", n=unsure)
    return Section(
        "second", words("reports.second"), words("reports.second_sub"), head, tuple(rows), note=note
    )


def ninety_days(asked: Asked) -> tuple[int, int]:
    """(people, of whom came again within 90 days), of the months for which that is over."""
    place = WITHIN.index(90)
    rows = [
        row
        for row in asked.figures.cohorts
        if row.month in asked.months
        and asked.takes(row.channel_id)
        and not row.unsure
        and has_passed(row.month, 90, asked.figures.today)
    ]
    return sum(row.people for row in rows), sum(row.came[place] for row in rows)


def nth_orders(asked: Asked) -> Section:
    """How long people take to their second, third, … tenth order."""
    words = asked.words
    rows = [
        (
            Cell(formats.nth(each.number, words.locale), each.number),
            count(each.people),
            *(
                Cell(words("reports.days", n=days), days, number=True, strong=days == each.half)
                for days in (each.quarter, each.half, each.most)
            ),
        )
        for each in asked.figures.nth
    ]
    head = (
        plain(words("reports.nth_order")),
        *map(
            number_head,
            map(
                words,
                ("reports.reached", "reports.quarter", "reports.half", "reports.most"),
            ),
        ),
    )
    return Section("nth", words("reports.nth"), words("reports.nth_sub"), head, tuple(rows))


def top_of(asked: Asked) -> Top | None:
    """The largest customers of the period and shop."""
    wanted = len(asked.months), asked.channel_id
    return next((t for t in asked.figures.top if (t.months, t.channel_id) == wanted), None)


def largest(asked: Asked, names: Mapping[int, str]) -> Section:
    """The ten largest customers and their share: how much the shop leans on few."""
    words, top = asked.words, top_of(asked)
    people = top.people if top else ()
    whole = top.spend if top else 0
    scale = scale_for(0, asked.currency, words.locale)
    rows = [
        (
            Cell(f"{place}", place, number=True),
            Cell(
                names.get(customer) or "-",
                names.get(customer, ""),
                address=f"/customers/{customer}",
            ),
            count(orders),
            scale.cell(spend),
            percent(spend, whole),
        )
        for place, (customer, orders, spend) in enumerate(people, start=1)
    ]
    head = (
        number_head(words("reports.place")),
        plain(words("reports.customer")),
        number_head(words("reports.orders")),
        number_head(words("reports.sales_in", unit=scale.unit)),
        number_head(words("reports.share")),
    )
    return Section(
        "top", words("reports.top"), words("reports.top_sub"), head, tuple(rows),
        note=words("reports.top_note"), personal=True,
    )  # fmt: skip


def dormants(asked: Asked) -> Section:
    """Who has not ordered for long, by rank, and what they had bought."""
    words = asked.words
    people, spend = Counter[tuple[str, int]](), Counter[int]()
    for rank, reached, number, money in asked.figures.dormant:
        for step in range(reached + 1):  # silent for two years is silent for one
            people[rank or "", step] += number
            spend[step] += money
    steps = range(len(SILENT))
    ranks = list(asked.ranks)
    rows = [
        (
            Cell("", rank_label(asked.ranks, rank), badge=asked.ranks[rank]),
            *(
                Cell(
                    words("reports.people", n=people[rank, step]),
                    people[rank, step],
                    number=True,
                    muted=not people[rank, step],
                    address=f"/customers?silent={SILENT[step]}&rank={rank}&sort=spend",
                )
                for step in steps
            ),
        )
        for rank in ranks
    ]
    worth = (
        plain(words("reports.bought_before")),
        *(Cell(asked.money(spend[step]), spend[step], number=True) for step in steps),
    )
    head = (
        plain(words("reports.rank_now")),
        *(number_head(words(f"reports.silent_{days}")) for days in SILENT),
    )
    return Section(
        "dormant", words("reports.dormant"), words("reports.dormant_sub"), head, (*rows, worth),
        note=words("reports.dormant_note"),
    )  # fmt: skip
