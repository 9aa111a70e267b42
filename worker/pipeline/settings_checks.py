"""What a page's values must be together, beyond what the documents themselves ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from worker.pipeline.settings_fields import FieldWrong
from worker.pipeline.settings_tabs import Data, rank_ids
from worker.pipeline.settings_toml import value_at

Found = tuple[str, FieldWrong]
_ADDRESSES = ("mail", "sender", "reply_to")
_SITES = ("url", "returns_url")


def check_values(tab: str, data: Data) -> list[Found]:
    """(field name, what is wrong) of a page's values; an empty list where all is well."""
    return list(_CHECKS.get(tab, _nothing)(data))


def _nothing(_data: Data) -> Iterator[Found]:
    return iter(())


def _ranks(data: Data) -> Iterator[Found]:
    known = rank_ids(data)
    for document, key in (("mails", "rules"), ("review", "rules")):
        for rule in value_at(data, (document, key), []):
            for rank in rule.get("ranks", ()):
                if rank not in known:
                    yield "", FieldWrong(f"rank_used_{document}", rank=rank)
    for place, rung in enumerate(value_at(data, ("ranks", "rungs"), [])):
        for number, condition in enumerate(rung.get("any_of", ())):
            if not any(condition.get(key) for key in ("orders", "spend", "average")):
                name = f"ranks.rungs.{place}.any_of.{number}.orders"
                yield name, FieldWrong("empty_condition")


def _mails(data: Data) -> Iterator[Found]:
    for place, rule in enumerate(value_at(data, ("mails", "rules"), [])):
        hours = rule.get("hours")
        if hours and not hours[0] < hours[1]:
            yield f"mails.rules.{place}.hours.1", FieldWrong("span")
        elif hours and rule.get("at") and not hours[0] <= rule["at"] <= hours[1]:
            yield f"mails.rules.{place}.at", FieldWrong("outside_hours")
        if rule.get("enabled", True) and not rule.get("families", ("own",)):
            yield f"mails.rules.{place}.families", FieldWrong("pick_one")


def _review(data: Data) -> Iterator[Found]:
    hours = value_at(data, ("review", "business_hours"))
    if hours and not hours[0] < hours[1]:
        yield "review.business_hours.1", FieldWrong("span")


def _calendar(data: Data) -> Iterator[Found]:
    calendar = value_at(data, ("shop", "calendar"), {})
    if len(set(calendar.get("closed_weekdays", ()))) == 7:
        yield "shop.calendar.closed_weekdays", FieldWrong("never_open")
    for place, busy in enumerate(calendar.get("busy", ())):
        if busy["last"] < busy["first"]:
            yield f"shop.calendar.busy.{place}.last", FieldWrong("day_span")


def _shop(data: Data) -> Iterator[Found]:
    shop = value_at(data, ("shop",), {})
    yield from _contact("shop.contact", shop.get("contact", {}))
    for name, values in shop.get("channels", {}).items():
        yield from _contact(f"shop.channels.{name}", values)


def _contact(place: str, values: dict[str, Any]) -> Iterator[Found]:
    for key in _ADDRESSES:
        if values.get(key) and not _is_address(values[key]):
            yield f"{place}.{key}", FieldWrong("address")
    for key in _SITES:
        if values.get(key) and not _is_site(values[key]):
            yield f"{place}.{key}", FieldWrong("site")


def _is_address(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # The shop of the demonstration lives under a name reserved for examples.
        return text.endswith(".example") and text.count("@") == 1
    return True


def _is_site(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


_CHECKS: dict[str, Callable[[Data], Iterator[Found]]] = {
    "ranks": _ranks,
    "mails": _mails,
    "review": _review,
    "calendar": _calendar,
    "shop": _shop,
}
