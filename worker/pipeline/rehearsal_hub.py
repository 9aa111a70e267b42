"""Takes in the list of orders that another system wrote about during the rehearsal."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from worker.pipeline.audit import record
from worker.pipeline.rehearsal import KINDS
from worker.rules.states import MailKind
from worker.store.channels import Channel
from worker.store.rehearsals import HubMail, forget, hub_numbers

MOST = 20_000
"""Order numbers in one list."""
_LONGEST = 80
_HEADS = re.compile(r"(受注|注文|伝票)(管理)?(番号|ID)|order[ _-]?(number|no\.?|id)", re.IGNORECASE)


class ListWrong(ValueError):
    """The list cannot be used: ``code`` is ``empty``, ``too_long``, ``unreadable`` or ``kind``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """Numbers that were new, and those that had been told before."""

    new: int
    known: int


def decode(content: bytes) -> str:
    """The text of a file as order systems write it: UTF-8 or Shift_JIS. Raises ListWrong."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ListWrong("unreadable")


def numbers_in(text: str) -> list[str]:
    """Order numbers of a list or a CSV, each once: the column that is named so, else the first.

    Raises ListWrong.
    """
    separator = "\t" if "\t" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    column = _column(rows[0]) if rows else None
    cells = (_cell(row, column or 0) for row in (rows if column is None else rows[1:]))
    found = list(dict.fromkeys(cell for cell in cells if cell))
    if not found:
        raise ListWrong("empty")
    if len(found) > MOST or max(map(len, found)) > _LONGEST:
        raise ListWrong("too_long")
    return found


def _column(head: Sequence[str]) -> int | None:
    return next((n for n, cell in enumerate(head) if _HEADS.search(cell)), None)


def _cell(row: Sequence[str], column: int) -> str:
    if column >= len(row):
        return ""
    return unicodedata.normalize("NFKC", row[column]).strip().strip("'\"")


def tell_hub_mails(
    session: Session,
    channel: Channel,
    kind: MailKind,
    numbers: Sequence[str],
    *,
    by: str,
    now: datetime,
) -> Told:
    """Note that another system wrote about these orders; what is known stays. Raises ListWrong."""
    if kind not in KINDS:
        raise ListWrong("kind")
    known = hub_numbers(session, channel.id, kind, numbers)
    fresh = [number for number in dict.fromkeys(numbers) if number not in known]
    session.add_all(
        HubMail(channel_id=channel.id, kind=kind, number=number, by=by[:80], at=now)
        for number in fresh
    )
    session.flush()
    subject = f"channel:{channel.name}"
    record(
        session, by=by, action="rehearsal_told", now=now, subject=subject,
        kind=kind.value, new=len(fresh), known=len(known),
    )  # fmt: skip
    return Told(len(fresh), len(known))


def forget_hub_mails(
    session: Session, channel: Channel, kind: MailKind, *, by: str, now: datetime
) -> int:
    """Take the list of a channel and kind back; gives how many numbers it held."""
    gone = forget(session, channel.id, kind)
    subject = f"channel:{channel.name}"
    record(
        session, by=by, action="rehearsal_forgotten", now=now, subject=subject,
        kind=kind.value, count=gone,
    )  # fmt: skip
    return gone
