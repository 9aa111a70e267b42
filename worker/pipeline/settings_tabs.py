"""Which fields each page of the settings holds, for the documents as they stand in the hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from worker.documents import documents_from
from worker.pipeline.settings_fields import Field, Kind
from worker.pipeline.settings_toml import Path, value_at
from worker.rules.live_coupons import LiveCoupon
from worker.rules.shop import MailRule, Policy
from worker.rules.states import MailKind, ReviewMode, Sender, Verdict

Data = Mapping[str, Mapping[str, Any]]
"""Values of the documents by short name."""

FAMILIES = ("own", "rakuten", "yahoo", "amazon", "aupay", "qoo10")
KINDS = tuple(kind for kind in MailKind if kind is not MailKind.PERSONAL)
"""What rules and the sender matrix speak of; a personal mail is always ours."""
STRICTNESS = tuple(Verdict)
CONTACT = (
    "shop_name", "legal_name", "postal_address", "mail", "phone", "hours", "url", "returns_url",
    "sender", "reply_to", "staff_name", "staff_role", "staff_role_en",
)  # fmt: skip
CHANNEL_CONTACT = ("shop_name", "sender", "reply_to", "staff_name", "phone", "hours")
_DAYS_OF_WEEK = tuple(range(7))
_YEAR_OF_HOURS = 8760


@dataclass(frozen=True)
class Shop:
    """What of the store decides which fields there are."""

    channels: tuple[tuple[str, str], ...] = ()
    """(name, family)."""

    @property
    def families(self) -> tuple[str, ...]:
        """Families there are channels of; before any is connected, all."""
        present = {family for _name, family in self.channels}
        return tuple(family for family in FAMILIES if family in present) or FAMILIES

    def names(self, *families: str) -> tuple[str, ...]:
        """Channels of these families; of all where none is named."""
        return tuple(n for n, family in self.channels if not families or family in families)


@cache
def shipped_policy() -> Policy:
    """The policy as it ships: what a shop may only make stricter."""
    return documents_from({}).policy


def fields_of(tab: str, data: Data, shop: Shop) -> dict[str, Field]:
    """The fields of a page by name."""
    return {field.name: field for field in _TABS[tab](data, shop)}


def documents_of(tab: str) -> tuple[str, ...]:
    """Short names of the documents that a page edits."""
    return _DOCUMENTS[tab]


def _number(document: str, *path: str | int, default: int | None = 0, **rest: Any) -> Field:
    return Field(document, path, Kind.NUMBER, default, **rest)


def _flag(document: str, *path: str | int, default: bool) -> Field:
    return Field(document, path, Kind.FLAG, default)


def _clock(document: str, *path: str | int, required: bool = True) -> Field:
    return Field(document, path, Kind.CLOCK, None, required=required)


def _picks(document: str, *path: str | int, choices: Sequence[Any]) -> Field:
    return Field(document, path, Kind.PICKS, [], choices=tuple(choices))


# --- ranks and senders ------------------------------------------------------------------------


def _ranks(data: Data, shop: Shop) -> Iterator[Field]:
    rungs = value_at(data, ("ranks", "rungs"), [])
    for place, rung in enumerate(rungs):
        yield Field("ranks", ("rungs", place, "label"), required=True)
        yield Field("ranks", ("rungs", place, "label_en"), required=True)
        if place < len(rungs) - 1:
            yield _number("ranks", "rungs", place, "min_visit", default=1, least=1, most=999)
            for number in range(len(rung.get("any_of", ()))):
                yield from _condition(("rungs", place, "any_of", number))
    yield _number("ranks", "demotion", "judging_day", default=1, least=1, most=31)
    yield _number("ranks", "demotion", "steps", default=1, least=1, most=9)
    yield _number("ranks", "demotion", "grace_days", default=30, most=365)
    yield from _senders(data, shop)


def _condition(path: Path) -> Iterator[Field]:
    for key, most in (("orders", 9999), ("spend", 100_000_000), ("average", 100_000_000)):
        yield _number("ranks", *path, key, default=None, least=1, most=most)
    yield _number("ranks", *path, "months", default=None, least=1, most=120)


def _senders(data: Data, shop: Shop) -> Iterator[Field]:
    for kind in KINDS:
        for family in shop.families:
            if is_open(family, kind):
                yield _sender(("families", family, kind), family)
        for name, family in own_rows(data, shop):
            if is_open(family, kind):
                yield _sender(("channels", name, kind), family, inherits=True)


def _sender(path: Path, family: str, *, inherits: bool = False) -> Field:
    default = "" if inherits else Sender.NOBODY.value
    choices = tuple(sender.value for sender in senders_in(family))
    if inherits:
        choices = ("", *choices)
    return Field("senders", path, Kind.CHOICE, default, choices=choices)


def senders_in(family: str) -> tuple[Sender, ...]:
    """Who can send on a family: a marketplace has no cart, an own shop no marketplace."""
    other = Sender.CART if family == "own" else Sender.MALL
    return (other, Sender.HUB, Sender.OKAERI, Sender.NOBODY)


def is_open(family: str, kind: MailKind) -> bool:
    """Whether there is anything to choose: where the rules forbid the mail, there is not."""
    return shipped_policy().cell(family, kind).verdict is not Verdict.FORBID


def own_rows(data: Data, shop: Shop) -> list[tuple[str, str]]:
    """(name, family) of channels that differ from their family, as the document has them."""
    families = dict(shop.channels)
    named = value_at(data, ("senders", "channels"), {})
    return [(name, families.get(name, name.partition(":")[0])) for name in named]


# --- milestones ---------------------------------------------------------------------------------


def _milestones(data: Data, shop: Shop) -> Iterator[Field]:
    own = ("", *shop.names("own"))
    chosen = value_at(data, ("milestones", "customer_channel"), "")
    if chosen not in own:
        own = (*own, chosen)
    yield Field("milestones", ("customer_channel",), Kind.CHOICE, "", choices=own)
    yield from _milestone_plan(data, ("default",))
    for scope in value_at(data, ("milestones", "scopes"), {}):
        yield from _milestone_plan(data, ("scopes", scope))


def _milestone_plan(data: Data, path: Path) -> Iterator[Field]:
    yield Field("milestones", (*path, "numbers"), Kind.NUMBERS, [5, 10], least=2, most=9999)
    yield _number("milestones", *path, "every", default=10, most=999)
    for number in rewarded(data, path):
        where = (*path, "rewards", number)
        yield _flag("milestones", *where, "card", default=True)
        yield Field("milestones", (*where, "sample"))
        yield _number("milestones", *where, "sample_value", most=1_000_000)
        yield Field("milestones", (*where, "coupon_pool"))


def rewarded(data: Data, path: Path) -> list[str]:
    """The milestones of a plan that may have a reward: its numbers and what comes after them."""
    plan = value_at(data, ("milestones", *path), {})
    numbers = [str(number) for number in plan.get("numbers", (5, 10))]
    more = ["every"] if plan.get("every", 10) else []
    also = [name for name in plan.get("rewards", {}) if name not in (*numbers, *more)]
    return [*numbers, *more, *also]


def live_pools(data: Data) -> dict[str, LiveCoupon]:
    """Pools whose codes the shop's cart makes, by name."""
    found = value_at(data, ("milestones", "coupons"), {})
    return {name: LiveCoupon(**values) for name, values in found.items()}


# --- mails --------------------------------------------------------------------------------------

_COUNTED = {
    "delay_minutes": _YEAR_OF_HOURS * 60,
    "delay_days": 365,
    "useful_hours": _YEAR_OF_HOURS,
    "not_within_days": 3650,
    "max_order": 9999,
    "dormant_days": 3650,
    "give_up_days": 3650,
}
"""Numbers of a mail rule, with the most they may be."""


def _mails(data: Data, shop: Shop) -> Iterator[Field]:
    for key, default in (("ads_days", 14), ("ads_days_around_order_mail", 3)):
        yield _number("mails", "caps", key, default=default, most=365)
    yield _number("mails", "caps", "same_text_days", default=180, most=3650)
    for place, rule in enumerate(value_at(data, ("mails", "rules"), [])):
        yield from _mail_rule(data, shop, place, rule)


def _mail_rule(data: Data, shop: Shop, place: int, rule: Mapping[str, Any]) -> Iterator[Field]:
    path = ("rules", place)
    yield _flag("mails", *path, "enabled", default=True)
    families = tuple(dict.fromkeys((*shop.families, *rule.get("families", ("own",)))))
    yield _picks("mails", *path, "families", choices=families)
    yield _picks("mails", *path, "ranks", choices=rank_ids(data))
    for key in rule_numbers(rule):
        default = 48 if key == "useful_hours" else 0
        yield _number("mails", *path, key, default=default, most=_COUNTED[key])
    yield _number("mails", *path, "min_order", default=1, least=1, most=9999)
    if rule.get("at") is not None:
        yield _clock("mails", *path, "at")
    if rule.get("hours") is not None:
        yield _clock("mails", *path, "hours", 0)
        yield _clock("mails", *path, "hours", 1)
    yield _flag("mails", *path, "business_days", default=False)
    yield _flag("mails", *path, "not_before_closed", default=False)
    yield _picks("mails", *path, "weekdays", choices=_DAYS_OF_WEEK)
    if rule.get("kind") == MailKind.WIN_BACK:
        yield Field("mails", (*path, "dormant_factor"), Kind.DECIMAL, 0, most=20)
        yield Field("mails", (*path, "coupon_pool"))


def rule_numbers(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """The numbers that a rule of this trigger is made of."""
    trigger = rule.get("trigger", MailRule.trigger)
    if trigger == "last_order":
        return ("dormant_days", "give_up_days", "useful_hours")
    if trigger == "step_sent":
        return ("delay_days", "give_up_days", "useful_hours")
    delay = "delay_minutes" if trigger == "ordered" else "delay_days"
    return (delay, "useful_hours", "not_within_days", "max_order")


def rank_ids(data: Data) -> tuple[str, ...]:
    """The ranks of the ladder in the hand, from the top."""
    return tuple(str(rung.get("id", "")) for rung in value_at(data, ("ranks", "rungs"), []))


# --- review -------------------------------------------------------------------------------------


def _review(data: Data, shop: Shop) -> Iterator[Field]:
    yield _number("review", "undo_seconds", default=300, most=86_400)
    yield _number("review", "trust_after", default=30, least=5, most=10_000)
    yield _number("review", "canary", default=3, least=1, most=1000)
    yield _flag("review", "four_eyes", default=False)
    for end in (0, 1):
        if value_at(data, ("review", "business_hours")) is not None:
            yield _clock("review", "business_hours", end)
    for place, rule in enumerate(value_at(data, ("review", "rules"), [])):
        path = ("rules", place)
        yield _picks("review", *path, "kinds", choices=[kind.value for kind in MailKind])
        yield _picks("review", *path, "ranks", choices=rank_ids(data))
        families = tuple(dict.fromkeys((*shop.families, *rule.get("families", ()))))
        yield _picks("review", *path, "families", choices=families)
        modes = tuple(mode.value for mode in ReviewMode)
        yield Field("review", (*path, "mode"), Kind.CHOICE, "review", choices=modes)
        yield _number("review", *path, "sample_percent", default=10, least=1, most=100)
        yield _number("review", *path, "timed_business_hours", default=4, least=1, most=200)


# --- policy -------------------------------------------------------------------------------------


def _policy(_data: Data, shop: Shop) -> Iterator[Field]:
    for family in shop.families:
        for kind in MailKind:
            cell = shipped_policy().cell(family, kind)
            for key, present in (("verdict", cell.verdict), ("as_ad", cell.as_ad)):
                choices = tighter(present)
                if len(choices) > 1:
                    path = ("cells", family, kind.value, key)
                    yield Field("policy", path, Kind.CHOICE, present.value, choices=choices)
        shipped = shipped_policy().forbidden_words.get(family, ())
        words = ("forbidden_words", family)
        yield Field("policy", words, Kind.WORDS, [], besides=tuple(shipped))


def tighter(verdict: Verdict) -> tuple[str, ...]:
    """The verdict and every stricter one."""
    return tuple(each.value for each in STRICTNESS[STRICTNESS.index(verdict) :])


# --- calendar and shop --------------------------------------------------------------------------


def _calendar(data: Data, _shop: Shop) -> Iterator[Field]:
    yield _picks("shop", "calendar", "closed_weekdays", choices=_DAYS_OF_WEEK)
    yield Field("shop", ("calendar", "closed_days"), Kind.DAYS, [])
    yield _flag("shop", "calendar", "holidays", default=True)
    for key, default in (("ship_within_business_days", 2), ("transit_days", 2)):
        yield _number("shop", "calendar", key, default=default, most=60)
    yield _number("shop", "calendar", "transit_days_far", default=4, most=60)
    far = ["北海道", "沖縄県"]
    yield Field("shop", ("calendar", "far_prefectures"), Kind.WORDS, far)
    for place in range(len(value_at(data, ("shop", "calendar", "busy"), []))):
        path = ("calendar", "busy", place)
        yield Field("shop", (*path, "first"), Kind.DAY, None, required=True)
        yield Field("shop", (*path, "last"), Kind.DAY, None, required=True)
        yield Field("shop", (*path, "line"), required=True)
        yield Field("shop", (*path, "line_en"))


def _shop(data: Data, shop: Shop) -> Iterator[Field]:
    yield Field("shop", ("name",), required=True)
    yield Field("shop", ("zone",), default="Asia/Tokyo", required=True)
    yield Field("shop", ("locale",), Kind.CHOICE, "ja", choices=("ja", "en"))
    yield _flag("shop", "say_number", default=True)
    yield _flag("shop", "acceptance_wording", default=False)
    yield _flag("shop", "incidental_ads", default=False)
    yield Field("shop", ("season_line",))
    yield Field("shop", ("median_factor",), Kind.DECIMAL, 5, least=1, most=1000)
    for key in CONTACT:
        default = {"staff_role": "店長", "staff_role_en": "Manager"}.get(key, "")
        yield Field("shop", ("contact", key), default=default)
    for name in marketplaces(data, shop):
        for key in CHANNEL_CONTACT:
            yield Field("shop", ("channels", name, key))
    relays = tuple(dict.fromkeys((*shop.names("rakuten", "aupay"), *_relays(data))))
    if relays:
        yield _picks("shop", "relays", choices=relays)


def _relays(data: Data) -> Sequence[str]:
    found: Sequence[str] = value_at(data, ("shop", "relays"), ())
    return found


def marketplaces(data: Data, shop: Shop) -> tuple[str, ...]:
    """Channels with a name and sender of their own: those of marketplaces, and what is written."""
    present = tuple(n for n, family in shop.channels if family not in ("own", "amazon"))
    return tuple(dict.fromkeys((*present, *value_at(data, ("shop", "channels"), {}))))


_TABS: dict[str, Callable[[Data, Shop], Iterator[Field]]] = {
    "ranks": _ranks,
    "milestones": _milestones,
    "mails": _mails,
    "review": _review,
    "policy": _policy,
    "calendar": _calendar,
    "shop": _shop,
}
_DOCUMENTS = {
    "ranks": ("ranks", "senders"),
    "milestones": ("milestones",),
    "mails": ("mails",),
    "review": ("review",),
    "policy": ("policy",),
    "calendar": ("shop",),
    "shop": ("shop",),
}
TABS = tuple(_TABS)
"""The pages in the order of the menu."""
