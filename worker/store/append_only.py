"""Tables that only grow: the database itself refuses to change or take out a row."""

from __future__ import annotations

from sqlalchemy import DDL, Table, event
from sqlalchemy.schema import ExecutableDDLElement


def guard_statements(table: str, dialect: str) -> list[str]:
    """What makes a table append-only; run after it was made."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    body = f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    refuse = f"EXECUTE FUNCTION {table}_refuses()"
    change, truncate = f"{table}_no_change", f"{table}_no_truncate"
    return [
        f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {change} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {truncate} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
    ]


def release_statements(table: str, dialect: str) -> list[str]:
    """The opposite of ``guard_statements``."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {table}_no_{verb}" for verb in ("update", "delete")]
    return [
        f"DROP TRIGGER {table}_no_truncate ON {table}",
        f"DROP TRIGGER {table}_no_change ON {table}",
        f"DROP FUNCTION {table}_refuses()",
    ]


def only_grows(table: Table) -> None:
    """Guard the table also where it is made from the models and not by the migrations."""
    for dialect in ("sqlite", "postgresql"):
        for statement in guard_statements(table.name, dialect):
            event.listen(table, "after_create", _run_on(dialect, statement))
    forget = f"DROP FUNCTION {table.name}_refuses()"
    event.listen(table, "after_drop", _run_on("postgresql", forget))


def _run_on(dialect: str, statement: str) -> ExecutableDDLElement:
    return DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
