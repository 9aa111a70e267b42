"""Writing many rows in one statement: they travel as one JSON document, on both databases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from worker.store.types import UtcDateTime


def put(session: Session, model: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    """Insert these rows, or overwrite those of the same primary key.

    One statement for all of them: binding every value of every row by itself costs several times
    what the database needs. All rows name the same columns.
    """
    if not rows:
        return
    table: sa.Table = model.__table__
    names = list(rows[0])
    document = json.dumps([[row[name] for name in names] for row in rows], default=_plain)
    lite = session.get_bind().dialect.name == "sqlite"
    session.execute(sa.text(_statement(table, names, lite=lite)), {"rows": document})


def among(session: Session, column: Any, ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """Whether a column holds one of many numbers, which travel as one value.

    A value each would be thousands of placeholders, in a statement of its own for every count.
    """
    if session.get_bind().dialect.name == "sqlite":
        every = sa.select(sa.func.json_each(json.dumps(list(ids))).table_valued("value").c.value)
    else:
        # Not "= ANY": a prepared statement would search the list anew for every row.
        every = sa.select(sa.func.unnest(sa.literal(list(ids), ARRAY(sa.BigInteger))))
    found: sa.ColumnElement[bool] = column.in_(every)
    return found


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        # The form SQLAlchemy itself writes on SQLite; PostgreSQL is told that it is UTC.
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a bulk row")


def _statement(table: sa.Table, names: Sequence[str], *, lite: bool) -> str:
    # Names come from our own models, never from outside.
    one = _from_sqlite if lite else _from_postgres
    values = ", ".join(one(table.c[name].type, place) for place, name in enumerate(names))
    source = (
        "json_each(:rows)" if lite else "jsonb_array_elements(CAST(:rows AS jsonb)) AS r(value)"
    )
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(
        f"{name} = excluded.{name}" for name in map(_quoted, names) if name not in keys
    )
    return (
        f"INSERT INTO {table.name} ({', '.join(map(_quoted, names))}) "  # noqa: S608
        f"SELECT {values} FROM {source} WHERE true "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _from_sqlite(_type: Any, place: int) -> str:
    return f"json_extract(value, '$[{place}]')"


def _from_postgres(kind: Any, place: int) -> str:
    if isinstance(kind, sa.JSON):
        return f"value -> {place}"
    text = f"value ->> {place}"
    if isinstance(kind, UtcDateTime):
        return f"CAST(({text}) || '+00' AS timestamptz)"
    if isinstance(kind, sa.Integer):
        return f"CAST({text} AS bigint)"
    if isinstance(kind, sa.Boolean):
        return f"CAST({text} AS boolean)"
    return f"CAST({text} AS date)" if isinstance(kind, sa.Date) else text
