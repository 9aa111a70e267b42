"""Leases: who may do a thing just now, judged by the database's clock and not by a machine's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Float, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from worker.store.engine import writing
from worker.store.running import Lease
from worker.store.types import DatabaseNow, UtcDateTime


class DatabaseLater(FunctionElement[datetime]):
    """The database's own clock plus so many seconds; negative ones lie in the past."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: float) -> None:
        super().__init__(literal(float(seconds), Float))


@compiles(DatabaseLater, "sqlite")
def _sqlite_later(element: DatabaseLater, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


@compiles(DatabaseLater, "postgresql")
def _postgres_later(element: DatabaseLater, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + CAST({seconds} AS DOUBLE PRECISION) * INTERVAL '1 second')"


def acquire(session: Session, name: str, owner: str, seconds: float) -> int | None:
    """Take the lease ``name`` for so many seconds; None while somebody else's lives.

    Gives a token that counts up with every taking, so that a late owner can be told apart.
    One's own living lease may be taken again, which prolongs it.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    until = DatabaseLater(seconds)
    statement = insert(Lease).values(name=name, owner=owner, token=1, until=until)
    taken = statement.on_conflict_do_update(
        index_elements=[Lease.name],
        set_={"owner": owner, "token": Lease.token + 1, "until": until},
        where=or_(Lease.until <= DatabaseNow(), Lease.owner == owner),
    )
    return session.scalar(taken.returning(Lease.token))


def renew(session: Session, name: str, token: int, seconds: float) -> bool:
    """Prolong the lease while it is still ours; False where another has taken it since."""
    statement = (
        update(Lease)
        .where(Lease.name == name, Lease.token == token, Lease.until > DatabaseNow())
        .values(until=DatabaseLater(seconds))
        .returning(Lease.token)
    )
    return session.scalar(statement) is not None


def release(session: Session, name: str, token: int) -> None:
    """Give the lease back; a lease that another has taken since stays theirs."""
    # The row stays: its token must go on counting, or a late owner could not be told apart.
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.token == token)
        .values(until=DatabaseLater(-1))
    )


def evict(session: Session, name: str, owner: str) -> None:
    """End the lease of an owner that is known to be dead; anybody else's stays."""
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(until=DatabaseLater(-1))
    )


def living_owner(session: Session, name: str) -> str | None:
    """Who holds the lease now; None where nobody does."""
    return session.scalar(
        select(Lease.owner).where(Lease.name == name, Lease.until > DatabaseNow())
    )


@contextmanager
def holding(engine: Engine, name: str, owner: str, seconds: float) -> Iterator[int | None]:
    """Hold a lease around a block in transactions of its own; yields None where it was taken."""
    with writing(engine) as session:
        token = acquire(session, name, owner, seconds)
    try:
        yield token
    finally:
        if token is not None:
            with writing(engine) as session:
                release(session, name, token)
