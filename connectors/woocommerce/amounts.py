"""The money of an order of wc/v3: text without tax beside its tax, added up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.contract import Line
from connectors.kit import people
from connectors.kit.fields import Unreadable
from connectors.kit.money import BadMoney, exponent, parse_minor, unknown_currency

Fields = Mapping[str, Any]

_MOST_DIGITS = 18


class Amounts:
    """Reads every amount in minor units. Raises Unreadable for a total or currency nobody can use.

    Rows and taxes of a shop that keeps more decimals than its currency has are rounded on
    their sum, with the warning ``amount_rounded``; the total never is.
    """

    def __init__(self, fields: Fields, warnings: list[str]) -> None:
        self._fields, self._warnings = fields, warnings
        self.currency = str(people.text(fields.get("currency")) or "").upper()
        try:
            self._places = exponent(self.currency)
        except BadMoney as error:
            raise Unreadable(
                "bad_currency",
                "currency",
                *unknown_currency(self.currency),
            ) from error
        self.total = self._exact("total")
        self.refunded = -self._sum(rows(fields, "refunds"), "total")

    def values(self) -> dict[str, int]:
        """Every part with its tax, so that the parts add up to the total."""
        fees = rows(self._fields, "fee_lines")
        extra = [self._with_tax(row, "total") for row in fees]
        found = {
            "subtotal": self._sum(rows(self._fields, "line_items"), "subtotal", "subtotal_tax"),
            "shipping": self._sum([self._fields], "shipping_total", "shipping_tax"),
            "fee": self._rounded(sum((e for e in extra if e > 0), Decimal(0))),
            "discount": self._sum([self._fields], "discount_total", "discount_tax")
            - self._rounded(sum((e for e in extra if e < 0), Decimal(0))),
            "tax": self._sum([self._fields], "total_tax"),
            "total": self.total,
            "refunded": self.refunded,
        }
        parts = found["subtotal"] + found["shipping"] + found["fee"] - found["discount"]
        if abs(parts - self.total) > 1:
            self._warnings.append("total_differs")
        return found

    def lines(self) -> tuple[Line, ...]:
        """The item rows, tax included, after discounts."""
        return tuple(self._line(row) for row in rows(self._fields, "line_items"))

    def _line(self, row: Fields) -> Line:
        quantity = _quantity(row.get("quantity"))
        amount = self._rounded(self._with_tax(row, "total"))
        sku = people.text(row.get("sku"))
        return Line(
            name=people.text(row.get("name")) or sku or "-",
            sku=sku,
            quantity=quantity,
            unit_price=amount // quantity if quantity > 0 and amount % quantity == 0 else None,
            amount=amount,
        )

    def _exact(self, name: str) -> int:
        try:
            found = parse_minor(str(_plain(self._fields.get(name))), self.currency)
        except BadMoney as error:
            raise _bad_money(name, self.currency) from error
        if found is None:
            raise _bad_money(name, self.currency)
        if found < 0:
            raise Unreadable(
                "negative_total", name, "The total is negative.", "合計が負の金額です。"
            )
        return found

    def _with_tax(self, row: Fields, name: str) -> Decimal:
        return _decimal(row.get(name), name) + _decimal(row.get(f"{name}_tax"), name)

    def _sum(self, rows: list[Fields], *names: str) -> int:
        parts = (_decimal(row.get(name), name) for row in rows for name in names)
        return self._rounded(sum(parts, Decimal(0)))

    def _rounded(self, value: Decimal) -> int:
        scaled = value.scaleb(self._places)
        whole = scaled.quantize(Decimal(1), ROUND_HALF_UP)
        if whole != scaled:
            self._warnings.append("amount_rounded")
        return int(whole)


def rows(fields: Fields, name: str) -> list[Fields]:
    """The objects of a list; anything else that plugins put there is left out."""
    value = fields.get(name)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _plain(value: Any) -> Any:
    """The value of an amount; plugins write numbers where WooCommerce writes text."""
    return "" if value is None or isinstance(value, bool) else value


def _decimal(value: Any, name: str) -> Decimal:
    text = str(_plain(value)).strip()
    if not text:
        return Decimal(0)
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise _bad_money(name, "") from error
    if not found.is_finite() or found.adjusted() >= _MOST_DIGITS:
        raise _bad_money(name, "")
    return found


def _bad_money(name: str, currency: str) -> Unreadable:
    return Unreadable(
        "bad_money",
        name,
        f"{name}: this is not an exact amount {currency}".rstrip() + ".",
        f"{name}: 金額として読み取れません {currency}".rstrip() + "。",
    )


def _quantity(value: Any) -> int:
    """Whole pieces; shops that sell by weight write 0.5, which counts as one."""
    try:
        found = Decimal(str(_plain(value) or 1))
    except InvalidOperation:
        return 1
    return int(found) if found.is_finite() and found >= 1 else 1
