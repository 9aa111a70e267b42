"""分析: four figures, then each report with its table, and a drawing where it says more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views import report_coupons, report_people, report_sales
from console.views.names import Option, badges, shop_labels
from console.views.report_sales import Asked
from console.views.report_tables import Section
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.reports import Counted, figures_of
from worker.rules.reporting import PERIODS, months_until, share
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile

DEFAULT_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filter; ``shop`` is a channel's name, empty for all."""

    months: int = DEFAULT_MONTHS
    shop: str = ""

    def query(self) -> str:
        """As part of an address."""
        return f"months={self.months}&shop={self.shop}"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One of the four figures."""

    label: str
    value: str
    unit: str
    comment: str


@dataclass(frozen=True, slots=True)
class ReportsView:
    """Everything the page prints; None of ``asked`` parts where nothing was counted yet."""

    chosen: Chosen
    sub: str
    periods: tuple[Option, ...]
    shops: tuple[Option, ...]
    kpis: tuple[Kpi, ...]
    sections: tuple[Section, ...]
    counted: str
    """When the figures were counted, where that was not just now."""
    never: bool
    """A large ledger that was not counted yet."""
    empty: bool


def chosen_from(months: str, shop: str) -> Chosen:
    """A filter of what an address says; the unknown asks for nothing."""
    known = {str(each): each for each in PERIODS}
    return Chosen(known.get(months, DEFAULT_MONTHS), shop[:80])


def reports_view(
    session: Session, ctx: Context, chosen: Chosen, words: Words, now: datetime
) -> ReportsView:
    """Read the page."""
    counted = figures_of(session, ctx, now)
    channels = {row.name: row.id for row in session.execute(select(Channel.name, Channel.id))}
    labels = shop_labels(session, words)
    if chosen.shop not in channels:
        chosen = Chosen(chosen.months)
    asked = _asked(ctx, counted, chosen, words, channels, labels) if counted else None
    return ReportsView(
        chosen=chosen,
        sub=_sub(asked, ctx) if asked else "",
        periods=tuple(
            Option(str(n), words("reports.last_months", n=n), None, n == chosen.months)
            for n in PERIODS
        ),
        shops=(
            Option("", words("reports.all_shops"), None, not chosen.shop),
            *(Option(name, label, None, name == chosen.shop) for name, label in labels.items()),
        ),
        kpis=_kpis(asked) if asked else (),
        sections=_sections(asked, _names(session, asked)) if asked else (),
        counted=formats.near(counted.at, now, ctx.zone) if counted and counted.kept else "",
        never=counted is None,
        empty=asked is not None and not asked.figures.sold,
    )


def section_of(
    session: Session, ctx: Context, chosen: Chosen, name: str, words: Words, now: datetime
) -> Section | None:
    """One report by name, for its file; None where there is none."""
    view = reports_view(session, ctx, chosen, words, now)
    return next((each for each in view.sections if each.name == name), None)


def _asked(
    ctx: Context,
    counted: Counted,
    chosen: Chosen,
    words: Words,
    channels: dict[str, int],
    labels: dict[str, str],
) -> Asked:
    return Asked(
        figures=counted.figures,
        months=months_until(counted.figures.today, chosen.months),
        channel_id=channels.get(chosen.shop),
        words=words,
        currency=ctx.documents.shop.counting.currency,
        ranks=badges(ctx.documents.ladder, words.locale),
        shops={channels[name]: label for name, label in labels.items()},
    )


def _sub(asked: Asked, ctx: Context) -> str:
    words = asked.words
    without = ctx.documents.shop.counting.spend_without_shipping
    return words(
        "reports.sub",
        since=formats.day(asked.since, words.locale),
        until=formats.day(asked.figures.today, words.locale),
        shipping=words("reports.without_shipping" if without else "reports.with_shipping"),
    )


def _names(session: Session, asked: Asked) -> dict[int, str]:
    top = report_people.top_of(asked)
    ids = [customer for customer, _, _ in top.people] if top else []
    rows = session.execute(
        select(CustomerProfile.customer_id, CustomerProfile.name).where(
            CustomerProfile.customer_id.in_(ids)
        )
    )
    return {row.customer_id: row.name or "" for row in rows}


def _sections(asked: Asked, names: dict[int, str]) -> tuple[Section, ...]:
    """What is told over all channels only stands aside where one channel is asked for."""
    whole = asked.channel_id is None
    found = [report_sales.by_rank(asked), report_sales.by_again(asked)]
    found += [report_people.second_orders(asked)]
    found += [report_people.moves(asked), report_people.matrix(asked)] if whole else []
    found += [report_people.largest(asked, names)]
    found += [report_people.nth_orders(asked)] if whole else []
    found += [report_sales.by_channel(asked), report_coupons.used(asked)]
    found += [report_people.dormants(asked), report_coupons.grants(asked)] if whole else []
    currencies = report_sales.by_currency(asked)
    return tuple([*found, currencies] if currencies else found)


# --- the four figures -----------------------------------------------------------------------


def _kpis(asked: Asked) -> tuple[Kpi, ...]:
    return (_sales(asked), _again(asked), _second(asked), _top(asked))


def _sales(asked: Asked) -> Kpi:
    words, spend = asked.words, sum(row.spend for row in asked.sold)
    written = asked.money(spend)
    amount = written.rstrip("円").removesuffix(" yen")
    before = report_sales.former_spend(asked)
    if before:
        change = 100 * (spend - before) / before
        comment = words("reports.than_before", n=len(asked.months), change=f"{change:+.1f}%")
    else:
        comment = words("reports.nothing_before", n=len(asked.months))
    return Kpi(words("reports.sales"), amount, written[len(amount) :].strip(), comment)


def _again(asked: Asked) -> Kpi:
    words = asked.words
    new = sum(row.spend for row in asked.sold if row.again is False)
    again = sum(row.spend for row in asked.sold if row.again)
    orders = sum(row.orders for row in asked.sold if row.again)
    return _percent(
        words("reports.again_kpi"),
        share(again, again + new),
        words("reports.again_orders_kpi", n=f"{orders:,}"),
    )


def _second(asked: Asked) -> Kpi:
    words = asked.words
    people, came = report_people.ninety_days(asked)
    comment = words("reports.second_kpi_text", people=f"{people:,}", came=f"{came:,}")
    if not people:
        comment = words("reports.second_kpi_none")
    return _percent(words("reports.second_kpi"), share(came, people), comment)


def _top(asked: Asked) -> Kpi:
    words, top = asked.words, report_people.top_of(asked)
    spends = [spend for _, _, spend in top.people] if top else []
    whole = top.spend if top else 0
    most = share(spends[0], whole) if spends else None
    comment = words("reports.top_kpi_text", most=f"{most:.1f}%") if most is not None else "–"
    return _percent(words("reports.top_kpi"), share(sum(spends), whole), comment)


def _percent(label: str, value: float | None, comment: str) -> Kpi:
    return Kpi(
        label, "–" if value is None else f"{value:.1f}", "" if value is None else "%", comment
    )
