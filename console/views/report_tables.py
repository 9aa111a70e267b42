"""Tables of the reports: each cell as people read it and as a file holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.kit.defuse import write_table
from console import formats
from console.views.names import Badge
from console.views.report_charts import Chart, Heat
from worker.rules.reporting import first_day, share


@dataclass(frozen=True, slots=True)
class Cell:
    """``value`` is what the CSV holds: plain numbers stay numbers there."""

    text: str
    value: object
    number: bool = False
    strong: bool = False
    muted: bool = False
    badge: Badge | None = None
    address: str = ""
    heat: Heat | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One report: its words, its table, perhaps a drawing and a legend."""

    name: str
    title: str
    sub: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: Chart | None = None
    legend: tuple[tuple[str, str], ...] = ()
    """(class, words) from the top of the stack down."""
    note: str = ""
    wide: bool = False
    personal: bool = False
    """Names stand in it: its export has a row in the audit of its own kind."""


def as_csv(section: Section) -> bytes:
    """The table for a spreadsheet: formulas defused."""
    return write_table(
        [str(cell.value) for cell in section.head],
        [[cell.value for cell in row] for row in section.rows],
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Money of a table in one unit: ten thousand yen where the sums are large."""

    currency: str
    locale: str
    per: int
    unit: str

    def words(self, amount: int) -> str:
        """The amount in the unit, rounded to whole ones where it is larger than one."""
        if self.per > 1:
            return f"{round(amount / self.per):,}"
        if self.currency == "JPY":
            return f"{amount:,}"
        return formats.money(amount, self.currency, self.locale).rpartition(" ")[0]

    def cell(self, amount: int, *, strong: bool = False) -> Cell:
        """A cell whose CSV keeps the exact minor units."""
        return Cell(self.words(amount), amount, number=True, strong=strong, muted=not amount)


def scale_for(most: int, currency: str, locale: str) -> Scale:
    """万円 or thousands of yen from a million on; other currencies as they are."""
    if currency != "JPY":
        return Scale(currency, locale, 1, currency)
    if most < _LARGE:
        return Scale(currency, locale, 1, "円" if locale == "ja" else "yen")
    if locale == "ja":
        return Scale(currency, locale, 10_000, "万円")
    return Scale(currency, locale, 1_000, "thousand yen")


_LARGE = 1_000_000


def plain(words: str, *, strong: bool = False) -> Cell:
    """Words that are the same in the file."""
    return Cell(words, words, strong=strong)


def number_head(words: str) -> Cell:
    """The head of a column of numbers."""
    return Cell(words, words, number=True)


def count(number: int, *, strong: bool = False) -> Cell:
    """A number of things."""
    return Cell(f"{number:,}", number, number=True, strong=strong, muted=not number)


def percent(part: int, whole: int, *, strong: bool = False) -> Cell:
    """A share with one decimal; a dash where there is no whole."""
    found = share(part, whole)
    if found is None:
        return Cell("–", None, number=True, muted=True)
    return Cell(f"{found:.1f}%", round(found, 1), number=True, strong=strong)


def month_cell(month: int, before: int | None, locale: str) -> Cell:
    """``2026/1月``; the year only where it changes on the page, always in the file."""
    day = first_day(month)
    exact = f"{day:%Y-%m}"
    if locale != "ja":
        with_year = before is None or first_day(before).year != day.year
        return Cell(f"{day:%b %Y}" if with_year else f"{day:%b}", exact)
    with_year = before is None or first_day(before).year != day.year
    return Cell(f"{day.year}/{day.month}月" if with_year else f"{day.month}月", exact)


def months_with_years(months: Sequence[int], locale: str) -> list[Cell]:
    """A cell for each month, the year where it changes."""
    befores = [None, *months[:-1]]
    return [
        month_cell(month, before, locale) for month, before in zip(months, befores, strict=True)
    ]
