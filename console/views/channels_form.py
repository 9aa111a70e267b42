"""The forms that add a channel and take its keys anew, made from what its kind tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.contract import Credential, Family
from connectors.kit.live import SINCE
from connectors.registry import connector_class, is_live, kinds
from console.views.channel_words import credential_label, kind_label
from console.words import Words
from worker.browser_login import logs_in
from worker.pipeline.channel_admin import (
    FILES,
    Setup,
    asked_settings,
    credentials_of,
    warnings_of,
)
from worker.store.channels import Channel

_TRIM = 20_000
"""Letters of one entry; a public key is far below."""


@dataclass(frozen=True, slots=True)
class KindOption:
    """A marketplace one can connect."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of the form. ``value`` is filled in again, never a secret."""

    name: str
    label: str
    where: str
    secret: bool
    required: bool
    hint: str
    value: str
    ends: str
    """The name of the entry for its last day; empty where it has none."""
    many_lines: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of one kind."""

    kind: str
    label: str
    family: str
    account: str
    title: str
    live: bool
    login: bool
    warnings: tuple[str, ...]
    settings: tuple[Field, ...]
    keys: tuple[Field, ...]
    since: str


def kind_options(words: Words) -> tuple[KindOption, ...]:
    """Every kind that can be connected: marketplaces, own shops' carts, and files last."""
    named = [KindOption(kind, kind_label(kind, words), _about(kind, words)) for kind in kinds()]
    return tuple(sorted(named, key=lambda option: _rank(option.kind)))


def _rank(kind: str) -> int:
    if kind == FILES:
        return 2
    return int(getattr(connector_class(kind), "family", Family.OWN) == Family.OWN)


def _about(kind: str, words: Words) -> str:
    if not is_live(kind):
        return words("new_channel.about_files")
    return words("new_channel.about_login" if logs_in(kind) else "new_channel.about_keys")


def form_view(
    kind: str, words: Words, given: Mapping[str, str], channel: Channel | None = None
) -> FormView:
    """The form, empty or as it was sent; of a channel that is there, which keys it has.

    Raises NeedsPerson.
    """
    family = getattr(connector_class(kind), "family", None)
    known = channel.secrets if channel else {}
    return FormView(
        kind=kind,
        label=kind_label(kind, words),
        family=Family(family).value if family else given.get("family", Family.OWN.value),
        account=given.get("account", "main"),
        title=given.get("title", ""),
        live=is_live(kind),
        login=logs_in(kind),
        warnings=warnings_of(kind, words.locale),
        settings=tuple(_setting(each, words, given) for each in asked_settings(kind)),
        keys=tuple(_field(each, words, given, each.name in known) for each in credentials_of(kind)),
        since=given.get(SINCE, ""),
    )


def _setting(each: Credential, words: Words, given: Mapping[str, str]) -> Field:
    name = f"set.{each.name}"
    return Field(
        name, credential_label(each, words.locale), _where(each, words), False,
        not each.optional, "", given.get(name, ""), "", False,
    )  # fmt: skip


def _field(each: Credential, words: Words, given: Mapping[str, str], known: bool) -> Field:
    name = f"key.{each.name}"
    free = known or each.optional or each.by_login
    hint = ""
    if known:
        hint = words("keys_page.keeps")
    elif each.by_login:
        hint = words("keys_page.by_login")
    elif each.optional:
        hint = words("keys_page.optional")
    return Field(
        name=name,
        label=credential_label(each, words.locale),
        where=_where(each, words),
        secret=each.secret,
        required=not free,
        hint=hint,
        value="" if each.secret else given.get(name, ""),
        ends=f"ends.{each.name}" if each.lifetime_days and not each.by_login else "",
        many_lines=each.name == "public_key",  # a file of several lines is pasted
    )


def _where(each: Credential, words: Words) -> str:
    return each.where_en if words.locale == "en" else each.where


def entered(kind: str, given: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """The entries of the form as ``Setup`` takes them: settings, secrets, expires.

    Raises ValueError for a date that is none.
    """
    names = [each.name for each in credentials_of(kind)]
    secrets = {name: given.get(f"key.{name}", "").strip()[:_TRIM] for name in names}
    ends = {name: given.get(f"ends.{name}", "").strip() for name in names}
    settings = {
        each.name: given.get(f"set.{each.name}", "").strip() for each in asked_settings(kind)
    }
    if since := given.get(SINCE, "").strip():
        settings[SINCE] = _midnight(since, zone).isoformat()
    return {
        "settings": {name: value for name, value in settings.items() if value},
        "secrets": {name: value for name, value in secrets.items() if value},
        # A key works through its last day.
        "expires": {
            name: _midnight(value, zone) + timedelta(days=1)
            for name, value in ends.items()
            if value
        },
    }


def setup_of(kind: str, given: Mapping[str, str], zone: ZoneInfo) -> Setup:
    """A new channel as the form says. Raises ValueError for a date that is none."""
    family = getattr(connector_class(kind), "family", None) or given.get("family", "own")
    name = f"{Family(family).value}:{given.get('account', '').strip()}"
    return Setup(name, kind, given.get("title", "").strip()[:200], **entered(kind, given, zone))


def _midnight(text: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), zone)
