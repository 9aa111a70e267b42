"""The audit only grows: the database itself refuses everything else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests.factories import NOW
from worker.store.audit_queries import (
    AuditFilter,
    audit_page,
    audited_actions,
    audited_people,
)
from worker.store.engine import reading, writing
from worker.store.running import Audit


@pytest.fixture
def written(engine: Engine) -> Engine:
    """A store with seven acts of two people."""
    with writing(engine) as session:
        for number in range(7):
            session.add(
                Audit(
                    at=NOW,
                    by="中村" if number % 2 else "森本",
                    action="hold" if number < 3 else "approve",
                    subject=f"message:{number}",
                    detail={},
                )
            )
    return engine


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET by = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"],
)
def test_no_row_of_the_audit_is_changed_or_taken_out(written: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), written.begin() as connection:
        connection.execute(sa.text(statement))
    with reading(written) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Audit)) == 7


def test_postgresql_does_not_truncate_it_either(written: Engine) -> None:
    if written.dialect.name != "postgresql":
        with pytest.raises(DBAPIError), written.begin() as connection:
            connection.execute(sa.text("TRUNCATE audit"))
        return
    with pytest.raises(DBAPIError, match="append-only"), written.begin() as connection:
        connection.execute(sa.text("TRUNCATE audit"))


def test_pages_follow_one_another_and_filters_narrow(written: Engine) -> None:
    with reading(written) as session:
        first = audit_page(session, AuditFilter(), before=None, limit=4)
        second = audit_page(session, AuditFilter(), before=first[-1].id, limit=4)
        assert [row.subject[-1] for row in (*first, *second)] == list("6543210")
        held = audit_page(session, AuditFilter(by="森本", action="hold"), before=None, limit=9)
        assert [row.subject for row in held] == ["message:2", "message:0"]
        assert audited_people(session) == ["中村", "森本"]
        assert audited_actions(session) == ["approve", "hold"]


def test_every_filter_walks_an_index(written: Engine) -> None:
    """A page of a long audit must not read the whole of it."""
    if written.dialect.name != "sqlite":
        return
    with written.connect() as connection:
        for column in ("by", "action", "subject"):
            plan = connection.execute(
                sa.text(
                    f"EXPLAIN QUERY PLAN SELECT * FROM audit WHERE {column} = 'x' "
                    "AND id < 9 ORDER BY id DESC LIMIT 50"
                )
            ).all()
            assert f"ix_audit_{column}" in str(plan)
            assert "TEMP B-TREE" not in str(plan)
