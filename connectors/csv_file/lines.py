"""Item lines of an order, from its own rows or from those of a second file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.contract import Line
from connectors.csv_file import values
from connectors.csv_file.amounts import amount
from connectors.csv_file.columns import Cells, Layout
from connectors.csv_file.fields import LINE
from connectors.csv_file.profiles import Profile
from connectors.csv_file.values import BadValue


class LineReader:
    """Reads the rows that are items; None where the header has no item column."""

    def __init__(self, layout: Layout) -> None:
        self._profile = layout.profile
        self._item = layout.getter("item")
        self._sku = layout.getter("sku")
        self._quantity = layout.getter("quantity")
        self._price = layout.getter("unit_price")
        self._amount = layout.getter("item_amount")
        self._kind = layout.row_filter
        self.told = self._item is not None or self._sku is not None
        self._companions: dict[tuple[str, ...], LineReader] = {}

    @property
    def present(self) -> frozenset[str]:
        """Name what the header itself can speak of."""
        return frozenset({"lines"} if self.told else ())

    def read(
        self, rows: Sequence[Cells], items: Sequence[Cells] | None, currency: str
    ) -> tuple[Line, ...] | None:
        """Give the lines; ``items`` are rows of the second file. Raises BadValue."""
        if items:
            return self._companion(tuple(items[0])).read(items, None, currency)
        if not self.told:
            return None
        lines = [line for cells in rows if (line := self._line(cells, currency)) is not None]
        return tuple(lines)

    def _companion(self, names: tuple[str, ...]) -> LineReader:
        found = self._companions.get(names)
        if found is None:
            found = LineReader(Layout(_as_profile(self._profile), names))
            self._companions[names] = found
        return found

    def _wanted(self, cells: Cells) -> bool:
        lines = self._profile.lines
        if self._kind is None or lines is None:
            return True
        kind = values.word(self._kind(cells))
        return (not lines.keep or kind in lines.keep) and not kind.startswith(lines.skip or "\0")

    def _line(self, cells: Cells, currency: str) -> Line | None:
        if self._kind is not None and not self._wanted(cells):
            return None
        name = self._item(cells).strip() if self._item else ""
        sku = values.plain(self._sku(cells)) if self._sku else ""
        if not name and not sku:
            return None
        return Line(
            name=name or sku,
            sku=sku or None,
            quantity=self._count(cells),
            unit_price=amount(self._price(cells), currency, "unit_price") if self._price else None,
            amount=amount(self._amount(cells), currency, "item_amount") if self._amount else None,
        )

    def _count(self, cells: Cells) -> int:
        cell = self._quantity(cells) if self._quantity else ""
        if not cell or cell.isspace():
            return 1
        try:
            return values.count(cell)
        except BadValue as error:
            raise error.at("quantity") from error


def _as_profile(profile: Profile) -> Profile:
    companion = profile.companion
    columns = companion.columns if companion else {}
    return replace(profile, columns={f: s for f, s in columns.items() if f in LINE}, lines=None)
