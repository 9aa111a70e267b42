"""Runs the migrations on the connection that `worker.store.migrate` hands over."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from worker.store.schema import all_tables
from worker.store.types import BinaryText, Json, Key, UtcDateTime

_OURS = {id(Key): "Key", id(Json): "Json", id(BinaryText): "BinaryText"}


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our column types by their names; an enum is stored as plain text."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    if isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return _OURS.get(id(item), False)


def _run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        render_as_batch=True,
        compare_type=True,
        render_item=_render,
        # One transaction around all steps: a failed one leaves the store as it was.
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
