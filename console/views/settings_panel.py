"""公開すると変わること: the drafts, what was counted for them, and what must be ticked first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, badges
from console.views.settings_form import Labels
from console.visit import Visit
from console.words import Words
from worker.documents import DocumentsWrong
from worker.pipeline.context import Context
from worker.pipeline.settings_drafts import Working
from worker.pipeline.settings_whatif import Check, checks
from worker.rules.proposing import HIGH, LOW
from worker.rules.shop import Ladder
from worker.store import draft_queries as store
from worker.store.settings_queries import names_of


@dataclass(frozen=True, slots=True)
class RankLine:
    """People of one rank, now and after."""

    badge: Badge
    was: int
    then: int

    @property
    def difference(self) -> str:
        """``+38``, ``-38`` or ``0``."""
        return f"{self.then - self.was:+,}" if self.then != self.was else "0"


@dataclass(frozen=True, slots=True)
class Share:
    """The top rank's share in percent, as marks on a line of 300 from 16."""

    was: float
    then: float
    scale: float

    def at(self, percent: float) -> float:
        """Where a percentage stands."""
        return round(16 + 300 * min(percent, self.scale) / self.scale, 1)


@dataclass(frozen=True, slots=True)
class MailLine:
    """One line of what becomes of waiting mails."""

    label: str
    number: int
    look: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """What a person says before publishing."""

    name: str
    title: str
    text: str
    off: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """One person who would have another rank."""

    id: int
    name: str
    was: Badge | None
    then: Badge | None


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One document in writing."""

    document: str
    label: str
    by: str
    when: str
    moved: bool


@dataclass
class Panel:
    """``state``: empty, wrong, moved, counting or counted."""

    state: str
    key: str = ""
    places: int = 0
    drafts: tuple[DraftLine, ...] = ()
    headlines: tuple[str, ...] = ()
    ranks: tuple[RankLine, ...] = ()
    share: Share | None = None
    moves: tuple[str, ...] = ()
    people: tuple[Moved, ...] = ()
    more_people: int = 0
    mails: tuple[MailLine, ...] = ()
    waiting: int = 0
    opened: tuple[str, ...] = ()
    ticks: tuple[Tick, ...] = ()
    problems: tuple[str, ...] = ()
    counted_at: str = ""
    old: bool = False
    """The figures are those of earlier drafts, shown while the new ones are counted."""
    then_people: Mapping[str, int] | None = None
    said: str = field(default="")


def panel_view(visit: Visit, session: Session, ctx: Context, working: Working) -> Panel:
    """The panel for the drafts as they stand."""
    if not working.drafts:
        return Panel("empty")
    words = visit.words
    panel = Panel("counting", working.key, _places(working))
    panel.drafts = tuple(_drafts(visit, ctx, working))
    if any(draft.moved for draft in working.drafts.values()):
        panel.state = "moved"
        return panel
    try:
        then = working.documents()
    except DocumentsWrong as wrong:
        panel.state, panel.problems = "wrong", tuple(str(p) for p in wrong.problems)
        return panel
    count = store.count_for(session, working.key)
    if count is not None:
        panel.state = "counted"
        panel.counted_at = formats.near(count.at, visit.now, ctx.zone)
    shown = count or store.latest_count(session)
    panel.old = count is None and shown is not None
    if shown is not None:
        _fill(panel, session, words, then.ladder, shown.figures)
    labels = Labels(words, working)
    needed = checks(ctx.documents, then, count.figures if count else None)
    panel.ticks = tuple(_tick(words, labels, check) for check in needed)
    return panel


def _drafts(visit: Visit, ctx: Context, working: Working) -> Iterator[DraftLine]:
    for name, draft in working.drafts.items():
        yield DraftLine(
            name,
            visit.words(f"settings_document.{name}"),
            draft.author,
            formats.near(draft.at, visit.now, ctx.zone),
            draft.moved,
        )


def _places(working: Working) -> int:
    return sum(
        _different(working.published_data[name], working.data[name]) for name in working.drafts
    )


def _different(one: Any, other: Any) -> int:
    """How many values differ; a row more or less is one place."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {*one, *other}
        return sum(_different(one.get(key), other.get(key)) for key in keys)
    tables = isinstance(one, list) and isinstance(other, list) and len(one) == len(other)
    if tables and any(isinstance(each, Mapping) for each in one):
        return sum(_different(a, b) for a, b in zip(one, other, strict=True))
    return int(one != other)


# --- figures ------------------------------------------------------------------------------------


def _fill(
    panel: Panel, session: Session, words: Words, ladder: Ladder, figures: Mapping[str, Any]
) -> None:
    looks = badges(ladder, words.locale)
    people = figures["people"]
    if people is not None:
        _people(panel, session, words, looks, people)
    _mails(panel, words, figures["mails"])
    panel.opened = tuple(
        words("settings.begins", what=_what(words, place, kind), n=max(1, round(orders / 28)))
        if orders
        else words("settings.begins_quiet", what=_what(words, place, kind))
        for place, kind, orders in figures["opened"]
    )
    if people is None and not panel.mails and not panel.opened:
        panel.headlines = (words("settings.nothing_moves"),)


def _what(words: Words, place: str, kind: str) -> str:
    family, _, _channel = place.partition(":")
    key = f"family.{family}"
    return words("settings.of", place=words(key) if words.has(key) else family,
                 kind=words(f"kind.{kind}"))  # fmt: skip


def _people(
    panel: Panel,
    session: Session,
    words: Words,
    looks: Mapping[str, Badge],
    people: Mapping[str, Any],
) -> None:
    was, then = people["was"], people["then"]
    panel.then_people = then
    ids = [*looks, *(rank for rank in was if rank not in looks)]
    panel.ranks = tuple(
        RankLine(_badge(looks, rank), was.get(rank, 0), then.get(rank, 0)) for rank in ids
    )
    top = next(iter(looks))
    panel.headlines = (_headline(words, looks[top].label, then.get(top, 0) - was.get(top, 0)),)
    panel.share = _share(was.get(top, 0), then.get(top, 0), sum(was.values()), sum(then.values()))
    panel.moves = tuple(
        words("settings.move", was=_badge(looks, a).label, then=_badge(looks, b).label, n=f"{n:,}")
        for a, b, n in people["moves"]
    )
    found = names_of(session, [each[0] for each in people["examples"]])
    panel.people = tuple(
        Moved(each[0], found.get(each[0], ""), _badge(looks, each[1]), _badge(looks, each[2]))
        for each in people["examples"]
    )
    panel.more_people = sum(n for _a, _b, n in people["moves"]) - len(panel.people)


def _badge(looks: Mapping[str, Badge], rank: str) -> Badge:
    return looks.get(rank) or Badge(rank, rank, "repeat")


def _headline(words: Words, label: str, change: int) -> str:
    key = "more" if change > 0 else "fewer" if change < 0 else "same"
    return words(f"settings.people_{key}", rank=label, n=f"{abs(change):,}")


def _share(was: int, then: int, of: int, of_then: int) -> Share | None:
    if not of or not of_then:
        return None
    one, other = 100 * was / of, 100 * then / of_then
    scale = max(10.0, 10.0 * -(-max(one, other) // 10))
    return Share(round(one, 1), round(other, 1), scale)


def band(share: Share) -> tuple[float, float]:
    """From where to where a top rank should stand."""
    return share.at(100 * LOW), share.at(100 * HIGH)


def _mails(panel: Panel, words: Words, told: Mapping[str, Any]) -> None:
    panel.waiting = sum(told["waiting"].values())
    lines = []
    for what, look in (("added", ""), ("ended", "warn"), ("held", "warn")):
        for kind, number in told[what].items():
            label = words(f"settings.mails_{what}", kind=words(f"kind.{kind}"))
            lines.append(MailLine(label, number, look))
    lines += [
        MailLine(words(f"settings.mails_{what}"), told[what])
        for what in ("rewritten", "kept")
        if told[what]
    ]
    gone = sum(told["ended"].values())
    held = min(sum(told["held"].values()), panel.waiting)
    rest = panel.waiting - gone - held - told["rewritten"] - told["kept"]
    if panel.waiting:
        lines.append(MailLine(words("settings.mails_same"), max(rest, 0), "quiet"))
    panel.mails = tuple(lines)


def _tick(words: Words, labels: Labels, check: Check) -> Tick:
    kind = words(f"kind.{check.kind}") if check.kind else ""
    if check.what == "off":
        sender = words(f"sender.{check.was}")
        place = labels.place(check.place)
        title = words("settings.check_off", sender=sender, place=place, kind=kind)
        where = words(f"settings_place.{check.was}")
        return Tick(check.name, title, words("settings.check_off_text", where=where), off=True)
    title = words(f"settings.check_{check.what}", kind=kind)
    return Tick(check.name, title, words(f"settings.check_{check.what}_text"), off=False)
