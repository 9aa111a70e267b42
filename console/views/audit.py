"""操作ログ: who did what, newest first, in words; and the same as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from connectors.kit.defuse import write_table
from console import formats
from console.words import Words
from worker.store.audit_queries import (
    AuditFilter,
    audit_page,
    audit_rows,
    audited_actions,
    audited_people,
)
from worker.store.running import Audit

PAGE = 50
MANY = 3
"""So many of a list are shown; a batch names hundreds of mails."""
_PAGES = {
    "message": "/messages/{}",
    "customer": "/customers/{}",
    "channel": "/channels/{}",
    "user": "/users/{}",
}
"""Subjects that have a page of their own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as the address says it; days are the shop's own."""

    by: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None

    def query(self) -> str:
        """The address behind the question mark, without what asks for nothing."""
        told = {
            "by": self.by,
            "action": self.action,
            "subject": self.subject,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return urlencode({name: value for name, value in told.items() if value})

    def wanted(self, zone: ZoneInfo) -> AuditFilter:
        """For the store: from the first day's midnight to the end of the last one."""
        return AuditFilter(
            self.by,
            self.action,
            self.subject,
            _midnight(self.since, zone),
            _midnight(self.until + timedelta(days=1), zone) if self.until else None,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One act."""

    when: str
    who: str
    what: str
    about: str
    address: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of acts; ``after`` goes on behind the last, None at the end."""

    lines: tuple[Line, ...]
    after: int | None
    people: Sequence[str]
    actions: Sequence[tuple[str, str]]


def audit_view(
    session: Session,
    asked: Asked,
    words: Words,
    zone: ZoneInfo,
    *,
    before: int | None = None,
) -> AuditPage:
    """Read a page and the choices of its filter."""
    rows = audit_page(session, asked.wanted(zone), before=before, limit=PAGE + 1)
    shown = rows[:PAGE]
    actions = [(action, action_words(action, words)) for action in audited_actions(session)]
    return AuditPage(
        lines=tuple(_line(row, words, zone) for row in shown),
        after=shown[-1].id if len(rows) > PAGE else None,
        people=audited_people(session),
        actions=sorted(actions, key=lambda pair: pair[1]),
    )


def audit_csv(session: Session, asked: Asked, words: Words, zone: ZoneInfo) -> tuple[bytes, int]:
    """Every act that fits as a file for a spreadsheet, and how many they are."""
    header = [words(f"audit.{name}") for name in ("when", "who", "what", "about", "detail")]
    rows = list(_cells(session, asked, words, zone))
    return write_table(header, rows), len(rows)


def _cells(
    session: Session, asked: Asked, words: Words, zone: ZoneInfo
) -> Iterator[Sequence[object]]:
    for row in audit_rows(session, asked.wanted(zone)):
        when = row.at.astimezone(zone).isoformat(timespec="seconds")
        detail = "; ".join(f"{name}={value}" for name, value in _pairs(row.detail, words))
        yield when, row.by, action_words(row.action, words), row.subject, detail


def action_words(action: str, words: Words) -> str:
    """What was done, in words; a step that has none yet is shown by its name."""
    key = f"audit_action.{action}"
    return words(key) if words.has(key) else action


def _line(row: Audit, words: Words, zone: ZoneInfo) -> Line:
    kind, _, which = row.subject.partition(":")
    label = words(f"audit_subject.{kind}") if words.has(f"audit_subject.{kind}") else kind
    address = _PAGES[kind].format(quote(which, safe="")) if kind in _PAGES and which else ""
    return Line(
        when=formats.moment(row.at, zone, words.locale),
        who=row.by,
        what=action_words(row.action, words),
        about=f"{label} {which}".strip(),
        address=address,
        detail=tuple(_pairs(row.detail, words)),
    )


def _pairs(detail: Mapping[str, Any], words: Words) -> Iterator[tuple[str, str]]:
    for name, value in detail.items():
        if value in ("", None, [], {}):
            continue
        key = f"audit_detail.{name}"
        yield (words(key) if words.has(key) else name), _plain(name, value, words)


def _plain(name: str, value: Any, words: Words) -> str:
    if isinstance(value, bool):
        return words("audit_detail.yes" if value else "audit_detail.no")
    if isinstance(value, list):
        more = "…" if len(value) > MANY else ""
        return ", ".join(str(item) for item in value[:MANY]) + more
    if name in ("role", "old", "new") and words.has(f"role.{value}"):
        return words(f"role.{value}")
    return str(value)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None
