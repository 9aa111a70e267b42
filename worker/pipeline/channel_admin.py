"""What a person does with a channel: set it up, enter credentials, pause it, poll it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from connectors.contract import Credential, Family, NeedsPerson
from connectors.kit.live import SETTINGS
from connectors.registry import connector_class, is_live, kinds
from worker.pipeline.channel_names import family_of, find_channel
from worker.pipeline.channel_vault import Keyring, enter
from worker.pipeline.context import Context
from worker.pipeline.pull import channel_named
from worker.pipeline.reach import close_reach
from worker.store.channels import Channel
from worker.store.running import Audit

FILES = "csv_file"
"""The kind that every channel may begin as: its orders come from files."""


@dataclass(frozen=True)
class Setup:
    """A channel as a person sets it up. ``secrets`` are clear and never leave this object."""

    name: str
    kind: str
    title: str = ""
    locale: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    expires: Mapping[str, datetime] = field(default_factory=dict)


def credentials_of(kind: str) -> tuple[Credential, ...]:
    """What a kind needs to be told. Raises NeedsPerson for an unknown kind."""
    return tuple(getattr(connector_class(kind), "CREDENTIALS", ()))


def asked_settings(kind: str) -> tuple[Credential, ...]:
    """What a kind needs to be told that is no secret: it goes into the settings."""
    return tuple(getattr(connector_class(kind), SETTINGS, ()))


def warnings_of(kind: str, locale: str = "ja") -> tuple[str, ...]:
    """What a shop must know before it sets this kind up."""
    return tuple(
        getattr(connector_class(kind), "WARNINGS_EN" if locale == "en" else "WARNINGS", ())
    )


def family_for(name: str, kind: str) -> Family:
    """The family of a new channel: what its name says. Raises NeedsPerson where the kind differs.

    Policy and texts follow the family, so a marketplace under a name of one's own shop would
    be mailed as if it were one.
    """
    if kind not in kinds():
        connector_class(kind)  # raises with the kinds there are
    family = family_of(name)
    own = getattr(connector_class(kind), "family", None)
    if own is not None and Family(own) is not family:
        raise NeedsPerson(
            f"「{kind}」のチャネル名は「{Family(own)}:」で始まります。"
            f"A channel of kind {kind!r} is named {Family(own)}:something.",
            f"例: {Family(own)}:{name.partition(':')[2] or 'main'}",
        )
    return family


def set_up(
    session: Session,
    ctx: Context,
    keyring: Keyring,
    setup: Setup,
    by: str,
    now: datetime,
    *,
    resumes: bool = True,
) -> Channel:
    """Make a channel, or change one of the same kind; a channel of files may become live.

    Entered credentials replace those of the same name, and a paused channel is polled again
    unless told otherwise. Raises NeedsPerson where the name
    does not fit or belongs to another marketplace.
    """
    family = family_for(setup.name, setup.kind)
    channel = find_channel(session, setup.name)
    if channel is None:
        channel = Channel(name=setup.name, kind=setup.kind, family=family.value, created_at=now)
        channel.settings, channel.secrets = {}, {}
        session.add(channel)
        session.flush()
    # Locked, or a token that is being renewed just now would be written over with the old one.
    session.refresh(channel, with_for_update=True)
    _change_kind(channel, setup.kind)
    channel.title = setup.title or channel.title or ""
    channel.locale = setup.locale or channel.locale or ctx.documents.shop.locale
    channel.settings = {**channel.settings, **setup.settings}
    enter(channel, keyring, setup.secrets, now, _ends(setup, now))
    if is_live(setup.kind):
        close_reach(session, channel, now.astimezone(ctx.zone).date())
    if resumes:
        resume(session, setup.name, by, now, audit=False)
    note(session, "channel_set_up", channel, by, now, kind=setup.kind, entered=[*setup.secrets])
    return channel


def _change_kind(channel: Channel, kind: str) -> None:
    if channel.kind == kind:
        return
    if FILES not in (channel.kind, kind):
        raise NeedsPerson(
            f"「{channel.name}」はすでに {channel.kind} です。"
            f"{channel.name} is of kind {channel.kind} already.",
            "別の名前で追加してください。Add it under another name.",
        )
    channel.kind = kind


def _ends(setup: Setup, now: datetime) -> dict[str, datetime | None]:
    ends: dict[str, datetime | None] = {
        each.name: now + timedelta(days=each.lifetime_days) if each.lifetime_days else None
        for each in credentials_of(setup.kind)
    }
    return ends | dict(setup.expires)


def missing_credentials(channel: Channel) -> tuple[Credential, ...]:
    """What the channel still needs to be told before it can talk."""
    return tuple(
        each
        for each in credentials_of(channel.kind)
        if not each.optional and each.name not in channel.secrets
    )


def awaiting_login(channel: Channel) -> bool:
    """Whether what is missing is brought by a login in the browser."""
    return any(each.by_login for each in missing_credentials(channel))


def pause(session: Session, name: str, reason: str, by: str, now: datetime) -> None:
    """Poll the channel no more until it is resumed. Raises LookupError."""
    channel = channel_named(session, name)
    channel.paused, channel.pause_reason = True, reason or f"{by} が止めました / paused by {by}"
    note(session, "channel_pause", channel, by, now, reason=reason)


def resume(session: Session, name: str, by: str, now: datetime, *, audit: bool = True) -> None:
    """Poll the channel again, at once. Raises LookupError."""
    channel = channel_named(session, name)
    channel.paused, channel.pause_reason, channel.next_poll_at = False, "", None
    channel.last_error = ""
    if audit:
        note(session, "channel_resume", channel, by, now)


def pull_soon(session: Session, name: str, by: str, now: datetime) -> None:
    """Have a channel polled at the next sweep, even where we would have waited on our own.

    What the source itself asked for is kept by the pace. Raises LookupError.
    """
    channel = channel_named(session, name)
    channel.next_poll_at = now
    note(session, "channel_pull", channel, by, now)


def note(
    session: Session, action: str, channel: Channel, by: str, now: datetime, **detail: object
) -> None:
    """Write down who did what with a channel; ``detail`` never holds a secret."""
    subject = f"channel:{channel.name}"[:200]
    session.add(Audit(at=now, by=by[:80], action=action, subject=subject, detail=detail))
