"""What each page of the settings shows: rungs, senders, rewards, rules, cells, days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.views.names import Badge
from console.views.settings_form import FieldView, Form, Part, sentence
from console.words import Words
from worker.pipeline import settings_tabs as tabs
from worker.pipeline.settings_toml import value_at
from worker.rules.shop import MailRule
from worker.rules.states import MailKind, Sender, Verdict

Fields = Mapping[str, FieldView]


# --- ranks --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rung:
    """One rank: ``conditions`` are sentences, ``people`` how many hold it now and would."""

    place: int
    badge: Badge
    label: FieldView
    label_en: FieldView
    visits: tuple[Part, ...]
    conditions: tuple[tuple[Part, ...], ...]
    averages: tuple[tuple[Part, ...], ...]
    """What else a condition may ask for; shown with it where it does."""
    people: int
    then: int | None
    text: str
    """The rank whose texts it borrows; empty: its own."""


def rungs(
    form: Form, fields: Fields, people: Mapping[str, int], then: Mapping[str, int] | None
) -> tuple[Rung, ...]:
    """The ladder from the top."""
    found = value_at(form.working.data, ("ranks", "rungs"), [])
    return tuple(
        _rung(form, fields, place, rung, len(found), (people, then))
        for place, rung in enumerate(found)
    )


def _rung(
    form: Form,
    fields: Fields,
    place: int,
    rung: Mapping[str, Any],
    many: int,
    counts: tuple[Mapping[str, int], Mapping[str, int] | None],
) -> Rung:
    words, path = form.words, f"ranks.rungs.{place}"
    keyed = [_keyed(fields, f"{path}.any_of.{n}") for n in range(len(rung.get("any_of", ())))]
    conditions = tuple(sentence(words, "settings.condition", each) for each in keyed)
    averages = tuple(sentence(words, "settings.condition_average", each) for each in keyed)
    last = place == many - 1
    people, then = counts
    label = rung["label"] if words.locale == "ja" else rung["label_en"]
    return Rung(
        place=place,
        badge=Badge(rung["id"], label, _look(place, many)),
        label=fields[f"{path}.label"],
        label_en=fields[f"{path}.label_en"],
        visits=() if last else sentence(words, "settings.visits", _keyed(fields, path)),
        conditions=() if last else conditions,
        averages=() if last else averages,
        people=people.get(rung["id"], 0),
        then=None if then is None else then.get(rung["id"], 0),
        text=form.labels.ranks.get(rung.get("text", ""), ""),
    )


def _look(place: int, many: int) -> Any:
    if place == many - 1:
        return "first"
    return "vip" if place == 0 and many > 2 else "repeat"


def _keyed(fields: Fields, path: str) -> dict[str, FieldView]:
    """The fields directly under a path by the end of their name."""
    return {
        name.removeprefix(f"{path}."): view
        for name, view in fields.items()
        if name.startswith(f"{path}.")
    }


@dataclass(frozen=True, slots=True)
class Cell:
    """Who sends a kind at a place; ``field`` None: nothing to choose, ``fixed`` says what is."""

    field: FieldView | None
    fixed: str = ""
    ours: bool = False
    campaign: bool = False
    """The marketplace's own tool sends; Okaeri prepares text and conditions."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of mail across the places."""

    kind: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """``places`` head the columns; ``apart`` are channels that differ from their family."""

    places: tuple[str, ...]
    rows: tuple[Row, ...]
    apart: tuple[tuple[str, str], ...]
    could: tuple[tuple[str, str], ...]


def matrix(form: Form, fields: Fields) -> Matrix:
    """Who sends what."""
    data, shop = form.working.data, form.shop
    own = tabs.own_rows(data, shop)
    places = [("families", family, family) for family in shop.families]
    places += [("channels", name, family) for name, family in own]
    rows = tuple(
        Row(
            form.words(f"kind.{kind}"),
            tuple(_cell(form, fields, kind, *place) for place in places),
        )
        for kind in tabs.KINDS
    )
    apart = tuple((name, form.labels.place(name)) for name, _family in own)
    several = [n for n, _f in shop.channels if n not in dict(own)]
    return Matrix(
        places=tuple(form.labels.place(name) for _group, name, _family in places),
        rows=rows,
        apart=apart,
        could=tuple((name, form.labels.place(name)) for name in several),
    )


def _cell(form: Form, fields: Fields, kind: MailKind, group: str, name: str, family: str) -> Cell:
    field = fields.get(f"senders.{group}.{name}.{kind}")
    senders = value_at(form.working.data, ("senders", group, name), {})
    who = senders.get(kind.value, "" if group == "channels" else Sender.NOBODY.value)
    if field is None:
        fixed = form.words(f"sender.{who or 'nobody'}")
        return Cell(None, fixed)
    verdict = tabs.shipped_policy().cell(family, kind).verdict
    ours = who == Sender.OKAERI
    return Cell(field, ours=ours, campaign=ours and verdict is Verdict.PLATFORM)


# --- milestones ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RewardRow:
    """What one milestone earns."""

    number: str
    label: str
    card: FieldView
    sample: FieldView
    sample_value: FieldView
    coupon_pool: FieldView


@dataclass(frozen=True, slots=True)
class PlanView:
    """The milestones of the shop, or of one scope."""

    title: str
    numbers: FieldView
    every: FieldView
    rewards: tuple[RewardRow, ...]


def milestone_plans(form: Form, fields: Fields) -> tuple[PlanView, ...]:
    """The shop's plan, then those of scopes that differ."""
    data = form.working.data
    scopes = list(value_at(data, ("milestones", "scopes"), {}))
    plans: list[tuple[tuple[str, ...], str, str]] = [
        (("default",), "milestones.default", form.words("settings.every_scope"))
    ]
    plans += [
        (("scopes", scope), f"milestones.scopes.{scope}", form.labels.place(scope))
        for scope in scopes
    ]
    return tuple(
        PlanView(
            title,
            fields[f"{name}.numbers"],
            fields[f"{name}.every"],
            tuple(_reward(form, fields, name, each) for each in tabs.rewarded(data, path)),
        )
        for path, name, title in plans
    )


def _reward(form: Form, fields: Fields, plan: str, number: str) -> RewardRow:
    name = f"{plan}.rewards.{number}"
    every = number == "every"
    label = form.words("settings.after") if every else form.words("settings.nth", number=number)
    keyed = _keyed(fields, name)
    return RewardRow(
        number, label, keyed["card"], keyed["sample"], keyed["sample_value"], keyed["coupon_pool"]
    )


# --- mails --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: when it goes as a sentence, to whom, and what holds it back."""

    place: int
    kind: str
    name: str
    enabled: FieldView
    when: tuple[Part, ...]
    limits: tuple[tuple[Part, ...], ...]
    families: FieldView
    ranks: FieldView
    weekdays: FieldView
    flags: tuple[FieldView, ...]
    coupon_pool: FieldView | None


def mail_rules(form: Form, fields: Fields) -> tuple[RuleRow, ...]:
    """The rules in the order in which they are tried."""
    rules = value_at(form.working.data, ("mails", "rules"), [])
    return tuple(_rule(form, fields, place, rule) for place, rule in enumerate(rules))


def _rule(form: Form, fields: Fields, place: int, rule: Mapping[str, Any]) -> RuleRow:
    keyed = _keyed(fields, f"mails.rules.{place}")
    named = {**keyed, "begin": keyed.get("hours.0"), "end": keyed.get("hours.1")}
    present = {name: view for name, view in named.items() if view is not None}
    trigger = rule.get("trigger", MailRule.trigger)
    exact = "_at" if "at" in keyed else ""
    hours = "" if "begin" in present else "_anytime"
    when = sentence(form.words, f"settings.when_{trigger}{exact or hours}", present)
    limits = [sentence(form.words, "settings.useful", present)]
    if "not_within_days" in present:
        limits.append(sentence(form.words, "settings.orders_between", present))
        limits.append(sentence(form.words, "settings.not_within", present))
    if "give_up_days" in present:
        limits.append(sentence(form.words, "settings.give_up", present))
    if exact and hours == "":
        limits.insert(0, sentence(form.words, "settings.between", present))
    return RuleRow(
        place=place,
        kind=form.words(f"kind.{rule['kind']}"),
        name=_rule_name(form, rule),
        enabled=keyed["enabled"],
        when=when,
        limits=tuple(limits),
        families=keyed["families"],
        ranks=keyed["ranks"],
        weekdays=keyed["weekdays"],
        flags=(keyed["business_days"], keyed["not_before_closed"]),
        coupon_pool=keyed.get("coupon_pool"),
    )


def _rule_name(form: Form, rule: Mapping[str, Any]) -> str:
    name = str(rule.get("name") or rule.get("step") or "")
    if rule.get("step"):
        return form.words("settings.step", step=rule["step"])
    return str(form.labels.ranks.get(name, name))


# --- review and policy --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One rule of how mails pass the desk."""

    place: int
    kinds: FieldView
    ranks: FieldView
    families: FieldView
    mode: FieldView
    sample: tuple[Part, ...]
    timed: tuple[Part, ...]
    chosen: str


def review_rules(form: Form, fields: Fields) -> tuple[ReviewRow, ...]:
    """The rules in the order in which they are tried."""
    rows = []
    for place, rule in enumerate(value_at(form.working.data, ("review", "rules"), [])):
        keyed = _keyed(fields, f"review.rules.{place}")
        rows.append(
            ReviewRow(
                place=place,
                kinds=keyed["kinds"],
                ranks=keyed["ranks"],
                families=keyed["families"],
                mode=keyed["mode"],
                sample=sentence(form.words, "settings.sample_share", keyed),
                timed=sentence(form.words, "settings.timed", keyed),
                chosen=str(rule.get("mode", "review")),
            )
        )
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class PolicyCellView:
    """What may go: two fields, or a lock with the words for what is fixed."""

    verdict: FieldView | None
    as_ad: FieldView | None
    fixed: str
    fixed_ad: str
    source: str
    unsure: bool


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One kind of mail across the families."""

    kind: str
    cells: tuple[PolicyCellView, ...]


def policy_rows(form: Form, fields: Fields) -> tuple[PolicyRow, ...]:
    """Every kind, what the law and the marketplaces allow, and what the shop made stricter."""
    return tuple(
        PolicyRow(
            form.words(f"kind.{kind}"),
            tuple(_policy_cell(form.words, fields, family, kind) for family in form.shop.families),
        )
        for kind in MailKind
    )


def _policy_cell(words: Words, fields: Fields, family: str, kind: MailKind) -> PolicyCellView:
    cell = tabs.shipped_policy().cell(family, kind)
    name = f"policy.cells.{family}.{kind}"
    return PolicyCellView(
        verdict=fields.get(f"{name}.verdict"),
        as_ad=fields.get(f"{name}.as_ad"),
        fixed=words(f"verdict.{cell.verdict}"),
        fixed_ad=words(f"verdict.{cell.as_ad}"),
        source=cell.source,
        unsure=cell.confidence in ("L", "unverified"),
    )


# --- shop ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChannelContact:
    """How one marketplace's shop calls itself."""

    name: str
    label: str
    fields: tuple[FieldView, ...]


def channel_contacts(form: Form, fields: Fields) -> tuple[ChannelContact, ...]:
    """Every shop front on a marketplace, and channels that differ already."""
    return tuple(
        ChannelContact(
            name,
            form.labels.place(name),
            tuple(fields[f"shop.channels.{name}.{key}"] for key in tabs.CHANNEL_CONTACT),
        )
        for name in tabs.marketplaces(form.working.data, form.shop)
    )


def contact_fields(fields: Fields, keys: Sequence[str]) -> tuple[FieldView, ...]:
    """The shop's own contact, field by field."""
    return tuple(fields[f"shop.contact.{key}"] for key in keys)
