"""Coupons of a WooCommerce shop: each used once, and bound to the buyer's mail address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from connectors.contract import ChannelConfig, NeedsPerson, Pace, Vault
from connectors.kit import waiting
from connectors.kit.coupons import CouponTerms, Made, MadeCoupon, decimal_text
from connectors.woocommerce.client import Client, ShopError
from connectors.woocommerce.settings import talk_settings

_TAKEN = "woocommerce_rest_coupon_code_already_exists"
_REFERENCE = "_okaeri_reference"
"""Meta key that names whose coupon it is: an existing code with ours was made before."""


class WooCommerceCoupons:
    """Makes coupons one by one; the key needs the permission Read/Write."""

    kind = "woocommerce"
    BINDS: ClassVar[Literal["email", "member_id"]] = "email"

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace) -> None:
        self._client = Client(talk_settings(config), vault, pace)

    def make(self, codes: Sequence[str], terms: CouponTerms) -> Made:
        """Post each code; one that exists is ours where it carries our reference."""
        confirmed: list[MadeCoupon] = []
        refused: list[tuple[str, str]] = []
        for code in codes:
            try:
                told = self._client.send("POST", "coupons", _body(code, terms)).data
            except ShopError as error:
                if error.code != _TAKEN:
                    raise _refused(error) from error
                told = self._existing(code, terms.reference)
            if told is None:
                refused.append((code, "taken"))
            else:
                confirmed.append(_made(code, told))
        return Made(tuple(confirmed), tuple(refused))

    def confirm(self, pending: str) -> Made:
        """Nothing is ever pending here."""
        return Made()

    def used(self, made: MadeCoupon) -> bool:
        """Look at the coupon's count of uses."""
        told = self._find(made.code)
        return told is not None and int(told.get("usage_count") or 0) > 0

    def void(self, made: MadeCoupon) -> bool:
        """Not from here: staff put the coupon into the bin."""
        return False

    def _existing(self, code: str, reference: str) -> Mapping[str, Any] | None:
        told = self._find(code)
        entries = told.get("meta_data") if told else None
        for entry in entries if isinstance(entries, list) else []:
            named = isinstance(entry, Mapping) and entry.get("key") == _REFERENCE
            if named and entry.get("value") == reference:
                return told
        return None

    def _find(self, code: str) -> Mapping[str, Any] | None:
        try:
            told = self._client.get("coupons", {"code": code.lower()}).data
        except ShopError as error:
            raise _refused(error) from error
        rows = told if isinstance(told, list) else []
        same = (row for row in rows if isinstance(row, Mapping) and _same(row, code))
        return next(same, None)


def _same(row: Mapping[str, Any], code: str) -> bool:
    return str(row.get("code") or "").lower() == code.lower()


def _made(code: str, told: Any) -> MadeCoupon:
    """Confirmed only where the shop names the very code; it keeps codes in lower case."""
    if not isinstance(told, Mapping) or not told.get("id") or not _same(told, code):
        raise waiting.unreadable("no coupon")
    return MadeCoupon(code, str(told["id"]))


def _body(code: str, terms: CouponTerms) -> dict[str, Any]:
    worth = str(terms.percent) if terms.amount is None else ""
    body: dict[str, Any] = {
        "code": code,
        "discount_type": "percent" if terms.amount is None else "fixed_cart",
        "amount": worth or decimal_text(terms.amount or 0, terms.currency),
        "description": terms.title,
        "date_expires_gmt": _gmt(terms.ends_at),
        "usage_limit": 1,
        "usage_limit_per_user": 1,
        "individual_use": True,
        "meta_data": [{"key": _REFERENCE, "value": terms.reference}],
    }
    if terms.email:
        body["email_restrictions"] = [terms.email]
    if terms.minimum is not None:
        body["minimum_amount"] = decimal_text(terms.minimum, terms.currency)
    return body


def _gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _refused(error: ShopError) -> NeedsPerson:
    return NeedsPerson(
        f"ショップがクーポンを断りました。The shop refused the coupon: {error}.",
        "クーポンが有効か、鍵の権限が読み取り/書き込みかを確かめてください。"
        "Check that coupons are enabled and that the key may write.",
    )
