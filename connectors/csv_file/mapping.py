"""Rows of one order and their profile to an Order; pure, and compiled once per header."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from connectors.contract import BadRecord, Order, PaymentKind, RawOrder
from connectors.csv_file import values
from connectors.csv_file.amounts import Amounts
from connectors.csv_file.columns import Cells, Getter, Layout
from connectors.csv_file.fields import LINE, ORDER_COUNTS, ORDER_MOMENTS, ORDER_TEXTS, ORDER_TRUTHS
from connectors.csv_file.lines import LineReader
from connectors.csv_file.people import People
from connectors.csv_file.profiles import Profile, Profiles
from connectors.csv_file.standing import Standing
from connectors.csv_file.values import BadValue
from connectors.kit.money import BadMoney, exponent, unknown_currency
from connectors.kit.payment_kinds import payment_kind

_AGREE = ("ordered_at", "total", "status", "payment_status", "currency", "email", "customer_id")
_FIRST_YEAR = 1990
"""An empty date cell of a spreadsheet reads as 1899 or 1900: one such row would make a history
look complete for a century."""
_MUTE = ("consent_at", "updated_at")
"""Dates whose loss does not change what the order is: warned about and left out."""

Named = tuple[tuple[str, Getter], ...]


def map_raw(raw: RawOrder, profiles: Profiles, zone: str = "Asia/Tokyo") -> Order:
    """Translate stored rows again: the payload names its profile. Raises BadRecord."""
    profile = profiles.get(str(raw.payload["profile"]))
    return plan_for(profile, tuple(raw.payload["rows"][0]), zone).order(raw)


_PLANS: dict[tuple[str, str, tuple[str, ...], str], Plan] = {}
_MOST_PLANS = 64
_MOST_WORDS = 500


def plan_for(profile: Profile, names: tuple[str, ...], zone: str) -> Plan:
    """Compile the profile for a header, or give the plan made before."""
    key = (profile.name, profile.digest, names, zone)
    plan = _PLANS.get(key)
    if plan is None:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        plan = _PLANS[key] = Plan(profile, names, zone)
    return plan


class Plan:
    """How one header of one profile becomes orders; made once, used for every order."""

    def __init__(self, profile: Profile, names: Sequence[str], zone: str) -> None:
        self.profile = profile
        self.layout = layout = Layout(profile, names)
        self._zone = values.zone_of(profile.zone or zone)
        self._number = layout.getter("order_number")
        self._external = layout.getter("external_id") or self._number
        self._ordered = layout.getter("ordered_at")
        self._currency = layout.getter("currency")
        self._method = layout.getter("payment_method")
        self._delivery = layout.getter("delivery_date")
        self._texts = self._named(ORDER_TEXTS - {"payment_method"})
        self._moments = self._named(ORDER_MOMENTS)
        self._counts = self._named(ORDER_COUNTS)
        self._truths = self._named(ORDER_TRUTHS)
        self._amounts = Amounts(layout)
        self._standing = Standing(layout)
        self._people = People(layout, japanese=self._zone is values.TOKYO)
        self._lines = LineReader(layout)
        self._order_columns = layout.order_columns(f for f in layout.found if f not in LINE)
        once = (f for f in _AGREE if f in layout.found and not layout.found[f].rows)
        self._must_agree = layout.order_columns(once)
        self._base = self._present()
        self._kinds: dict[str, PaymentKind] = {}
        self._sets: dict[tuple[frozenset[str], frozenset[str]], frozenset[str]] = {}

    def _named(self, fields: frozenset[str]) -> Named:
        found = ((name, self.layout.getter(name)) for name in sorted(fields))
        return tuple((name, get) for name, get in found if get is not None)

    def _present(self) -> frozenset[str]:
        named = {"external_id", "number", "ordered_at", "time_unknown", "currency"}
        for group in (self._texts, self._moments, self._counts, self._truths):
            named |= {name for name, _ in group}
        if self._method:
            named |= {"payment_method", "payment_kind"}
        if self._delivery:
            named.add("delivery_date")
        return frozenset(named) | self._amounts.present | self._people.present | self._lines.present

    def order(self, raw: RawOrder) -> Order:
        """Build the order. Raises BadRecord with position, field and payload."""
        try:
            return self._order(raw)
        except BadValue as error:
            column = self.layout.shown(error.field) if error.field else ""
            raise BadRecord(
                error.code,
                f"{column}: {error.reason}" if column else error.reason,
                position=raw.position,
                field_name=column or None,
                external_id=raw.external_id,
                payload=raw.payload,
                reason_ja=f"「{column}」: {error.reason_ja}" if column else error.reason_ja,
            ) from error

    def _order(self, raw: RawOrder) -> Order:
        rows: Sequence[dict[str, str]] = raw.payload["rows"]
        date1904 = bool(raw.payload.get("date1904"))
        warnings: list[str] = []
        dropped: set[str] = set()
        cells = rows[0] if len(rows) == 1 else self._merged(rows, warnings)
        external_id = raw.external_id or self._identity_of(cells)
        ordered_at, time_unknown = self._ordered_at(cells, date1904)
        currency = self._currency_of(cells)
        found: dict[str, Any] = self._amounts.read(cells, rows, currency)
        lines = self._lines.read(rows, raw.payload.get("items"), currency)
        self._amounts.complete(found, lines, warnings)
        moments = self._read_moments(cells, date1904, warnings, dropped)
        standing = self._standing.read(
            cells, moments, found.get("refunded") or 0, found.get("total"), warnings
        )
        buyer, recipient, unread = self._people.read(cells, warnings, date1904=date1904)
        found |= moments
        self._read_rest(cells, found, warnings, dropped, date1904)
        states: dict[str, Any] = {
            "life": standing.life,
            "payment": standing.payment,
            "fulfilment": standing.fulfilment,
        }
        added = {name for name, value in states.items() if value is not None}
        if lines is not None:
            added.add("lines")
        if found.get("total") is not None:
            added.add("total")
        return Order(
            external_id=external_id,
            number=self._number_of(cells, external_id),
            ordered_at=ordered_at,
            time_unknown=time_unknown,
            currency=currency,
            present=self._told(frozenset(added), unread | dropped),
            buyer=buyer,
            recipient=recipient,
            lines=lines or (),
            warnings=tuple(dict.fromkeys(warnings)),
            **states,
            **found,
        )

    def _told(self, added: frozenset[str], dropped: frozenset[str]) -> frozenset[str]:
        key = (added, dropped)
        told = self._sets.get(key)
        if told is None:
            told = self._sets[key] = (self._base | added) - dropped
        return told

    def _merged(self, rows: Sequence[dict[str, str]], warnings: list[str]) -> dict[str, str]:
        """Take the first cell that is not empty of every order column; money is never summed."""
        cells = dict(rows[0])
        for row in rows[1:]:
            for name in self._order_columns:
                if row[name] and not cells[name]:
                    cells[name] = row[name]
        if any(row[n] != cells[n] for row in rows for n in self._must_agree if row[n]):
            warnings.append("rows_differ")
        return cells

    def _ordered_at(self, cells: Cells, date1904: bool) -> tuple[datetime, bool]:
        cell = self._ordered(cells).strip() if self._ordered else ""
        if not cell:
            raise BadValue(
                "missing_value",
                "The order has no order date.",
                "注文日時がありません。",
                "ordered_at",
            )
        try:
            found, time_unknown = values.moment(cell, self._zone, date1904=date1904)
        except BadValue as error:
            raise error.at("ordered_at") from error
        if found.year < _FIRST_YEAR:
            raise BadValue(
                "bad_date",
                f"No shop took orders online in {found.year}.",
                f"{found.year}年の注文はありえません。日付を確かめてください。",
                "ordered_at",
            )
        return found, time_unknown

    def _currency_of(self, cells: Cells) -> str:
        code = self._currency(cells).strip().upper() if self._currency else ""
        code = code or self.profile.constants.get("currency", "")
        try:
            exponent(code)
        except BadMoney as error:
            raise BadValue(
                "bad_currency",
                *unknown_currency(code),
                "currency",
            ) from error
        return code

    def _identity_of(self, cells: Cells) -> str:
        """The lasting id of a row that was read without one and mended since."""
        told = self._external(cells) if self._external else ""
        found = values.identifier(told) or self._number_of(cells, "")
        if found:
            return found
        raise BadValue(
            "no_order_number",
            "The row has no order number; often a total or note at the end of the file.",
            "注文番号がありません。ファイルの末尾の合計行や注記かもしれません。",
            "order_number",
        )

    def _number_of(self, cells: Cells, external_id: str) -> str:
        if self._number is None:
            return external_id
        try:
            return values.identifier(self._number(cells)) or external_id
        except BadValue as error:
            raise error.at("order_number") from error

    def _read_moments(
        self, cells: Cells, date1904: bool, warnings: list[str], dropped: set[str]
    ) -> dict[str, datetime | None]:
        found: dict[str, datetime | None] = {}
        for name, get in self._moments:
            cell = get(cells).strip()
            if not cell or cell in self.profile.empty_words:
                found[name] = None
                continue
            try:
                found[name] = values.moment(cell, self._zone, date1904=date1904)[0]
            except BadValue as error:
                if name not in _MUTE:
                    raise error.at(name) from error
                warnings.append(f"bad_{name}")
                dropped.add(name)
        return found

    def _read_rest(
        self,
        cells: Cells,
        found: dict[str, Any],
        warnings: list[str],
        dropped: set[str],
        date1904: bool,
    ) -> None:
        for name, get in self._texts:
            found[name] = values.plain(get(cells)) or None
        for name, get in self._counts:
            cell = get(cells).strip()
            try:
                found[name] = values.count(cell) if cell else None
            except BadValue as error:
                raise error.at(name) from error
        for name, get in self._truths:
            self._read_truth(name, get(cells), found, warnings, dropped)
        if self._method:
            found["payment_method"] = method = self._method(cells).strip() or None
            found["payment_kind"] = self._kind(method)
        if self._delivery:
            found["delivery_date"] = self._delivery_day(cells, warnings, dropped, date1904)

    def _read_truth(
        self, name: str, cell: str, found: dict[str, Any], warnings: list[str], dropped: set[str]
    ) -> None:
        """Read a flag. A word nobody knows never grants consent, and never lifts a hold."""
        if not cell.strip():
            found[name] = None
            return
        try:
            found[name] = values.truth(cell)
        except BadValue:
            warnings.append(f"bad_{name}")
            if name == "marketing_consent":
                dropped.add(name)
            else:
                found[name] = True

    def _kind(self, method: str | None) -> PaymentKind:
        if method is None:
            return PaymentKind.UNKNOWN
        known = self._kinds.get(method)
        if known is None:
            told = values.lookup(self.profile.payment_kinds, method)
            known = PaymentKind(told) if told else payment_kind(method)
            if len(self._kinds) < _MOST_WORDS:
                self._kinds[method] = known
        return known

    def _delivery_day(
        self, cells: Cells, warnings: list[str], dropped: set[str], date1904: bool
    ) -> date | None:
        cell = self._delivery(cells).strip() if self._delivery else ""
        if not cell or cell in self.profile.empty_words:
            return None
        try:
            return values.day(cell, date1904=date1904)
        except BadValue:  # often words: 指定なし, 最短; an order is not refused for them
            if any(sign.isdigit() for sign in cell):
                warnings.append("bad_delivery_date")
                dropped.add("delivery_date")
            return None
