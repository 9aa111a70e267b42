"""Channels as a file says them: written out without any secret, and taken over again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from worker.pipeline.channel_admin import Setup, credentials_of, set_up
from worker.pipeline.channel_names import activate
from worker.pipeline.channel_vault import Keyring
from worker.pipeline.context import Context
from worker.pipeline.reach import OWN_SETTINGS
from worker.rules.states import MailKind
from worker.store.channels import Channel, ChannelKind

_KEYS = frozenset(
    ["kind", "title", "locale", "settings", "history_complete_since", "active_from", "credentials"]
)


@dataclass(frozen=True)
class Change:
    """What taking a declared channel over changes; ``fields`` are names, never values."""

    channel: str
    made: bool
    fields: tuple[str, ...]
    opens_earlier: tuple[str, ...] = ()
    """Mail kinds that would look further back than they do (P8)."""


def declared(session: Session) -> dict[str, dict[str, Any]]:
    """Every channel by name, as ``apply`` takes it; credentials by name alone."""
    active: dict[int, dict[str, datetime]] = {}
    for row in session.scalars(sa.select(ChannelKind)):
        active.setdefault(row.channel_id, {})[row.kind.value] = row.active_from
    channels = session.scalars(sa.select(Channel).order_by(Channel.name))
    return {each.name: _declared(each, active.get(each.id, {})) for each in channels}


def _declared(channel: Channel, active_from: Mapping[str, datetime]) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": channel.kind, "title": channel.title, "locale": channel.locale}
    if channel.history_complete_since is not None:
        told["history_complete_since"] = channel.history_complete_since
    told["settings"] = {k: v for k, v in channel.settings.items() if k not in OWN_SETTINGS}
    told["active_from"] = dict(sorted(active_from.items()))
    told["credentials"] = dict.fromkeys(_entered(channel), "")
    return told


def _entered(channel: Channel) -> list[str]:
    """Names of the credentials a shop enters; tokens that a connector fetched are its own."""
    try:
        asked = {each.name for each in credentials_of(channel.kind)}
    except NeedsPerson:  # a kind that is not installed here: all it has is told
        return sorted(channel.secrets)
    return sorted(channel.secrets.keys() & asked)


def problems_of(channels: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file, each with the place; empty where it can be taken over."""
    found = []
    for name, told in channels.items():
        if not isinstance(told, dict):
            found.append(f"channels.{name}: a table is expected")
            continue
        found += [f"channels.{name}.{key}: unknown" for key in sorted(told.keys() - _KEYS)]
        if not isinstance(told.get("kind"), str):
            found.append(f"channels.{name}.kind: is missing")
            continue
        found += _problems_inside(name, told)
    return found


def _problems_inside(name: str, told: Mapping[str, Any]) -> list[str]:
    found = []
    kinds = {kind.value for kind in MailKind}
    for kind, moment in dict(told.get("active_from", {})).items():
        if kind not in kinds:
            found.append(f"channels.{name}.active_from.{kind}: unknown mail kind")
        elif not isinstance(moment, datetime) or moment.tzinfo is None:
            found.append(f"channels.{name}.active_from.{kind}: write 2026-11-01T00:00:00+09:00")
    since = told.get("history_complete_since")
    if since is not None and (not isinstance(since, date) or isinstance(since, datetime)):
        found.append(f"channels.{name}.history_complete_since: write 2026-11-01")
    try:
        known = {each.name for each in credentials_of(str(told["kind"]))}
    except NeedsPerson as problem:
        return [*found, f"channels.{name}.kind: {problem.problem}"]
    unknown = dict(told.get("credentials", {})).keys() - known
    return [*found, *(f"channels.{name}.credentials.{key}: unknown" for key in sorted(unknown))]


def changes(session: Session, channels: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """What ``apply`` would change, channel by channel; those that stay as they are are left out."""
    now = declared(session)
    found = [_change(name, told, now.get(name)) for name, told in channels.items()]
    return [change for change in found if change.made or change.fields]


def _change(name: str, told: Mapping[str, Any], stands: Mapping[str, Any] | None) -> Change:
    if stands is None:
        return Change(name, made=True, fields=tuple(sorted(told)))
    given = {key: value for key, value in told.items() if key != "credentials"}
    fields = [key for key, value in given.items() if value != stands.get(key)]
    entered = [key for key, source in dict(told.get("credentials", {})).items() if source]
    before = stands["active_from"]
    earlier = [
        kind
        for kind, moment in dict(told.get("active_from", {})).items()
        if kind in before and moment < before[kind]
    ]
    named = (*sorted(fields), *(f"credentials.{key}" for key in sorted(entered)))
    return Change(name, made=False, fields=named, opens_earlier=tuple(sorted(earlier)))


def apply(
    session: Session,
    ctx: Context,
    keyring: Keyring,
    channels: Mapping[str, Mapping[str, Any]],
    secrets: Mapping[str, Mapping[str, str]],
    by: str,
    now: datetime,
) -> list[Change]:
    """Make the channels be as the file says; channels it does not name stay as they are.

    ``secrets``: clear credentials by channel. Settings are replaced as a whole, credentials
    one by one. Raises NeedsPerson for a name that does not fit its kind.
    """
    found = changes(session, channels)
    for change in found:
        told = channels[change.channel]
        entered = secrets.get(change.channel, {})
        setup = Setup(
            change.channel, told["kind"], told.get("title", ""), told.get("locale", ""), {}, entered
        )
        channel = set_up(session, ctx, keyring, setup, by, now, resumes=bool(entered))
        if "settings" in told:
            kept = {k: v for k, v in channel.settings.items() if k in OWN_SETTINGS}
            channel.settings = {**told["settings"], **kept}
        if "history_complete_since" in told:
            channel.history_complete_since = told["history_complete_since"]
        _activate(session, channel, told.get("active_from", {}), by)
    return found


def _activate(
    session: Session, channel: Channel, active_from: Mapping[str, datetime], by: str
) -> None:
    for name, moment in active_from.items():
        activate(session, channel, moment, by, [MailKind(name)])
