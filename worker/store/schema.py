"""The declarative root and the one import that makes every table known."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of all tables; constraint names are fixed because batch migrations need them."""

    metadata = MetaData(naming_convention=NAMING)


def all_tables() -> MetaData:
    """Import every aggregate and give the complete metadata (migrations, tests)."""
    from worker.store import (  # noqa: F401 - imported for their tables
        access,
        channels,
        customers,
        drafts,
        messages,
        orders,
        readings,
        rehearsals,
        reports,
        returns,
        reward_sources,
        rewards,
        running,
        solicitations,
    )

    return Base.metadata
