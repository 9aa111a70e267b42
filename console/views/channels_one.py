"""One channel: how it is and what to do, how far it is read, its keys and its past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from connectors.contract import Credential
from connectors.registry import is_live, kinds
from console import formats
from console.views.channel_words import (
    Standing,
    ago,
    channel_kind,
    credential_label,
    ending_look,
    ending_words,
    in_language,
    instant_of,
    known_credentials,
    lasting,
    missing_of,
    standing_of,
    stream_label,
)
from console.visit import NoSuchPlace
from console.words import Words
from worker.browser_login import logs_in
from worker.pipeline.backfill_wish import backfill_standing, wish_of
from worker.pipeline.channel_names import find_channel
from worker.pipeline.channel_vault import expiries
from worker.pipeline.context import Context
from worker.rules.states import QuarantineState
from worker.store.channels import Channel, StreamState
from worker.store.orders import Import, Quarantine


@dataclass(frozen=True, slots=True)
class StreamLine:
    """How far one stream is read."""

    label: str
    reached: str
    last: str
    failures: int
    in_hand: bool
    """A page is being read on from."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One credential: never its value."""

    label: str
    state: str
    look: str
    entered: str


@dataclass(frozen=True, slots=True)
class PastView:
    """The reading of the past."""

    wanted: bool
    span: str
    percent: int | None
    told: str
    problem: str


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One file that was taken in here."""

    name: str
    when: str
    state: str
    look: str
    told: str


@dataclass(frozen=True, slots=True)
class ChannelView:
    """Everything the page prints."""

    name: str
    title: str
    kind: str
    live: bool
    login: bool
    needs_login: bool
    standing: Standing
    paused: bool
    problem: str
    raw_problem: str
    next_poll: str
    last: str
    since: str
    kept: int
    """Open cases of quarantine."""
    streams: tuple[StreamLine, ...]
    keys: tuple[KeyLine, ...]
    past: PastView
    imports: tuple[ImportLine, ...]


def channel_view(
    session: Session, ctx: Context, words: Words, now: datetime, name: str
) -> ChannelView:
    """Read one channel. Raises NoSuchPlace."""
    channel = find_channel(session, name)
    if channel is None:
        raise NoSuchPlace
    known = channel.kind in kinds()
    problem = channel.pause_reason if channel.paused else channel.last_error
    said = in_language(problem, words.locale)
    missing = missing_of(channel)
    return ChannelView(
        name=name,
        title=channel.title or name.partition(":")[2],
        kind=channel_kind(channel, words),
        live=known and is_live(channel.kind),
        login=known and logs_in(channel.kind),
        needs_login=any(each.by_login for each in missing),
        standing=standing_of(channel, now, words),
        paused=channel.paused,
        problem=said,
        raw_problem=problem if problem != said else "",
        next_poll=_next(channel, now, ctx.zone, words),
        last=ago(channel.last_success_at, now, words),
        since=_day(channel, words),
        kept=_kept(session, channel),
        streams=_streams(session, channel, words, now, ctx.zone),
        keys=_keys(channel, words, now, ctx.zone),
        past=past_view(channel, words, now, ctx.zone),
        imports=_imports(session, channel, words, now, ctx.zone),
    )


def past_view(channel: Channel, words: Words, now: datetime, zone: ZoneInfo) -> PastView:
    """How far the reading of the past is, in words."""
    wish, far = wish_of(channel), backfill_standing(channel)
    if far is None:
        problem = in_language(wish.problem, words.locale) if wish else ""
        return PastView(wish is not None, "", None, words("past.waiting") if wish else "", problem)
    told = words("past.told", n=far.orders, pages=far.pages)
    if wish and far.seconds_left:
        told = f"{told}　{words('past.left', span=lasting(far.seconds_left, words))}"
    days = (far.since.astimezone(zone).date(), far.until.astimezone(zone).date())
    span = words("past.span", since=formats.day(days[0], words.locale),
                 until=formats.day(days[1], words.locale))  # fmt: skip
    problem = in_language(wish.problem, words.locale) if wish else ""
    if wish and wish.retry_at:
        again = words("past.again", when=formats.near(wish.retry_at, now, zone))
        problem = f"{problem} {again}"
    return PastView(wish is not None, span, round(far.part * 100), told, problem)


def _next(channel: Channel, now: datetime, zone: ZoneInfo, words: Words) -> str:
    if channel.paused:
        return ""
    if channel.next_poll_at is None or channel.next_poll_at <= now:
        return words("channels.soon")
    return formats.near(channel.next_poll_at, now, zone)


def _day(channel: Channel, words: Words) -> str:
    since = channel.history_complete_since
    return formats.day(since, words.locale) if since else ""


def _kept(session: Session, channel: Channel) -> int:
    mine = (Quarantine.channel_id == channel.id) & (Quarantine.state == QuarantineState.OPEN)
    if not session.scalar(select(exists().where(mine))):
        return 0
    return session.scalar(select(func.count()).where(mine)) or 0


def _streams(
    session: Session, channel: Channel, words: Words, now: datetime, zone: ZoneInfo
) -> tuple[StreamLine, ...]:
    rows = session.scalars(
        select(StreamState)
        .where(StreamState.channel_id == channel.id)
        .order_by(StreamState.stream != "orders", StreamState.stream)
    )
    return tuple(
        StreamLine(
            label=stream_label(row.stream, words),
            reached=_reached(row.watermark, now, zone),
            last=ago(row.last_success_at, now, words),
            failures=row.failures,
            in_hand=row.cursor is not None,
        )
        for row in rows
    )


def _reached(watermark: str | None, now: datetime, zone: ZoneInfo) -> str:
    moment = instant_of(watermark)
    return formats.near(moment, now, zone) if moment else (watermark or "")[:40]


def _keys(channel: Channel, words: Words, now: datetime, zone: ZoneInfo) -> tuple[KeyLine, ...]:
    ends = expiries(channel.secrets)
    return tuple(
        _key(each, channel, ends.get(each.name), words, now, zone)
        for each in known_credentials(channel.kind)
    )


def _key(
    each: Credential,
    channel: Channel,
    ends: datetime | None,
    words: Words,
    now: datetime,
    zone: ZoneInfo,
) -> KeyLine:
    label = credential_label(each, words.locale)
    entry = channel.secrets.get(each.name)
    if entry is None:
        needed = not each.optional
        return KeyLine(label, words("keys_page.absent" if needed else "keys_page.optional"),
                       "warn" if needed else "", "")  # fmt: skip
    at = instant_of(entry.get("entered_at"))
    entered = words("keys_page.entered", when=formats.near(at, now, zone)) if at else ""
    if ends is None:
        return KeyLine(label, words("keys_page.there"), "ok", entered)
    day = formats.day(ends.astimezone(zone).date(), words.locale)
    told = f"{ending_words(ends, now, words)} {day}"
    return KeyLine(label, told, ending_look(ends, now), entered)


def _imports(
    session: Session, channel: Channel, words: Words, now: datetime, zone: ZoneInfo
) -> tuple[ImportLine, ...]:
    rows = session.scalars(
        select(Import).where(Import.channel_id == channel.id).order_by(Import.id.desc()).limit(5)
    )
    return tuple(import_line(row, words, now, zone) for row in rows)


def import_line(row: Import, words: Words, now: datetime, zone: ZoneInfo) -> ImportLine:
    """One import in a line: what became of it, and its counts once it is done."""
    looks = {"done": "ok", "failed": "bad", "running": "warn"}
    counts = {key: row.counts.get(key, 0) for key in ("new", "changed", "unchanged", "rejected")}
    state = row.state.value
    told = words("import.counts", **counts) if state == "done" else ""
    return ImportLine(
        name=row.file_name,
        when=formats.near(row.started_at, now, zone),
        state=words(f"import.{state}"),
        look=looks.get(state, ""),
        told=in_language(row.error, words.locale) if state == "failed" else told,
    )
