"""One text on the desk: its words, what was found in them, and the mail they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece, changes, difference, filled_in
from console.views.names import badges
from console.views.templates import Label, in_force, text_label
from console.views.templates_words import FindingView, PickView, finding_view, picks, readable
from console.words import Words
from worker.mail.letters import follows, html_of, preheader_of
from worker.mail.placeholders import canonical
from worker.mail.spoken import spoken, stored
from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import Writing, open_writing
from worker.pipeline.template_lint import SUBJECT_LENGTH, Inspection, behind, inspect, mended
from worker.pipeline.template_mailboxes import own_mailboxes
from worker.pipeline.template_matrix import taken_for
from worker.pipeline.template_names import TextName, parts_in
from worker.pipeline.template_preview import Shown, label_of, show_order, show_sample
from worker.pipeline.template_samples import samples_for
from worker.store.template_queries import newest_published, recent_orders


@dataclass(frozen=True, slots=True)
class Written:
    """The fields of the form, as they stand on the page."""

    subject: str = ""
    text: str = ""
    html: str = ""
    preheader: str = ""
    follows: bool = True
    version: int = 0
    stamp: str = ""
    note: str = ""
    sample: str = ""
    order: str = ""
    number: str = ""

    def parts(self, name: TextName) -> dict[str, str]:
        """The parts as they are stored; the HTML is made from the words unless told otherwise."""
        text = stored(_lines(self.text))
        found = {"subject": stored(_lines(self.subject)), "text": text}
        if "html" in name.paths:
            letter = self.follows and not name.is_block
            preheader = stored(_lines(self.preheader))
            found["html"] = html_of(text, preheader) if letter else stored(_lines(self.html))
        return {part: words for part, words in found.items() if part in name.paths and words}


def _lines(words: str) -> str:
    return words.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class Choice:
    """A sample or an order that can be looked at."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class PaperView:
    """The mail as it arrives; ``trouble`` says why it cannot be shown."""

    locale: str
    subject: tuple[Piece, ...] | None
    text: tuple[Piece, ...]
    sender: str
    html: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class EditView:
    """Everything the page prints."""

    name: str
    label: Label
    status: str
    written: Written
    fields: tuple[str, ...]
    is_block: bool
    draft: int
    picks: tuple[PickView, ...]
    passages: tuple[PickView, ...]
    samples: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    paper: PaperView
    findings: tuple[FindingView, ...]
    errors: int
    warnings: int
    subject_length: int
    subject_limit: int
    changed: int
    """Places that differ from the published text."""
    outdated: bool
    mailboxes: tuple[str, ...]
    trouble: str = ""
    stale: str = ""
    theirs: tuple[Piece, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """What stands between the braces, to what the editor draws for it."""


def opened(session: Session, ctx: Context, name: TextName, words: Words) -> Written:
    """The form as it is first shown: the draft, else the text in force, else what is taken."""
    writing = open_writing(session, ctx, name)
    parts = writing.parts or _taken_parts(ctx, name)
    text, html = parts.get("text", ""), parts.get("html", "")
    made = "html" in name.paths and not name.is_block and (not html or follows(text, html))
    return Written(
        subject=spoken(parts.get("subject", "").strip("\n"), words.locale),
        text=spoken(text, words.locale),
        html=spoken(html, words.locale),
        preheader=spoken(preheader_of(html), words.locale),
        follows=made,
        version=writing.version,
        stamp=writing.stamp,
        note=writing.draft.note if writing.draft else "",
    )


def _taken_parts(ctx: Context, name: TextName) -> dict[str, str]:
    taken = None if name.is_block else taken_for(ctx.texts, name)
    return parts_in(ctx.texts, taken) if taken else {}


def with_mend(
    session: Session, ctx: Context, name: TextName, written: Written, wanted: str, now: datetime
) -> Written:
    """The form with what one button mends done; a button that is no more changes nothing."""
    shown = {"subject": written.subject, "text": written.text, "html": written.html}
    parts = {part: _lines(shown[part]) for part in written.parts(name)}
    if written.follows and "html" in parts:
        del parts["html"]
    for finding in inspect(session, ctx, name, parts, now).findings:
        if finding.id == wanted and finding.mend is not None:
            parts[finding.part] = mended(parts[finding.part], finding.mend)
            return replace(
                written,
                subject=parts.get("subject", written.subject),
                text=parts["text"],
                html=parts.get("html", written.html),
            )
    return written


def edit_view(
    session: Session,
    ctx: Context,
    name: TextName,
    written: Written,
    words: Words,
    now: datetime,
) -> EditView:
    """The page of one text with these words on it."""
    writing = open_writing(session, ctx, name)
    seen = _seen(session, ctx, name, written, now)
    parts = written.parts(name)
    chosen, paper = _paper(session, ctx, name, parts, written, writing, words, now)
    known = badges(ctx.documents.ladder, words.locale)
    labels, tags = picks(ctx, name, words)
    found = list(seen.findings)
    if (late := behind(writing.in_force, parts)) is not None:
        found.append(late)
    return EditView(
        name=str(name),
        label=text_label(name, words, known),
        status=_status(session, ctx, name, writing, words, now),
        written=replace(written, sample=chosen),
        fields=tuple(name.paths),
        is_block=name.is_block,
        draft=writing.draft.id if writing.draft else 0,
        picks=tuple(tag for tag in tags if not tag.passage),
        passages=tuple(tag for tag in tags if tag.passage),
        samples=_samples(name, chosen, words),
        orders=_orders(session, name, written, now, ctx),
        paper=paper,
        findings=tuple(finding_view(finding, name, words) for finding in found),
        errors=seen.errors,
        warnings=len(found) - seen.errors,
        subject_length=len(seen.subject),
        subject_limit=SUBJECT_LENGTH[name.locale],
        changed=_changed(writing.in_force, parts),
        outdated=writing.outdated,
        mailboxes=own_mailboxes(ctx),
        labels=labels,
    )


def _seen(
    session: Session, ctx: Context, name: TextName, written: Written, now: datetime
) -> Inspection:
    """Look over what stands on the page, so that lines and letters are those of the page."""
    parts = written.parts(name)
    shown = {"subject": written.subject, "text": written.text, "html": written.html}
    on_page = {part: _lines(shown[part]) for part in parts}
    if "html" in parts and written.follows and not name.is_block:
        on_page["html"] = parts["html"]
    seen = inspect(session, ctx, name, on_page, now)
    if not (written.follows and "html" in parts and not name.is_block):
        return seen
    # What is made from the words is mended in the words.
    kept = tuple(f for f in seen.findings if f.part != "html")
    mute = not any(f.severity == "error" for f in kept)
    return seen if seen.errors and mute else replace(seen, findings=kept)


def _paper(
    session: Session,
    ctx: Context,
    name: TextName,
    parts: Mapping[str, str],
    written: Written,
    writing: Writing,
    words: Words,
    now: datetime,
) -> tuple[str, PaperView]:
    """The chosen sample, and the mail it gets."""
    ids = [sample.id for sample in samples_for(name)]
    chosen = written.sample if written.sample in ids else ids[0]
    if not parts.get("text"):
        return chosen, _unshown(name, words("templates.nothing_yet"))

    def show(these: Mapping[str, str]) -> Shown:
        if written.order.isdigit():
            return show_order(session, ctx, name, these, int(written.order), now)
        return show_sample(session, ctx, name, these, chosen)

    shown = show(parts)
    if shown.mail is None:
        return chosen, _unshown(name, _trouble(shown, words))
    before = show(writing.in_force) if "text" in writing.in_force else None
    old = before.mail.body_text if before and before.mail else ""
    return chosen, PaperView(
        locale=name.locale,
        subject=None if name.is_block or name.is_card else (Piece(shown.mail.subject),),
        text=_marked(shown.mail.body_text, old, list(shown.mail.used.values())),
        sender=shown.sender,
        html=shown.mail.body_html is not None,
        trouble="",
    )


def _unshown(name: TextName, trouble: str) -> PaperView:
    return PaperView(name.locale, (), (), "", html=False, trouble=trouble)


def _trouble(shown: Shown, words: Words) -> str:
    unknown = shown.code == "missing_value" and canonical(shown.what) is None
    key = "lint.unknown_placeholder" if unknown else f"lint.{shown.code}"
    what = label_of(shown.what, words.locale)
    return words(key, what=what) if words.has(key) else words("lint.refused", what=what)


def _marked(text: str, before: str, values: Sequence[str]) -> tuple[Piece, ...]:
    """Filled-in values, and lines that the published text has not."""
    if not before:
        return filled_in(text, values)
    known = set(before.split("\n"))
    pieces: list[Piece] = []
    for row in text.splitlines(keepends=True):
        if row.strip() and row.rstrip("\n") not in known:
            pieces.append(Piece(row, "ins"))
        else:
            pieces += filled_in(row, values)
    return tuple(pieces)


def _samples(name: TextName, chosen: str, words: Words) -> tuple[Choice, ...]:
    return tuple(Choice(s.id, words(f"sample.{s.id}"), s.id == chosen) for s in samples_for(name))


def _orders(
    session: Session, name: TextName, written: Written, now: datetime, ctx: Context
) -> tuple[Choice, ...]:
    rows = recent_orders(session, name.family, number=written.number.strip())
    return tuple(
        Choice(
            str(row.id),
            f"{row.name} {row.number} {formats.near(row.ordered_at, now, ctx.zone)}",
            str(row.id) == written.order,
        )
        for row in rows
    )


def _status(
    session: Session, ctx: Context, name: TextName, writing: Writing, words: Words, now: datetime
) -> str:
    release = newest_published(session)
    if writing.draft is not None:
        when = formats.near(writing.draft.at, now, ctx.zone)
        told = words("templates.saved", who=writing.draft.author, when=when)
        return f"{told}　{words('templates.version', n=release.number)}" if release else told
    if writing.in_force:
        return in_force(release, words, now, ctx)
    taken = None if name.is_block else taken_for(ctx.texts, name)
    if taken is None:
        return words("templates.none_yet")
    label = text_label(taken, words, badges(ctx.documents.ladder, words.locale))
    named = [label.badge.label if label.badge else label.rank, label.occasion]
    return words("templates.begun_from", text=" ".join(part for part in named if part))


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> int:
    return sum(
        changes(difference(before.get(part, ""), after.get(part, "")))
        for part in ("subject", "text")
    )


def stale_view(
    view: EditView, theirs: Mapping[str, str], who: str, when: str, words: Words
) -> EditView:
    """The page after a refused save: these words stay, and how they differ from what stands."""
    said = words("templates.stale", who=who, when=when) if who else words("templates.stale_release")
    pieces = [
        piece
        for part, mine in (("subject", view.written.subject), ("text", view.written.text))
        for piece in difference(
            readable(theirs.get(part, ""), words), readable(_lines(mine), words)
        )
    ]
    return replace(view, stale=said, theirs=tuple(pieces))


def for_script(view: EditView) -> dict[str, Any]:
    """What the script draws anew after each change."""
    return {
        "findings": [
            {
                "id": f.id, "part": f.part, "line": f.line, "start": f.start, "end": f.end,
                "severity": f.severity, "title": f.title, "text": f.text, "label": f.mend,
                "mend": f.change,
            }
            for f in view.findings
        ],
        "errors": view.errors,
        "warnings": view.warnings,
        "subject_length": view.subject_length,
        "html": view.paper.html,
    }  # fmt: skip


def refused_words(error: Refused, words: Words) -> str:
    """Why it was refused, in the visitor's language."""
    return error.words(words.locale)
