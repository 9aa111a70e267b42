"""Buyer and recipient from their cells: kept apart, kept as written, never guessed."""

from __future__ import annotations

from datetime import date

from connectors.contract import Buyer, Recipient
from connectors.csv_file import values
from connectors.csv_file.columns import Cells, Layout
from connectors.csv_file.fields import BUYER, RECIPIENT
from connectors.csv_file.values import BadValue
from connectors.kit.people import is_relay

_RENAMED = {"customer_id": "member_id"}


class People:
    """Reads both people of an order; ``present`` names what the header can speak of."""

    def __init__(self, layout: Layout, *, japanese: bool) -> None:
        self._japanese = japanese
        known = layout.profile.customer
        self._masked = layout.profile.masked_mail
        self._get = {
            field: getter
            for field in BUYER | RECIPIENT
            if known and (getter := layout.getter(field)) is not None
        }
        self._names_told = bool(self._get.keys() & {"family_name", "given_name"})
        self._recipient = [field for field in self._get if field in RECIPIENT]
        self.present = frozenset(self._named())

    def _named(self) -> set[str]:
        buyer = {field for field in self._get if field in BUYER}
        if buyer & {"name", "family_name"}:
            buyer |= {"name", "family_name", "given_name"}
        if "email" in buyer:
            buyer.add("email_is_relay")
        named = {f"buyer.{_RENAMED.get(field, field)}" for field in buyer}
        return named | {"recipient." + f.removeprefix("recipient_") for f in self._recipient}

    def read(
        self, cells: Cells, warnings: list[str], *, date1904: bool
    ) -> tuple[Buyer, Recipient | None, frozenset[str]]:
        """Give buyer, recipient (None where the row names none), and fields not readable."""
        unread: set[str] = set()
        name, family, given = self._names(cells)
        mail = self._mail(cells, warnings, unread)
        member = self._cell(cells, "customer_id")
        buyer = Buyer(
            member_id=_member(member),
            email=mail,
            email_is_relay=mail is not None and (self._masked or is_relay(mail)),
            name=name,
            family_name=family,
            given_name=given,
            kana=values.kana(cell) or None if (cell := self._cell(cells, "kana")) else None,
            phone=self._phone(cells, "phone", warnings),
            postal_code=self._postal(cells, "postal_code", warnings),
            address=values.plain(self._cell(cells, "address")) or None,
            birthday=self._birthday(cells, warnings, unread, date1904),
            locale=self._cell(cells, "locale") or None,
        )
        recipient = self._read_recipient(cells, warnings) if self._recipient else None
        return buyer, recipient, frozenset(unread)

    def _cell(self, cells: Cells, field: str) -> str:
        get = self._get.get(field)
        return get(cells) if get else ""

    def _names(self, cells: Cells) -> tuple[str | None, str | None, str | None]:
        name = values.name(self._cell(cells, "name"))
        if self._names_told:
            family = values.name(self._cell(cells, "family_name")) or None
            given = values.name(self._cell(cells, "given_name")) or None
            if family or given:
                return name or " ".join(filter(None, (family, given))), family, given
        parts = name.split(" ")
        if len(parts) == 2:
            return name, parts[0], parts[1]
        return name or None, None, None

    def _mail(self, cells: Cells, warnings: list[str], unread: set[str]) -> str | None:
        cell = self._cell(cells, "email")
        if not cell or cell.isspace():
            return None
        found = values.mail(cell)
        if found is None:
            warnings.append("bad_email")
            unread |= {"buyer.email", "buyer.email_is_relay"}
        return found

    def _phone(self, cells: Cells, field: str, warnings: list[str]) -> str | None:
        cell = self._cell(cells, field)
        if not cell:
            return None
        try:
            found, padded = values.phone(cell, japanese=self._japanese)
        except BadValue as error:
            raise error.at(field) from error
        if padded:
            warnings.append("phone_padded")
        return found or None

    def _postal(self, cells: Cells, field: str, warnings: list[str]) -> str | None:
        cell = self._cell(cells, field)
        if not cell:
            return None
        found, padded = values.postal_code(cell, japanese=self._japanese)
        if padded:
            warnings.append("postal_code_padded")
        return found or None

    def _birthday(
        self, cells: Cells, warnings: list[str], unread: set[str], date1904: bool
    ) -> date | None:
        cell = self._cell(cells, "birthday").strip()
        if not cell:
            return None
        try:
            return values.day(cell, date1904=date1904)
        except BadValue:  # an order is not refused for a birthday: it is warned and left out
            warnings.append("bad_birthday")
            unread.add("buyer.birthday")
            return None

    def _read_recipient(self, cells: Cells, warnings: list[str]) -> Recipient | None:
        kana = self._cell(cells, "recipient_kana")
        found = Recipient(
            name=values.name(self._cell(cells, "recipient_name")) or None,
            kana=values.kana(kana) or None if kana else None,
            phone=self._phone(cells, "recipient_phone", warnings),
            postal_code=self._postal(cells, "recipient_postal_code", warnings),
            address=values.plain(self._cell(cells, "recipient_address")) or None,
        )
        return None if found == Recipient() else found


def _member(cell: str) -> str | None:
    """Read a member number; 0 is how shops write a guest, and guests are not one person."""
    found = values.identifier(cell) if cell else ""
    return None if found in {"", "0"} else found
