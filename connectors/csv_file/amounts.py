"""The money of an order: each amount taken once, or added up where the profile says so."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Line
from connectors.csv_file.columns import Cells, Getter, Layout, Sum
from connectors.csv_file.fields import ORDER_MONEY
from connectors.csv_file.values import BadValue, count
from connectors.kit.money import BadMoney, parse_minor

Money = dict[str, int | None]

_UNSIGNED = frozenset({"discount", "points", "refunded"})
"""Written as ▲500 by some and 500 by others; both mean that much taken off."""


def amount(cell: str, currency: str, field: str) -> int | None:
    """Read one cell in minor units; raises BadValue naming the field."""
    try:
        return parse_minor(cell, currency)
    except BadMoney as error:
        raise BadValue(
            "bad_money",
            f"This is not an exact amount: {error}.",
            f"金額として読み取れません ({currency})。円は整数で書いてください。",
            field,
        ) from error


class Amounts:
    """Reads every money field that the header holds."""

    def __init__(self, layout: Layout) -> None:
        self._profile = layout.profile
        self._plain: list[tuple[str, Getter]] = []
        self._sums: list[tuple[str, Sum]] = []
        for field in sorted(ORDER_MONEY):
            if total := layout.sum(field):
                self._sums.append((field, total))
            elif getter := layout.getter(field):
                self._plain.append((field, getter))
        self.present = frozenset(name for name, _ in self._plain) | {n for n, _ in self._sums}

    def read(self, cells: Cells, rows: Sequence[Cells], currency: str) -> Money:
        """Give every field in minor units of ``currency``. Raises BadValue."""
        empty = self._profile.empty_words
        found: Money = {}
        for field, get in self._plain:
            cell = get(cells)
            value = None if cell in empty else amount(cell, currency, field)
            found[field] = abs(value) if value and field in _UNSIGNED else value
        for field, total in self._sums:
            found[field] = self._added(total, rows if total.rows else (cells,), currency, field)
        return found

    def _added(self, total: Sum, rows: Sequence[Cells], currency: str, field: str) -> int | None:
        result = None if total.where is None else 0
        for cells in filter(total.wants, rows):
            times = count(total.times(cells) or "1") if total.times else 1
            for get in total.plus:
                value = self._one(get, cells, currency, field)
                result = result if value is None else (result or 0) + value * times
            for get in total.minus:
                value = self._one(get, cells, currency, field)
                result = result if value is None else (result or 0) - abs(value)
        if result and (total.absolute or field in _UNSIGNED):
            return abs(result)
        return result

    def _one(self, get: Getter, cells: Cells, currency: str, field: str) -> int | None:
        cell = get(cells)
        return None if cell in self._profile.empty_words else amount(cell, currency, field)

    def complete(self, found: Money, lines: Sequence[Line] | None, warnings: list[str]) -> None:
        """Work the total out where no column tells it; warn where the parts do not add up."""
        told = found.get("total")
        if "total" not in self.present:
            if self._profile.constants.get("total") == "sum":
                found["total"] = self._worked_out(found, lines)
                if found["total"] is not None:
                    warnings.append("total_computed")
        elif self._profile.check_total and told is not None:
            parts = self._worked_out(found, None) if found.get("shipping") is not None else None
            if parts is not None and abs(parts - told) > 1:
                warnings.append("total_differs")

    def _worked_out(self, found: Money, lines: Sequence[Line] | None) -> int | None:
        goods = found.get("subtotal")
        if goods is None and lines:
            prices = [_line_amount(line) for line in lines]
            goods = None if None in prices else sum(price or 0 for price in prices)
        if goods is None:
            return None
        tax = 0 if self._profile.tax_included else found.get("tax") or 0
        extra = (found.get("shipping") or 0) + (found.get("fee") or 0) + tax
        return goods + extra - (found.get("discount") or 0) - (found.get("points") or 0)


def _line_amount(line: Line) -> int | None:
    if line.amount is not None or line.unit_price is None:
        return line.amount
    return line.unit_price * line.quantity
