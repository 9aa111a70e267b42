"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

Key = BigInteger().with_variant(Integer(), "sqlite")
"""Surrogate keys; SQLite only numbers rows by itself for INTEGER."""

Json = JSON().with_variant(JSONB(), "postgresql")
"""JSON documents; JSONB where the database has it."""

BinaryText = String(255).with_variant(String(255, collation="C"), "postgresql")
"""Text compared byte by byte, as SQLite does anyway: the tie-break of ordinals needs it."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Naive values are refused: SQLite has no zones and would silently guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC (naive UTC for SQLite). Raises ValueError when naive."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give an aware one")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def words(enum: type[StrEnum], length: int = 24) -> Enum:
    """Store an enum by its word, without a native type that migrations would have to alter."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


class DatabaseNow(FunctionElement[datetime]):
    """The database's own clock: leases must not depend on whose machine is right."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _sqlite_now(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(DatabaseNow, "postgresql")
def _postgres_now(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "clock_timestamp()"
