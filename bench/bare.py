"""The bare limit: the least that any program must do on this machine for the same result."""

from __future__ import annotations

import smtplib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlalchemy.dialects import postgresql, sqlite

from bench.measure import Stopwatch
from worker.store.schema import all_tables

Rows = tuple[sa.Table, list[dict[str, Any]]]

_CHUNK = 5_000


def rows_of(engine: sa.Engine) -> Iterator[Rows]:
    """Everything a store holds, by tables in an order that foreign keys allow, 5,000 at a time."""
    with engine.connect().execution_options(yield_per=_CHUNK) as connection:
        for table in all_tables().sorted_tables:
            query = sa.select(table).order_by(*table.primary_key)
            for part in connection.execute(query).mappings().partitions():
                yield table, [dict(found) for found in part]


def upsert(engine: sa.Engine, rows: Iterable[Rows], watch: Stopwatch) -> None:
    """Upsert rows by plain executemany, a commit for each 5,000."""
    for table, part in rows:
        statement = _upsert_into(table, engine.dialect.name)
        with watch.running(), engine.begin() as connection:
            connection.execute(statement, part)


def _upsert_into(table: sa.Table, dialect: str) -> sa.Insert:
    keys = [column.name for column in table.primary_key]
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
    if not others:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def render(
    sources: tuple[str, str, str | None], values: Sequence[Mapping[str, Any]], watch: Stopwatch
) -> list[bytes]:
    """Render and compose a mail for each of ``values``; the templates are compiled once.

    ``sources`` are subject, text and, for a mail of two parts, HTML.
    """
    plain = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    escaping = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    for environment in (plain, escaping):
        # The one filter of the shipped texts; escaping and line breaks are what it is for.
        environment.filters["lines"] = lambda text: text
    composed: list[bytes] = []
    with watch.running():
        subject, body = map(plain.from_string, sources[:2])
        html = escaping.from_string(sources[2]) if sources[2] is not None else None
        for facts in values:
            mail: MIMEBase = MIMEText(body.render(facts), "plain", "utf-8")
            if html is not None:
                parts = [mail, MIMEText(html.render(facts), "html", "utf-8")]
                mail = MIMEMultipart("alternative", _subparts=parts)
            mail["Subject"] = subject.render(facts)
            mail["From"] = "shop@okaeri.test"
            mail["To"] = "customer@okaeri.test"
            mail["Message-ID"] = f"<{len(composed)}@okaeri.test>"
            composed.append(mail.as_bytes())
    return composed


def send(host: str, port: int, mails: Sequence[bytes], folder: Path, watch: Stopwatch) -> int:
    """Send over one connection; a durable commit before each mail and one after it."""
    store = sqlite3.connect(folder / "bare.db", isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, state TEXT)")
    store.execute("DELETE FROM mails")
    store.executemany("INSERT INTO mails VALUES (?, 'approved')", [(i,) for i in range(len(mails))])
    mark = "UPDATE mails SET state = ? WHERE id = ?"
    with watch.running(), smtplib.SMTP(host, port) as client:
        for at, mail in enumerate(mails):
            store.execute(mark, ("sending", at))
            client.sendmail("shop@okaeri.test", ["customer@okaeri.test"], mail)
            store.execute(mark, ("sent", at))
    store.close()
    return len(mails)
