"""One sale of Color Me Shop to an Order; pure, and the same as its rows in the shop's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.colorme.amounts import amounts, lines
from connectors.colorme.payments import Kinds, payment_of
from connectors.contract import Buyer, Fulfilment, Life, Order, Payment, RawOrder, Recipient
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped

SPLIT_PART = "split_part"
"""Code of a record that is a part of another sale."""

_NOTHING = frozenset({"0000-00-00"})
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})
_GIFTS = ("noshi_text", "wrapping_name", "card_name", "card_text")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the shop has set for the mapping."""

    kinds: Kinds = field(default_factory=dict)
    shipped_by_update: bool = True


def map_order(raw: RawOrder, reading: Reading | None = None) -> Order:
    """Translate a sale with its ``payment`` method beside. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, reading or Reading()))


def _order(raw: RawOrder, reading: Reading) -> Order:
    told = Fields(raw.payload, empty=_NOTHING)
    number, ordered_at = told.text("id"), told.unix("make_date")
    if number is None or ordered_at is None:
        raise told.missing("id" if number is None else "make_date")
    warnings: list[str] = []
    _not_a_part(told, number, warnings)
    updated_at = told.unix("update_date")
    found = _states(told, warnings)
    if found.get("life") is not Life.CANCELLED:
        found |= amounts(told, warnings) | lines(told)
    found |= _shipping(told, found, updated_at, reading)
    found |= _parcel(told, warnings)
    found |= payment_of(told, reading.kinds, warnings)
    found |= _consent(told.node("customer"), warnings)
    buyer = _buyer(told.node("customer"), warnings)
    recipient = _recipient(told.node("sale_deliveries"))
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    return Order(
        external_id=number,
        number=number,
        ordered_at=ordered_at,
        currency="JPY",
        present=_ALWAYS.union(found, named),
        updated_at=updated_at,
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


def _not_a_part(told: Fields, number: str, warnings: list[str]) -> None:
    """A sale the shop split becomes several records: the customer placed one order."""
    segment = told.node("segment")
    whole = segment.text("parent_sale_id")
    if whole is not None and whole != number:
        raise Unreadable(
            SPLIT_PART,
            "segment.parent_sale_id",
            f"This is a part of sale {whole}, which the shop split: it is no order of its own.",
            f"売上ID {whole} を分割した受注です。一件の注文としては数えません。",
        )
    if segment.flag("splitted"):
        warnings.append("split_order")


# --- states ----------------------------------------------------------------------------------


def _states(told: Fields, warnings: list[str]) -> dict[str, Any]:
    """A cancel tells nothing of money and parcel: the flags then stand as they happened to."""
    canceled = _truth(told, "canceled", warnings)
    if canceled is None:
        return {}
    if canceled:
        return {"life": Life.CANCELLED}
    found: dict[str, Any] = {"life": Life.OPEN}
    paid = _truth(told, "paid", warnings)
    if paid is not None:
        found["payment"] = Payment.PAID if paid else Payment.UNPAID
    fulfilment = _fulfilment(told, warnings)
    if fulfilment is not None:
        found["fulfilment"] = fulfilment
    return found


def _truth(told: Fields, name: str, warnings: list[str]) -> bool | None:
    """A flag of the three that make the state; None and a warning where it is no flag."""
    value = told.tree().get(name)
    if isinstance(value, bool):
        return value
    warnings.append("unknown_status")
    return None


def _fulfilment(told: Fields, warnings: list[str]) -> Fulfilment | None:
    whole = _truth(told, "delivered", warnings)
    parcels = [one.flag("delivered") for one in told.nodes("sale_deliveries")]
    if whole is None:
        return None
    if whole or (parcels and all(parcels)):
        return Fulfilment.SHIPPED
    return Fulfilment.PART if any(parcels) else Fulfilment.UNSHIPPED


def _shipping(
    told: Fields, found: Mapping[str, Any], updated_at: datetime | None, reading: Reading
) -> dict[str, Any]:
    """When the parcel left: no field tells it, the shipping mail or the last change stand in."""
    fulfilment = found.get("fulfilment")
    if fulfilment is not Fulfilment.SHIPPED:
        return {} if fulfilment is None else {"shipped_at": None}
    mailed = told.unix("delivered_mail_sent_date")
    if mailed is None and not reading.shipped_by_update:
        return {}
    return {"shipped_at": mailed or updated_at}


# --- parcel and people -----------------------------------------------------------------------


def _parcel(told: Fields, warnings: list[str]) -> dict[str, Any]:
    parcels = told.nodes("sale_deliveries")
    found: dict[str, Any] = {"buyer_comment": told.text("memo")} if "memo" in told else {}
    if not parcels:
        return found
    slips = (one.text("slip_number") for one in parcels)
    wrappings = (one.text(name) for one in parcels for name in ("noshi_text", "wrapping_name"))
    found |= {
        "tracking_number": next(filter(None, slips), None),
        **parcels[0].wish("preferred_date", warnings),
        "delivery_band": parcels[0].text("preferred_period"),
        "gift_wrap": next(filter(None, wrappings), None),
    }
    if any(name in one for one in parcels for name in _GIFTS):
        found["gift"] = any(one.text(name) for one in parcels for name in _GIFTS)
    return found


def _consent(customer: Fields, warnings: list[str]) -> dict[str, bool]:
    """The shop's own flag; a value nobody knows never grants consent."""
    value = customer.tree().get("receive_mail_magazine")
    if isinstance(value, bool):
        return {"marketing_consent": value}
    if value is not None:
        warnings.append("bad_marketing_consent")
    return {}


def _person(told: Fields, *phones: str) -> dict[str, str | None]:
    places = (told.text(name) for name in ("pref_name", "address1", "address2"))
    numbers = (people.phone(told.text(name)) for name in phones)
    return {
        "name": people.name(told.text("name")),
        "kana": people.kana(told.text("furigana")),
        "phone": next(filter(None, numbers), None),
        "postal_code": told.text("postal"),
        "address": "".join(filter(None, places)) or None,
    }


def _buyer(told: Fields, warnings: list[str]) -> Buyer:
    """Who ordered. A guest's customer id names one purchase, not a person: their mail does."""
    email = people.mail(told.text("mail"))
    if email is None and told.text("mail"):
        warnings.append("bad_email")
    guest = told.tree().get("member") is False
    buyer = Buyer(
        member_id=None if guest else told.text("id"),
        email=email,
        email_is_relay=email is not None and people.is_relay(email),
        birthday=_birthday(told, warnings),
        **_person(told, "tel", "tel_mobile"),
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _birthday(told: Fields, warnings: list[str]) -> date | None:
    try:
        return told.day("birthday")
    except Unreadable:  # an order is not refused for a birthday
        warnings.append("bad_birthday")
        return None


def _recipient(told: Fields) -> Recipient | None:
    found = Recipient(**_person(told, "tel"))
    return None if found == Recipient() else found
