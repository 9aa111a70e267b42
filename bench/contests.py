"""What is compared with what: one contest per line of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import bare
from bench.measure import Contest, Stopwatch
from worker.mail.compose import Outgoing, compose, message_id_for
from worker.mail.placeholders import values
from worker.mail.render import Rendered, render
from worker.mail.samples import sample_facts
from worker.mail.texts import FolderSource, load_text, shipped_root

MAILS = 2_000

_DATE = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    """What trials may use: a folder, a mail server, and PostgreSQL where this machine has it."""

    folder: Path
    host: str
    port: int
    postgres: sa.URL | None


def contests(stage: Stage) -> Iterator[Contest]:
    """Every contest, in the order of the path."""
    for key in ("order_thanks/rakuten/repeat", "order_thanks/own/repeat"):
        yield _render(key)
    yield _dispatch(stage)


def _render(key: str) -> Contest:
    """One shipped text, the same values on both sides; compiled once on both."""
    _, family, _ = key.split("/")
    text = load_text(FolderSource(shipped_root()), "ja", key)
    facts = values(sample_facts("ja", family), "ja")
    words = [dict(facts) for _ in range(MAILS)]

    def plain(watch: Stopwatch) -> int:
        return len(bare.render((text.subject, text.body_text, text.body_html), words, watch))

    def okaeri(watch: Stopwatch) -> int:
        with watch.running():
            for number, known in enumerate(words):
                mail = render(text, known)
                compose(_outgoing(number, family, mail))
        return len(words)

    what = "plain" if text.body_html is None else "text and HTML"
    return Contest(f"render, {what}", "mails", plain, okaeri, aim=2)


def _outgoing(number: int, family: str, mail: Rendered) -> Outgoing:
    return Outgoing(
        message_ref=str(number),
        message_id=message_id_for(str(number), 1, "okaeri.test"),
        from_address="shop@okaeri.test",
        to_address="customer@okaeri.test",
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        date=_DATE,
        family=family,
    )


def _dispatch(stage: Stage) -> Contest:
    text = load_text(FolderSource(shipped_root()), "ja", "order_thanks/rakuten/repeat")
    facts = values(sample_facts("ja", "rakuten"), "ja")
    mail = render(text, facts)
    mails = [compose(_outgoing(number, "rakuten", mail)) for number in range(MAILS)]

    def plain(watch: Stopwatch) -> int:
        return bare.send(stage.host, stage.port, mails, stage.folder, watch)

    # 80 % of the bare rate.
    return Contest("dispatch", "mails", plain, aim=1.25)
