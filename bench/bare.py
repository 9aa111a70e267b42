"""The bare limit: the least that any program must do on this machine for the same result."""

from __future__ import annotations

import smtplib
import sqlite3
from collections.abc import Mapping, Sequence
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

Rows = Mapping[sa.Table, Sequence[Mapping[str, Any]]]

_CHUNK = 5_000

NUMBERS = """
    WITH counted AS (
        SELECT o.id, o.customer_id, o.ordered_at, o.ordered_on, o.number, o.spend,
               c.name AS channel, CASE c.family WHEN 'own' THEN 'own' ELSE c.name END AS scope
        FROM orders AS o JOIN channels AS c ON c.id = o.channel_id
        WHERE o.counting AND o.customer_id IS NOT NULL
    )
    SELECT id, customer_id, scope,
           row_number() OVER in_scope AS ordinal,
           dense_rank() OVER (PARTITION BY customer_id, scope ORDER BY ordered_on) AS visit_number,
           row_number() OVER (
               PARTITION BY customer_id ORDER BY ordered_at, channel, number
           ) AS ordinal_overall,
           sum(spend) OVER (in_scope ROWS UNBOUNDED PRECEDING) AS spent
    FROM counted
    WINDOW in_scope AS (PARTITION BY customer_id, scope ORDER BY ordered_at, channel, number)
"""

STANDINGS = f"""
    INSERT INTO order_standings (order_id, customer_id, scope, ordinal, visit_number,
                                 ordinal_overall, certainty, rank, facts, ladder)
    SELECT id, customer_id, scope, ordinal, visit_number, ordinal_overall, 'proved',
           CASE WHEN ordinal = 1 THEN 'first'
                WHEN ordinal >= 5 AND spent >= 50000 THEN 'vip' ELSE 'repeat' END, '{{}}', ''
    FROM ({NUMBERS}) AS numbers WHERE true
    ON CONFLICT (order_id) DO UPDATE SET
        customer_id = excluded.customer_id, scope = excluded.scope, ordinal = excluded.ordinal,
        visit_number = excluded.visit_number, ordinal_overall = excluded.ordinal_overall,
        certainty = excluded.certainty, rank = excluded.rank, facts = excluded.facts,
        ladder = excluded.ladder
"""


def rows_of(engine: sa.Engine) -> Rows:
    """Everything a store holds, table by table in an order that foreign keys allow."""
    with engine.connect() as connection:
        return {
            table: [dict(found) for found in connection.execute(sa.select(table)).mappings()]
            for table in all_tables().sorted_tables
        }


def upsert(engine: sa.Engine, rows: Rows, watch: Stopwatch) -> None:
    """Upsert rows by plain executemany, a commit for each 5,000."""
    for table, all_of_it in rows.items():
        statement = _upsert_into(table, engine.dialect.name)
        for start in range(0, len(all_of_it), _CHUNK):
            with watch.running(), engine.begin() as connection:
                connection.execute(statement, list(all_of_it[start : start + _CHUNK]))


def _upsert_into(table: sa.Table, dialect: str) -> sa.Insert:
    keys = [column.name for column in table.primary_key]
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
    if not others:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def number(engine: sa.Engine, watch: Stopwatch) -> int:
    """Number every counting order by one window query and fetch the answer; gives how many."""
    with engine.connect() as connection, watch.running():
        return len(connection.exec_driver_sql(NUMBERS).fetchall())


def number_and_store(engine: sa.Engine, watch: Stopwatch) -> int:
    """The same, with a rank of three rungs, stored by the same statement; gives how many."""
    with watch.running(), engine.begin() as connection:
        return connection.exec_driver_sql(STANDINGS).rowcount


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
