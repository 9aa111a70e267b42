"""Looks a text over before it is published: what is wrong, on which line, and what mends it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from worker.mail.check import check_source
from worker.mail.letters import follows
from worker.mail.lint import Finding as MailFinding
from worker.mail.lint import LintContext, Severity, is_advertisement, lint_content
from worker.mail.placeholders import ALIASES, BY_NAME, canonical
from worker.mail.render import Rendered
from worker.mail.texts import ROOT
from worker.pipeline.context import Context
from worker.pipeline.plan_run import open_run
from worker.pipeline.render_shop import lint_context
from worker.pipeline.template_names import TextName, overlaid
from worker.pipeline.template_preview import Shown, show_sample
from worker.pipeline.template_samples import channel_for, samples_for, shop_shown
from worker.rules.states import MailKind, Verdict
from worker.store.channels import Channel

TEST_MARKERS = ("【テスト送信】", "[Test]")
"""How the subject of a mail to oneself begins, in Japanese and English; no text may."""
SUBJECT_LENGTH = {"ja": 60, "en": 90}
"""Letters of a subject, order number included, beyond which a phone shows its end nowhere."""

_UNKNOWN = "unknown_placeholder"
_INCLUDE = re.compile(r'^[ \t]*\{% include "([^"]*)" %\}[ \t]*$', re.MULTILINE)
_HONORED = "|".join(
    re.escape(name)
    for name in sorted({*BY_NAME, *ALIASES}, key=lambda name: (-len(name), name))
    if (canonical(name) or "").endswith("_honorific")
)
_DOUBLED = re.compile(
    rf"\{{\{{ *(?:{_HONORED}) *(?:\| *\w+ *)?\}}\}}([ \u3000]*(?:様(?!方)|さま|殿|御中))"
)
_HONORED_NAME = re.compile(rf"\{{\{{ *(?:{_HONORED}) *(?:\| *\w+ *)?\}}\}}")


@dataclass(frozen=True, slots=True)
class Mend:
    """What a press of the button does in the part: put ``text`` in place of a stretch.

    ``line`` counts from 1; ``start`` and ``end`` are letters of it; ``whole`` takes the line away
    with its line break, ``after`` puts ``text`` behind the last line.
    """

    how: Literal["replace", "delete_line", "append", "prepend"]
    line: int = 0
    start: int = 0
    end: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend (``error`` forbids publishing) or to know of (``warning``)."""

    part: str
    line: int
    code: str
    severity: Literal["error", "warning"]
    what: str = ""
    start: int = 0
    end: int = 0
    mend: Mend | None = None

    @property
    def id(self) -> str:
        """Names it in a form."""
        return f"{self.part}:{self.line}:{self.code}:{self.start}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that was found; ``samples`` tells of each customer whether the mail is whole."""

    findings: tuple[Finding, ...]
    samples: Mapping[str, bool]
    subject: str

    @property
    def errors(self) -> int:
        """How many things must be mended before it may be published."""
        return sum(f.severity == "error" for f in self.findings)

    @property
    def warnings(self) -> int:
        """How many things one should know of."""
        return len(self.findings) - self.errors


def inspect(
    session: Session, ctx: Context, name: TextName, parts: Mapping[str, str], now: datetime
) -> Inspection:
    """Look a text over by its source and by what nine invented customers would get."""
    if {"subject", "text"} & set(name.paths) - {p for p in parts if parts[p].strip()}:
        return Inspection((Finding("text", 0, "empty", "error"),), {}, "")
    found = [finding for part in parts for finding in _source(ctx, name, parts, part)]
    shown = {s.id: show_sample(session, ctx, name, parts, s.id) for s in samples_for(name)}
    if not any(f.severity == "error" for f in found):
        found += _unfinished(parts, shown)
    mails = [one.mail for one in shown.values() if one.mail is not None]
    with session.no_autoflush:
        context = _context(session, ctx, name, now)
    for mail in mails:
        found += _inspected(ctx, name, parts, mail, context)
    found += _letter(ctx, name, parts)
    subject = mails[0].subject if mails and "subject" in parts else ""
    found += _subject(name, subject)
    whole = {sample: one.mail is not None for sample, one in shown.items()}
    return Inspection(_ordered(found), whole, subject)


def _ordered(found: list[Finding]) -> tuple[Finding, ...]:
    """Each thing once, in reading order; of one line and one kind the first says it."""
    order = {"subject": 0, "text": 1, "html": 2}
    by_place: dict[tuple[str, int, str, str], Finding] = {}
    in_text = {(f.code, canonical(f.what) or f.what) for f in found if f.part == "text"}
    for finding in found:
        same = (finding.code, canonical(finding.what) or finding.what)
        if finding.part == "html" and same in in_text:
            continue  # whoever mends the text mends the HTML, or sees it there next
        by_place.setdefault((finding.part, finding.line, finding.code, finding.what), finding)
    return tuple(sorted(by_place.values(), key=lambda f: (order[f.part], f.line, f.severity)))


# --- by its source --------------------------------------------------------------------------


def _source(ctx: Context, name: TextName, parts: Mapping[str, str], part: str) -> Iterator[Finding]:
    source = parts[part]
    html = part == "html"
    # A block's own lines are looked over where it is written: here it is a blank line.
    for told in check_source(_INCLUDE.sub("", source), html=html):
        start, end = _place(source, told.line, told.what)
        yield Finding(
            part, told.line, told.code, "error", told.what or told.why, start, end,
            _spelt(source, told.line, told.what) if told.code == _UNKNOWN else None,
        )  # fmt: skip
    yield from _blocks(ctx, name, parts, part)
    for number, row in enumerate(source.split("\n"), 1):
        yield from _row(ctx, name, part, number, row)
    if part == "subject" and source.strip().startswith(TEST_MARKERS):
        yield Finding(part, 1, "reserved_marker", "error", TEST_MARKERS[name.locale == "en"])


def _row(ctx: Context, name: TextName, part: str, number: int, row: str) -> Iterator[Finding]:
    """What a line by itself tells, whatever becomes of the rest."""
    for match in _DOUBLED.finditer(row):
        start, end = match.span(1)
        mend = Mend("replace", number, start, end)
        yield Finding(part, number, "doubled_honorific", "error", "様", start, end, mend)
    deleted = Mend("delete_line", number) if part == "text" else None
    for word in ctx.documents.policy.forbidden_words.get(name.family, ()):
        if (start := row.find(word)) >= 0:
            end = start + len(word)
            yield Finding(part, number, "forbidden_word", "error", word, start, end, deleted)


def _blocks(ctx: Context, name: TextName, parts: Mapping[str, str], part: str) -> Iterator[Finding]:
    source = overlaid(ctx.texts, name, parts)
    suffix = "html" if part == "html" else "txt"
    for match in _INCLUDE.finditer(parts[part]):
        block = match.group(1)
        where = f"{ROOT}/{name.locale}/_blocks/{name.family}/{block}.{suffix}"
        if not re.fullmatch(r"[a-z0-9_]+", block) or source.read(where) is None:
            line = parts[part].count("\n", 0, match.start()) + 1
            start, end = _place(parts[part], line, block)
            mend = Mend("delete_line", line)
            yield Finding(part, line, "block_missing", "error", block, start, end, mend)


def _spelt(source: str, line: int, wrong: str) -> Mend | None:
    """The placeholder that was probably meant."""
    start, end = _place(source, line, wrong)
    near = difflib.get_close_matches(wrong, [*BY_NAME, *ALIASES], n=1, cutoff=0.6)
    if not near or start == end:
        return None
    return Mend("replace", line, start, end, near[0])


def _letter(ctx: Context, name: TextName, parts: Mapping[str, str]) -> Iterator[Finding]:
    """A Japanese letter begins with whom it is for."""
    if name.is_block or name.is_card or name.locale != "ja" or "text" not in parts:
        return
    if by_platform(ctx, name):
        return
    if not _HONORED_NAME.search(parts["text"]):
        mend = Mend("prepend", 1, text="{{ お客様名 }}\n\n")
        yield Finding("text", 1, "honorific_missing", "warning", "様", mend=mend)


def _subject(name: TextName, subject: str) -> Iterator[Finding]:
    if len(subject) > SUBJECT_LENGTH[name.locale]:
        yield Finding("subject", 1, "subject_long", "warning", str(len(subject)))


# --- by what arrives ------------------------------------------------------------------------


def _unfinished(parts: Mapping[str, str], shown: Mapping[str, Shown]) -> Iterator[Finding]:
    """Where a mail cannot be finished for one of the samples."""
    for one in shown.values():
        if one.mail is not None:
            continue
        part, line, start, end = _found(parts, _spellings(one.what))
        code = one.code if one.code in _KNOWN else "refused"
        yield Finding(part, line, code, "error", one.what, start, end)


_KNOWN = frozenset(
    {"missing_value", "block_missing", "doubled_honorific", "open_braces", "subject"}
)


def _spellings(placeholder: str) -> tuple[str, ...]:
    return (placeholder, *(alias for alias, told in ALIASES.items() if told == placeholder))


def _context(session: Session, ctx: Context, name: TextName, now: datetime) -> LintContext:
    """What the inspector knows of the shop, with the particulars that the preview shows."""
    channel = channel_for(session, name.family)
    others = [c for c in open_run(session, ctx, now).channels.values() if c is not channel]
    if channel is None:
        channel = Channel(name=f"{name.family}:", kind="csv_file", family=name.family, title="")
    kind = name.mail_kind or MailKind.ORDER_THANKS
    context = lint_context(ctx, channel, others, name.locale, kind=kind, ad=name.advertises)
    shop = shop_shown(session, ctx, name)
    hosts = {urlsplit(url).hostname or "" for url in (shop.shop_url,) if url}
    return replace(
        context,
        own_hosts=context.own_hosts | (hosts - {""}),
        legal_name=shop.legal_name or "",
        postal_address=shop.postal_address or "",
        unsubscribe_url=context.unsubscribe_url or f"mailto:{shop.contact_mail}",
        foreign_names=[
            other for other in context.foreign_names if other not in (shop.shop_name or "")
        ],
    )


def _inspected(
    ctx: Context, name: TextName, parts: Mapping[str, str], mail: Rendered, context: LintContext
) -> Iterator[Finding]:
    # Each part by itself: a footer in the HTML is none for who reads the text.
    parted = (replace(mail, body_html=None), mail)
    for told in dict.fromkeys(t for part in parted for t in lint_content(part, context)):
        if told.code not in _beyond(ctx, name):
            yield _placed(parts, told)
    for word in ctx.documents.policy.forbidden_words.get(name.family, ()):
        # A block or a value may bring it in.
        if word in mail.subject or word in mail.body_text:
            yield _placed(parts, MailFinding("forbidden_word", Severity.ERROR, word))
    if not name.advertises and not name.is_card and not name.is_block:
        for evidence in is_advertisement(mail, context.own_hosts):
            yield Finding("text", 0, "advertises", "warning", evidence)


def _beyond(ctx: Context, name: TextName) -> frozenset[str]:
    """What is no fault here: a passage is no mail, paper may say more, and so may a mall's tool."""
    if name.is_block or name.is_card:
        return frozenset({"coupon", "legal_footer_missing", "url_host", "leads_outside"})
    return frozenset({"coupon"}) if by_platform(ctx, name) else frozenset()


def by_platform(ctx: Context, name: TextName) -> bool:
    """Whether staff send it with the marketplace's own tool, to many at once."""
    kind = name.mail_kind
    verdict = ctx.documents.policy.cell(name.family, kind).verdict if kind else None
    return verdict is Verdict.PLATFORM


def _placed(parts: Mapping[str, str], told: MailFinding) -> Finding:
    """Where in the source it comes from, as near as it can be told."""
    severity: Literal["error", "warning"] = (
        "error" if told.severity is Severity.ERROR else "warning"
    )
    if told.code == "legal_footer_missing":
        last = parts.get("text", "").rstrip("\n").count("\n") + 1
        text = '\n{% include "ad_footer" %}\n'
        return Finding("text", last, told.code, severity, "", mend=Mend("append", last, text=text))
    # Forbidden words are found by two lists: of one passage one of them says it.
    code = "forbidden_word" if told.code == "leads_outside" else told.code
    part, line, start, end = _found(parts, (told.detail,))
    mend = Mend("delete_line", line) if code in _DELETED and line and part == "text" else None
    return Finding(part, line, code, severity, told.detail, start, end, mend)


_DELETED = frozenset({"forbidden_word", "review_pressure", "coupon", "foreign_shop"})


def _found(parts: Mapping[str, str], wanted: tuple[str, ...]) -> tuple[str, int, int, int]:
    for part in ("text", "subject", "html"):
        for number, row in enumerate(parts.get(part, "").split("\n"), 1):
            for word in wanted:
                if word and (start := row.find(word)) >= 0:
                    return part, number, start, start + len(word)
    return "text", 0, 0, 0


def _place(source: str, line: int, what: str) -> tuple[int, int]:
    rows = source.split("\n")
    if not what or not 1 <= line <= len(rows):
        return 0, 0
    start = rows[line - 1].find(what)
    return (start, start + len(what)) if start >= 0 else (0, 0)


def behind(in_force: Mapping[str, str], parts: Mapping[str, str]) -> Finding | None:
    """The words changed and an HTML part written by hand did not: two mails in one."""
    old, new = in_force.get("html"), parts.get("html")
    if new is None or old != new or in_force.get("text") == parts.get("text"):
        return None
    return None if follows(parts["text"], new) else Finding("html", 0, "html_behind", "warning")


# --- mending --------------------------------------------------------------------------------


def mended(source: str, mend: Mend) -> str:
    """The part with what the button does done."""
    if mend.how == "append":
        return source.rstrip("\n") + "\n" + mend.text
    if mend.how == "prepend":
        return mend.text + source
    rows = source.split("\n")
    if not 1 <= mend.line <= len(rows):
        return source
    if mend.how == "delete_line":
        del rows[mend.line - 1]
    else:
        row = rows[mend.line - 1]
        rows[mend.line - 1] = row[: mend.start] + mend.text + row[mend.end :]
    return "\n".join(rows)
