"""はじめの一週間: each step with what the store says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from console import formats
from console.views.names import shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.first_week import FirstWeek, LiveStep, first_week, states_of
from worker.pipeline.go_live import Beginning
from worker.rules.states import Certainty, MailKind, RunMode, Sender, Verdict


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the list at the side."""

    name: str
    number: int
    title: str
    done: bool
    here: bool
    """The first that is not done."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of facts: what, how much, how it looks, and where it leads."""

    label: str
    value: str
    look: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """Who sends each kind on one channel."""

    shop: str
    cells: tuple[tuple[str, str], ...]
    """(words, look): ``ours``, ``no`` or empty."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One kind of one channel that Okaeri sends."""

    shop: str
    kind: str
    began: str
    address: str
    note: str


@dataclass(frozen=True, slots=True)
class GuideView:
    """Everything the page prints."""

    steps: tuple[StepView, ...]
    done: int
    shop: tuple[Row, ...]
    channels: tuple[Row, ...]
    past: tuple[Row, ...]
    reach: tuple[Row, ...]
    kinds: tuple[str, ...]
    matrix: tuple[MatrixRow, ...]
    senders_key: str
    confirmed: str
    consent: tuple[Row, ...]
    told: tuple[Row, ...]
    rehearsal: str
    mode: str
    mode_look: str
    live: tuple[LiveRow, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """The guide in one line, for the first page."""

    all: int
    done: int
    next: str


def progress(session: Session, ctx: Context, words: Words, now: datetime) -> Progress | None:
    """How far the first week is; None once mails leave, whatever is open besides."""
    states = states_of(session, ctx, now)
    left = [name for name, done in states.items() if not done]
    if states["live"]:
        return None
    return Progress(len(states), len(states) - len(left), words(f"guide.{left[0]}"))


def guide_view(session: Session, ctx: Context, words: Words, now: datetime) -> GuideView:
    """Read all steps and put them into words."""
    week, shops = first_week(session, ctx, now), shop_labels(session, words)
    kinds = _kinds(week)
    return GuideView(
        steps=_steps(week, words),
        done=sum(week.states.values()),
        shop=tuple(_shop(week, words, shops)),
        channels=tuple(_channels(week, words, shops)),
        past=tuple(_past(week, words)),
        reach=tuple(
            Row(shops.get(name, name), words("guide.complete_since", day=_day(since, words)))
            for name, since in sorted(week.past.reach.items())
        ),
        kinds=tuple(words(f"kind_short.{kind}") for kind in kinds),
        matrix=_matrix(week, kinds, words, shops),
        senders_key=week.senders.key,
        confirmed=_confirmed(week, ctx, words, now),
        consent=tuple(_consent(week, words)),
        told=_told(week, words, shops),
        rehearsal=words("guide.days_told", n=week.rehearsal.days),
        mode=words(f"guide.mode_{_mode(week.live)}"),
        mode_look="ok" if _mode(week.live) == "live" else "warn",
        live=tuple(_live(one, ctx, words, shops, now) for one in week.live.lines),
    )


def _steps(week: FirstWeek, words: Words) -> tuple[StepView, ...]:
    states = week.states
    first = next((name for name, done in states.items() if not done), "")
    return tuple(
        StepView(name, place, words(f"guide.{name}"), done, name == first)
        for place, (name, done) in enumerate(states.items(), 1)
    )


def _day(value: date | None, words: Words) -> str:
    return formats.day(value, words.locale) if value else ""


def _shop(week: FirstWeek, words: Words, shops: dict[str, str]) -> list[Row]:
    step = week.shop
    rows = [Row(words("guide.shop_name"), step.name)]
    if step.sample:
        rows.append(Row(words("guide.sample"), words("guide.sample_text"), "warn"))
    missing = words("app.comma").join(words(f"guide.field_{name}") for name in step.missing)
    rows.append(
        Row(words("guide.footer"), missing, "warn")
        if missing
        else Row(words("guide.footer"), words("guide.footer_whole"), "ok")
    )
    if step.senderless:
        names = words("app.comma").join(shops.get(name, name) for name in step.senderless)
        rows.append(Row(words("guide.senderless"), names, "warn"))
    return rows


def _channels(week: FirstWeek, words: Words, shops: dict[str, str]) -> list[Row]:
    rows = []
    for one in week.channels.channels:
        look, told = "ok", words("app.count_things", n=f"{one.orders:,}")
        if one.paused:
            look, told = "bad", words("guide.channel_paused")
        elif not one.orders:
            look, told = "warn", words("guide.channel_empty")
        rows.append(
            Row(shops.get(one.channel, one.channel), told, look, f"/channels/{one.channel}")
        )
    return rows


def _past(week: FirstWeek, words: Words) -> list[Row]:
    past = week.past.past
    if not past.orders:
        return []
    span = words("past.span", since=_day(past.first, words), until=_day(past.last, words))
    sure = past.certainty.get(Certainty.PROVED, 0)
    provisional = past.certainty.get(Certainty.PROVISIONAL, 0)
    uncertain = past.certainty.get(Certainty.UNCERTAIN, 0)
    rows = [
        Row(words("guide.orders"), f"{past.orders:,}　{span}"),
        Row(words("guide.people"), f"{past.customers:,}", "", "/customers"),
        Row(words("guide.proved"), f"{sure:,}", "ok"),
        Row(words("guide.provisional"), f"{provisional:,}"),
        Row(words("guide.uncertain"), f"{uncertain:,}", "warn" if uncertain else ""),
    ]
    if past.candidates:
        rows.append(Row(words("guide.candidates"), f"{past.candidates:,}", "warn", "/candidates"))
    if past.quarantined:
        rows.append(Row(words("guide.kept"), f"{past.quarantined:,}", "bad", "/quarantine"))
    return rows


def _kinds(week: FirstWeek) -> list[MailKind]:
    """Kinds that anybody sends anywhere, in their order."""
    used = {one.kind for one in week.senders.lines if one.sender is not Sender.NOBODY}
    return [kind for kind in MailKind if kind in used]


def _matrix(
    week: FirstWeek, kinds: list[MailKind], words: Words, shops: dict[str, str]
) -> tuple[MatrixRow, ...]:
    lines: dict[str, dict[MailKind, Beginning]] = {}
    for one in week.senders.lines:
        lines.setdefault(one.channel.name, {})[one.kind] = one
    return tuple(
        MatrixRow(shops.get(name, name), tuple(_cell(cells[kind], words) for kind in kinds))
        for name, cells in lines.items()
    )


def _cell(one: Beginning, words: Words) -> tuple[str, str]:
    told = words(f"sender.{one.sender}")
    if one.sender is Sender.OKAERI and one.verdict is Verdict.PLATFORM:
        return words("guide.by_campaign"), "ours"
    if one.sender is Sender.OKAERI:
        return told, "ours"
    return told, "no" if one.sender is Sender.NOBODY else ""


def _confirmed(week: FirstWeek, ctx: Context, words: Words, now: datetime) -> str:
    step = week.senders
    if step.at is None:
        return ""
    return words("guide.confirmed", by=step.by, when=formats.near(step.at, now, ctx.zone))


def _consent(week: FirstWeek, words: Words) -> list[Row]:
    rows = []
    everybody = week.consent.everybody
    if everybody.reached:
        told = words(
            "guide.agreed", reached=f"{everybody.reached:,}", agreed=f"{everybody.agreed:,}"
        )
        rows.append(Row(words("guide.everybody"), told))
    for one in week.consent.milestones:
        told = words("guide.agreed", reached=f"{one.reached:,}", agreed=f"{one.agreed:,}")
        nth = formats.nth(one.number, words.locale)
        rows.append(Row(words("guide.reached", nth=nth), told))
    return rows


def _told(week: FirstWeek, words: Words, shops: dict[str, str]) -> tuple[Row, ...]:
    names = {one.channel.id: one.channel.name for one in week.senders.lines}
    return tuple(
        Row(
            f"{shops.get(names[channel], names[channel])}　{words(f'kind.{kind}')}",
            words("app.count_mails", n=number),
            "",
            f"/guide/rehearsal?channel={names[channel]}&kind={kind}",
        )
        for (channel, kind), number in sorted(week.rehearsal.told.items())
        if channel in names
    )


def _mode(step: LiveStep) -> str:
    if step.locked:
        return "locked"
    return "live" if step.mode is RunMode.LIVE else "capture"


def _live(
    one: Beginning, ctx: Context, words: Words, shops: dict[str, str], now: datetime
) -> LiveRow:
    name = one.channel.name
    began = formats.near(one.active_from, now, ctx.zone) if one.active_from else ""
    key = "guide.campaign_note" if one.verdict is Verdict.PLATFORM else "guide.consent_note"
    note = words(key) if one.verdict in (Verdict.PLATFORM, Verdict.CONSENT) else ""
    address = f"/guide/live?channel={name}&kind={one.kind}"
    return LiveRow(shops.get(name, name), words(f"kind.{one.kind}"), began, address, note)
